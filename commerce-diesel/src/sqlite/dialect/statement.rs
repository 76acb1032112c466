//! Statements on one row, prepared once, which costs SQLite less than statements of many rows.

use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sqlite::Sqlite;

use crate::rows::table::{Bind, Row};

/// `INSERT`.
#[derive(Debug)]
pub(crate) struct Insert<R>(pub(crate) R);

/// `INSERT`, where there is no row of that key yet.
#[derive(Debug)]
pub(crate) struct InsertMissing<R>(pub(crate) R);

/// `UPDATE` of all columns but the key.
#[derive(Debug)]
pub(crate) struct Update<R>(pub(crate) R);

impl<R: Row> QueryId for Insert<R> {
    type QueryId = Insert<R::Named>;
}

impl<R: Row> QueryId for InsertMissing<R> {
    type QueryId = InsertMissing<R::Named>;
}

impl<R: Row> QueryId for Update<R> {
    type QueryId = Update<R::Named>;
}

impl<R: Bind<Sqlite>> QueryFragment<Sqlite> for Insert<R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        insert(&self.0, &mut out)
    }
}

impl<R: Bind<Sqlite>> QueryFragment<Sqlite> for InsertMissing<R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        insert(&self.0, &mut out)?;
        out.push_sql(" ON CONFLICT DO NOTHING");
        Ok(())
    }
}

impl<R: Bind<Sqlite>> QueryFragment<Sqlite> for Update<R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        out.push_sql(R::TABLE);
        assign(&self.0, R::KEY..R::COLUMNS.len(), [" SET ", ", "], &mut out)?;
        assign(&self.0, 0..R::KEY, [" WHERE ", " AND "], &mut out)
    }
}

fn insert<'b, R: Bind<Sqlite>>(row: &'b R, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
    out.push_sql(R::INSERT);
    let columns = 0..R::COLUMNS.len();
    row.bind(columns, out, |place, out| out.push_sql(if place == 0 { "VALUES (" } else { ", " }))?;
    out.push_sql(")");
    Ok(())
}

/// `column = value`, with a word before the first and another before the others.
fn assign<'b, R: Bind<Sqlite>>(
    row: &'b R,
    columns: std::ops::Range<usize>,
    [first, next]: [&str; 2],
    out: &mut AstPass<'_, 'b, Sqlite>,
) -> QueryResult<()> {
    let start = columns.start;
    row.bind(columns, out, |place, out| {
        out.push_sql(if place == start { first } else { next });
        out.push_sql(R::COLUMNS.get(place).copied().unwrap_or_default());
        out.push_sql(" = ");
    })
}
