//! Statements on many rows: one array per column, so that the text is the same for any number of them.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use super::super::column::Column;
use crate::rows::place;
use crate::rows::stock::UncontendedReservationRow;
use crate::rows::table::{Columns, Row};

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name<R> {
            columns: Vec<Column>,
            row: std::marker::PhantomData<fn() -> R>,
        }

        impl<R: Columns> $name<R> {
            pub(crate) fn of(rows: &[R]) -> Self {
                Self { columns: R::columns(rows), row: std::marker::PhantomData }
            }
        }

        impl<R: Row> QueryId for $name<R> {
            type QueryId = $name<R::Named>;
        }
    )*};
}

statements! {
    /// `INSERT`.
    Insert
    /// `INSERT`, where there is no row of that key yet.
    InsertMissing
    /// `INSERT` of events whose positions are counted from behind the last one.
    Append
    /// `UPDATE` of all columns but the key.
    Update
}

impl<R: Columns> QueryFragment<Pg> for Insert<R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(R::INSERT);
        select::<R>(&self.columns, &mut out)
    }
}

impl<R: Columns> QueryFragment<Pg> for InsertMissing<R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(R::INSERT);
        select::<R>(&self.columns, &mut out)?;
        out.push_sql(" ON CONFLICT DO NOTHING");
        Ok(())
    }
}

impl<R: Columns> QueryFragment<Pg> for Append<R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(R::INSERT);
        out.push_sql("SELECT feed.position + v.position");
        for column in R::COLUMNS.iter().skip(1) {
            out.push_sql(", v.");
            out.push_sql(column);
        }
        out.push_sql(" FROM feed, (");
        select::<R>(&self.columns, &mut out)?;
        out.push_sql(") AS v");
        Ok(())
    }
}

impl<R: Columns> QueryFragment<Pg> for Update<R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let (key, rest) = R::COLUMNS.split_at(R::KEY);
        out.push_sql("UPDATE ");
        out.push_sql(R::TABLE);
        for (place, column) in rest.iter().enumerate() {
            out.push_sql(if place == 0 { " AS t SET " } else { ", " });
            out.push_sql(column);
            out.push_sql(" = v.");
            out.push_sql(column);
        }
        out.push_sql(" FROM (");
        select::<R>(&self.columns, &mut out)?;
        for (place, column) in key.iter().enumerate() {
            out.push_sql(if place == 0 { ") AS v WHERE t." } else { " AND t." });
            out.push_sql(column);
            out.push_sql(" = v.");
            out.push_sql(column);
        }
        Ok(())
    }
}

/// Takes units from levels that fit; if one does not, the statement fails, and with it the transaction.
#[derive(Debug, QueryId)]
pub(crate) struct Take {
    skus: Column,
    units: Column,
    steps: Column,
    expiries: Column,
    thresholds: Column,
    least_available: Column,
    count: i64,
    at: i64,
}

impl Take {
    pub(crate) fn of(rows: &[UncontendedReservationRow<'_>], at: i64) -> Self {
        Self {
            skus: Column::of(rows.iter().map(|row| &row.sku)),
            units: Column::of(rows.iter().map(|row| &row.units)),
            steps: Column::of(rows.iter().map(|row| &row.steps)),
            expiries: Column::of(rows.iter().map(|row| &row.next_expiry)),
            thresholds: Column::of(rows.iter().map(|row| &row.reorder_threshold)),
            least_available: Column::of(rows.iter().map(|row| &row.least_available)),
            count: place(rows.len()),
            at,
        }
    }
}

impl QueryFragment<Pg> for Take {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "WITH moved AS (UPDATE stock AS t SET reserved = t.reserved + v.units, version = t.version + v.steps, \
             next_expiry = least(t.next_expiry, v.next_expiry) FROM (SELECT unnest(",
        );
        out.push_bind_param::<Array<Text>, _>(&self.skus)?;
        let numbers = [
            (") AS sku, unnest(", &self.units),
            (") AS units, unnest(", &self.steps),
            (") AS steps, unnest(", &self.expiries),
            (") AS next_expiry, unnest(", &self.thresholds),
            (") AS reorder_threshold, unnest(", &self.least_available),
        ];
        for (text, column) in numbers {
            out.push_sql(text);
            out.push_bind_param::<Array<Nullable<BigInt>>, _>(column)?;
        }
        out.push_sql(
            ") AS least_available) AS v WHERE t.sku = v.sku AND t.on_hand - t.reserved >= v.least_available \
             AND t.reorder_threshold IS NOT DISTINCT FROM v.reorder_threshold AND (t.next_expiry IS NULL OR t.next_expiry > ",
        );
        out.push_bind_param::<BigInt, _>(&self.at)?;
        out.push_sql(") RETURNING 1) SELECT 1 / (count(*) = ");
        out.push_bind_param::<BigInt, _>(&self.count)?;
        out.push_sql(")::int FROM moved");
        Ok(())
    }
}

/// The rows of the arrays. In the list of a `SELECT` they come one by one, in step; as a table in `FROM` each array would be
/// copied first.
fn select<'b, R: Columns>(columns: &'b [Column], out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
    R::bind(
        columns,
        out,
        |place, out| {
            out.push_sql(if place == 0 { "SELECT unnest(" } else { ", unnest(" });
        },
        |place, out| {
            out.push_sql(") AS ");
            out.push_sql(R::COLUMNS.get(place).copied().unwrap_or_default());
        },
    )
}
