//! Statements that bind each value.

use std::ops::Range;

use diesel::backend::Backend;
use diesel::query_builder::AstPass;
use diesel::result::QueryResult;

use crate::row::{Row, Rows};

/// A row that binds each value. [`rows!`](crate::rows) implements it.
pub trait Bind<DB: Backend>: Row {
    /// Binds the values of some columns. Calls `before` before it writes each placeholder.
    ///
    /// # Errors
    /// Binding a value fails.
    fn bind<'b>(
        &'b self,
        columns: Range<usize>,
        out: &mut AstPass<'_, 'b, DB>,
        before: impl FnMut(usize, &mut AstPass<'_, 'b, DB>),
    ) -> QueryResult<()>;
}

/// `INSERT … VALUES (?, …), …`
pub(crate) fn insert<'b, DB: Backend, R: Bind<DB>>(
    rows: &'b Rows<'_, R>,
    before_first: &str,
    out: &mut AstPass<'_, 'b, DB>,
) -> QueryResult<()> {
    out.push_sql(R::INSERT);
    for (number, row) in rows.0.iter().enumerate() {
        out.push_sql(if number == 0 { "VALUES (" } else { "), (" });
        row.bind(0..R::COLUMNS.len(), out, |place, out| out.push_sql(if place == 0 { before_first } else { ", " }))?;
    }
    out.push_sql(")");
    Ok(())
}

/// `UPDATE t SET a = CASE k WHEN ? THEN ? … END, … WHERE k IN (?, …)`, or `SET a = ? … WHERE k = ?` for a single row. Joining a
/// list of rows is slower. An insert with `ON DUPLICATE KEY UPDATE` needs whole rows.
pub(crate) fn update<'b, DB: Backend, R: Bind<DB>>(
    rows: &'b Rows<'_, R>,
    out: &mut AstPass<'_, 'b, DB>,
) -> QueryResult<()> {
    out.push_sql("UPDATE ");
    out.push_sql(R::TABLE);
    for (place, column) in R::COLUMNS.iter().enumerate().skip(R::KEY) {
        out.push_sql(if place == R::KEY { " SET " } else { ", " });
        out.push_sql(column);
        out.push_sql(" = ");
        match rows.0 {
            [row] => value(row, place, out)?,
            rows => choose(rows, place, out)?,
        }
    }
    with_keys(rows, out)
}

pub(crate) fn with_keys<'b, DB: Backend, R: Bind<DB>>(
    rows: &'b Rows<'_, R>,
    out: &mut AstPass<'_, 'b, DB>,
) -> QueryResult<()> {
    out.push_sql(" WHERE ");
    match rows.0 {
        [row] => is_key(row, out),
        rows => is_among(rows, out),
    }
}

/// A `CASE` that selects the value by key.
fn choose<'b, DB: Backend, R: Bind<DB>>(rows: &'b [R], place: usize, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()> {
    // With a key of one column, `CASE key WHEN` is twice as fast.
    let single = R::COLUMNS.first().filter(|_| R::KEY == 1);
    out.push_sql("CASE");
    if let Some(key) = single {
        out.push_sql(" ");
        out.push_sql(key);
    }
    for row in rows {
        out.push_sql(" WHEN ");
        if single.is_some() {
            value(row, 0, out)?;
        } else {
            is_key(row, out)?;
        }
        out.push_sql(" THEN ");
        value(row, place, out)?;
    }
    out.push_sql(" END");
    Ok(())
}

fn value<'b, DB: Backend, R: Bind<DB>>(row: &'b R, place: usize, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()> {
    row.bind(place..place + 1, out, |_, _| ())
}

/// `k = ? AND …`
fn is_key<'b, DB: Backend, R: Bind<DB>>(row: &'b R, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()> {
    row.bind(0..R::KEY, out, |place, out| {
        out.push_sql(if place == 0 { "" } else { " AND " });
        out.push_sql(R::COLUMNS.get(place).copied().unwrap_or_default());
        out.push_sql(" = ");
    })
}

/// `(k, …) IN ((?, …), …)`
fn is_among<'b, DB: Backend, R: Bind<DB>>(rows: &'b [R], out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()> {
    for (place, column) in R::COLUMNS.iter().take(R::KEY).enumerate() {
        out.push_sql(if place == 0 { "(" } else { ", " });
        out.push_sql(column);
    }
    for (number, row) in rows.iter().enumerate() {
        let first = if number == 0 { ") IN ((" } else { "), (" };
        row.bind(0..R::KEY, out, |place, out| out.push_sql(if place == 0 { first } else { ", " }))?;
    }
    out.push_sql("))");
    Ok(())
}
