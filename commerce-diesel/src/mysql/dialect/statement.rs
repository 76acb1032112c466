//! Statements on many rows. Each is found by its text, so there are few lengths, and all stay prepared.

use diesel::mysql::Mysql;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::rows::stock::UncontendedReservationRow;
use crate::rows::table::Bind;

/// The most rows that one statement inserts.
pub(crate) const MOST_INSERTED: usize = 384;

/// The most rows that one statement updates: it compares each with half of them.
pub(crate) const MOST_UPDATED: usize = 64;

/// So few rows are written by one statement, however many they are.
const FEW: usize = 16;

/// More rows come in multiples of this many.
const MANY: usize = 128;

/// How many of some rows are written by one statement: one of few lengths.
pub(crate) const fn whole(rows: usize) -> usize {
    match rows {
        few @ ..FEW => few,
        some @ FEW..MANY => some - some % FEW,
        many @ MANY.. => many - many % MANY,
    }
}

/// Cuts rows into pieces of few lengths, the longest first; few rows are one piece.
pub(crate) fn pieces<R>(rows: &[R], most: usize) -> impl Iterator<Item = &[R]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let (piece, behind) =
            rest.split_at_checked(whole(rest.len()).min(most)).filter(|(piece, _)| !piece.is_empty())?;
        rest = behind;
        Some(piece)
    })
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name<'r, R>(pub(crate) &'r [R]);

        impl<R> QueryId for $name<'_, R> {
            type QueryId = ();

            const HAS_STATIC_QUERY_ID: bool = false;
        }
    )*};
}

statements! {
    /// `INSERT`.
    Insert
    /// `INSERT` of events whose positions are counted from behind the last one.
    Append
    /// `INSERT`, where there is no row of that key yet.
    InsertMissing
    /// `UPDATE` of all columns but the key.
    Update
}

impl<R: Bind<Mysql>> QueryFragment<Mysql> for Insert<'_, R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        insert(self.0, "", &mut out)
    }
}

impl<R: Bind<Mysql>> QueryFragment<Mysql> for Append<'_, R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        insert(self.0, "LAST_INSERT_ID() + ", &mut out)
    }
}

impl<R: Bind<Mysql>> QueryFragment<Mysql> for InsertMissing<'_, R> {
    /// `IGNORE` would take more than a known key for none of its business.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        insert(self.0, "", &mut out)?;
        let key = R::COLUMNS.first().copied().unwrap_or_default();
        out.push_sql(" ON DUPLICATE KEY UPDATE ");
        out.push_sql(key);
        out.push_sql(" = ");
        out.push_sql(R::TABLE);
        out.push_sql(".");
        out.push_sql(key);
        Ok(())
    }
}

/// Inserts rows, the first column of each behind what is added to it.
fn insert<'b, R: Bind<Mysql>>(rows: &'b [R], base: &str, out: &mut AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
    out.push_sql(R::INSERT);
    for (number, row) in rows.iter().enumerate() {
        out.push_sql(if number == 0 { "VALUES (" } else { "), (" });
        row.bind(0..R::COLUMNS.len(), out, |place, out| out.push_sql(if place == 0 { base } else { ", " }))?;
    }
    out.push_sql(")");
    Ok(())
}

/// `UPDATE t SET a = CASE k WHEN ? THEN ? … END, … WHERE k IN (?, …)`. A join with a list of rows takes longer, and an insert on
/// duplicate keys needs whole rows.
impl<R: Bind<Mysql>> QueryFragment<Mysql> for Update<'_, R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        out.push_sql(R::TABLE);
        for (place, column) in R::COLUMNS.iter().enumerate().skip(R::KEY) {
            out.push_sql(if place == R::KEY { " SET " } else { ", " });
            out.push_sql(column);
            out.push_sql(" = ");
            match self.0 {
                [row] => value(row, place, &mut out)?,
                rows => choose(rows, place, &mut out)?,
            }
        }
        out.push_sql(" WHERE ");
        match self.0 {
            [row] => is_key(row, &mut out),
            rows => is_among(rows, &mut out),
        }
    }
}

