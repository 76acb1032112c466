//! `columns IN (…)` over arrays, whose length is not part of the statement.

use std::marker::PhantomData;

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Array, Bool, Text};

use super::super::column::Column;
use crate::key::{Key, Kind, Part};
use crate::schema::sql_types::Id;

/// The condition.
#[derive(Clone, Debug)]
pub(crate) struct InList<C, K: ?Sized> {
    columns: C,
    keys: Vec<(Kind, Column)>,
    key: PhantomData<fn() -> Box<K>>,
}

impl<C, K: ?Sized> InList<C, K> {
    pub(super) fn new<Q: Key<Named = K>>(columns: C, keys: impl IntoIterator<Item = Q>) -> Self {
        let keys: Vec<Q> = keys.into_iter().collect();
        let column = |(place, kind): (usize, &Kind)| {
            let parts = keys.iter().map(|key| key.parts().nth(place).unwrap_or(Part::Text("")));
            (*kind, Column::of_parts(*kind, parts))
        };
        Self { columns, keys: Q::KINDS.iter().enumerate().map(column).collect(), key: PhantomData }
    }
}

impl<C, K: ?Sized> Expression for InList<C, K> {
    type SqlType = Bool;
}

impl<C: AppearsOnTable<QS>, K: ?Sized, QS> AppearsOnTable<QS> for InList<C, K> {}
impl<C: SelectableExpression<QS>, K: ?Sized, QS> SelectableExpression<QS> for InList<C, K> {}

impl<C: ValidGrouping<G>, K: ?Sized, G> ValidGrouping<G> for InList<C, K> {
    type IsAggregate = C::IsAggregate;
}

impl<C: QueryId, K: ?Sized + 'static> QueryId for InList<C, K> {
    type QueryId = InList<C::QueryId, K>;

    const HAS_STATIC_QUERY_ID: bool = C::HAS_STATIC_QUERY_ID;
}

impl<C: QueryFragment<Pg>, K: ?Sized> QueryFragment<Pg> for InList<C, K> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let one = self.keys.len() == 1;
        out.push_sql("(");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(if one { ") = ANY(" } else { ") IN (SELECT unnest(" });
        for (place, (kind, column)) in self.keys.iter().enumerate() {
            out.push_sql(if place == 0 { "" } else { "), unnest(" });
            match kind {
                Kind::Text => out.push_bind_param::<Array<Text>, _>(column)?,
                Kind::Id => out.push_bind_param::<Array<Id>, _>(column)?,
            }
        }
        out.push_sql(if one { ")" } else { "))" });
        Ok(())
    }
}
