//! `UPDATE` of one row, prepared once: Diesel's own is prepared anew each time.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};

/// Sets the columns of a row where a condition holds.
#[derive(Debug)]
pub(crate) struct UpdateRow<R, T, C, W> {
    table: T,
    changes: C,
    condition: W,
    row: PhantomData<fn() -> R>,
}

/// Sets all columns of a row but its key where a condition holds.
///
/// `R` is the type of the row. It must set the same columns whatever it holds (`treat_none_as_null`), because it names the
/// prepared statement.
pub(crate) fn update_row<R, T, V, W>(table: T, condition: W, row: V) -> UpdateRow<R, T, V::Changeset, W>
where
    V: AsChangeset<Target = T>,
{
    UpdateRow { table, changes: row.as_changeset(), condition, row: PhantomData }
}

impl<R: 'static, T, C, W: QueryId> QueryId for UpdateRow<R, T, C, W> {
    type QueryId = UpdateRow<R, (), (), W::QueryId>;

    const HAS_STATIC_QUERY_ID: bool = W::HAS_STATIC_QUERY_ID;
}

impl<R, T, C, W, DB> QueryFragment<DB> for UpdateRow<R, T, C, W>
where
    DB: Backend,
    T: QueryFragment<DB>,
    C: QueryFragment<DB>,
    W: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        self.table.walk_ast(out.reborrow())?;
        out.push_sql(" SET ");
        self.changes.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE ");
        self.condition.walk_ast(out.reborrow())
    }
}