/// Takes units from levels that fit. Each row is an insert that meets the level as it is; one that does not fit gets a number
/// that its column refuses. Where a level is missing one is made, which the count of rows tells.
#[derive(Debug)]
pub(crate) struct Take<'r>(pub(crate) &'r [UncontendedReservationRow<'r>], pub(crate) i64);

impl QueryId for Take<'_> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Mysql> for Take<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        let Self(rows, at) = self;
        out.push_sql("INSERT INTO stock (sku, on_hand, reserved, reorder_threshold, next_expiry, version) VALUES (");
        for (number, row) in rows.iter().enumerate() {
            out.push_sql(if number == 0 { "" } else { "), (" });
            out.push_bind_param::<Text, _>(&row.sku)?;
            for value in [&row.least_available, &row.units] {
                out.push_sql(", ");
                out.push_bind_param::<BigInt, _>(value)?;
            }
            out.push_sql(", ");
            out.push_bind_param::<Nullable<BigInt>, _>(&row.reorder_threshold)?;
            for value in [&row.next_expiry, &row.steps] {
                out.push_sql(", ");
                out.push_bind_param::<BigInt, _>(value)?;
            }
        }
        out.push_sql(
            ") ON DUPLICATE KEY UPDATE reserved = IF(stock.on_hand - stock.reserved >= VALUES(on_hand) \
             AND stock.reorder_threshold <=> VALUES(reorder_threshold) \
             AND (stock.next_expiry IS NULL OR stock.next_expiry > ",
        );
        out.push_bind_param::<BigInt, _>(at)?;
        out.push_sql(
            "), stock.reserved + VALUES(reserved), -1), version = stock.version + VALUES(version), \
             next_expiry = LEAST(COALESCE(stock.next_expiry, VALUES(next_expiry)), VALUES(next_expiry))",
        );
        Ok(())
    }
}

/// The value of a column of whichever row it is.
fn choose<'b, R: Bind<Mysql>>(rows: &'b [R], place: usize, out: &mut AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
    out.push_sql("CASE");
    // With one column to compare, naming it once is twice as quick.
    let [key] = R::COLUMNS.get(..R::KEY).unwrap_or_default() else {
        for row in rows {
            out.push_sql(" WHEN ");
            is_key(row, out)?;
            out.push_sql(" THEN ");
            value(row, place, out)?;
        }
        out.push_sql(" END");
        return Ok(());
    };
    out.push_sql(" ");
    out.push_sql(key);
    for row in rows {
        out.push_sql(" WHEN ");
        value(row, 0, out)?;
        out.push_sql(" THEN ");
        value(row, place, out)?;
    }
    out.push_sql(" END");
    Ok(())
}

fn value<'b, R: Bind<Mysql>>(row: &'b R, place: usize, out: &mut AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
    row.bind(place..place + 1, out, |_, _| ())
}

/// `k = ? AND …`
fn is_key<'b, R: Bind<Mysql>>(row: &'b R, out: &mut AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
    row.bind(0..R::KEY, out, |place, out| {
        out.push_sql(if place == 0 { "" } else { " AND " });
        out.push_sql(R::COLUMNS.get(place).copied().unwrap_or_default());
        out.push_sql(" = ");
    })
}

/// `(k, …) IN ((?, …), …)`
fn is_among<'b, R: Bind<Mysql>>(rows: &'b [R], out: &mut AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
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

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn pieces_have_few_lengths_and_are_in_order() {
        let lengths: [(usize, &[usize]); 5] =
            [(0, &[]), (11, &[11]), (26, &[16, 10]), (95, &[80, 15]), (300, &[256, 32, 12])];
        for (count, expected) in lengths {
            let rows: Vec<usize> = (0..count).collect();
            let pieces: Vec<&[usize]> = pieces(&rows, 384).collect();
            assert_eq!(pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>(), expected);
            assert_eq!(pieces.concat(), rows);
        }
    }
}
