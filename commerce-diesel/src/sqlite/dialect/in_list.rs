//! `columns IN (…)` over a list whose length is not part of the statement, so that the statement is prepared once.

use std::marker::PhantomData;

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Bool, Text};
use diesel::sqlite::Sqlite;
use serde::Serialize;

use crate::key::{Key, Kind, Part};

/// The condition. The list is JSON, where ids are text.
#[derive(Clone, Debug)]
pub(crate) struct InList<C, K: ?Sized> {
    columns: C,
    kinds: &'static [Kind],
    list: String,
    key: PhantomData<fn() -> Box<K>>,
}

impl<C, K: ?Sized> InList<C, K> {
    pub(super) fn new<Q: Key<Named = K>>(columns: C, keys: impl IntoIterator<Item = Q>) -> Self {
        let list = match Q::KINDS {
            [_] => json(keys.into_iter().filter_map(|key| key.parts().next().map(text))),
            _ => json(keys.into_iter().map(|key| key.parts().map(text).collect::<Vec<_>>())),
        };
        Self { columns, kinds: Q::KINDS, list, key: PhantomData }
    }
}

#[expect(clippy::expect_used, reason = "text always serializes")]
fn json<T: Serialize>(entries: impl Iterator<Item = T>) -> String {
    serde_json::to_string(&entries.collect::<Vec<_>>()).expect("text always serializes")
}

fn text(part: Part<'_>) -> String {
    match part {
        Part::Text(text) => text.to_owned(),
        Part::Id(id) => id.0.simple().to_string(),
    }
}

/// Where the columns of a key stand in an entry of the list.
const fn places(columns: usize) -> &'static [&'static str] {
    match columns {
        1 => &["value"],
        _ => &["value ->> 0", "value ->> 1", "value ->> 2"],
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

impl<C: QueryFragment<Sqlite>, K: ?Sized> QueryFragment<Sqlite> for InList<C, K> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("(");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(") IN (SELECT ");
        for (place, (kind, value)) in self.kinds.iter().zip(places(self.kinds.len())).enumerate() {
            out.push_sql(if place == 0 { "" } else { ", " });
            match kind {
                Kind::Text => out.push_sql(value),
                Kind::Id => {
                    out.push_sql("unhex(");
                    out.push_sql(value);
                    out.push_sql(")");
                }
            }
        }
        out.push_sql(" FROM json_each(");
        out.push_bind_param::<Text, String>(&self.list)?;
        out.push_sql("))");
        Ok(())
    }
}
