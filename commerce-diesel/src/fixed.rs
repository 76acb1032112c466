//! SQL in expressions, for what Diesel has no name for.
//!
//! Diesel's own `sql` prepares a statement anew each time. These texts never change, so that the statements are prepared once.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{SingleValue, SqlType};

/// An expression of type `ST`: a text, or one around a value that is bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fixed<ST, E = ()> {
    before: &'static str,
    value: E,
    after: &'static str,
    of_type: PhantomData<ST>,
}

/// A text.
pub(crate) const fn fixed<ST>(text: &'static str) -> Fixed<ST> {
    around(text, (), "")
}

/// A text around a value.
pub(crate) const fn around<ST, E>(before: &'static str, value: E, after: &'static str) -> Fixed<ST, E> {
    Fixed { before, value, after, of_type: PhantomData }
}

impl<ST: SqlType + SingleValue, E> Expression for Fixed<ST, E> {
    type SqlType = ST;
}

impl<ST, E, QS: ?Sized> SelectableExpression<QS> for Fixed<ST, E> where Self: AppearsOnTable<QS> {}
impl<ST, E, QS: ?Sized> AppearsOnTable<QS> for Fixed<ST, E> where Self: Expression {}

impl<ST, E, G> ValidGrouping<G> for Fixed<ST, E> {
    type IsAggregate = is_aggregate::Never;
}

/// The text tells statements apart.
impl<ST, E> QueryId for Fixed<ST, E> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST, E: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Fixed<ST, E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(self.before);
        self.value.walk_ast(out.reborrow())?;
        out.push_sql(self.after);
        Ok(())
    }
}
