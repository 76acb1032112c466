//! Uncontended reservations.

use diesel::mysql::Mysql;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::BigInt;
use diesel_bulk::Insert;

use crate::rows::stock::UncontendedReservationRow;

/// Reserves units on levels that [fit](commerce_core::stock::UncontendedReservation::fits). Each row is an insert that meets
/// the existing level.
///
/// The server counts a changed row twice. It counts an unchanged row, or a missing one that it inserts, once.
#[derive(Debug)]
pub(crate) struct Take<'r> {
    rows: Insert<'r, UncontendedReservationRow<'r>, Mysql>,
    at: i64,
}

impl<'r> Take<'r> {
    /// The statements for the rows.
    pub(crate) fn pieces(rows: &'r [UncontendedReservationRow<'r>], at: i64) -> impl Iterator<Item = Self> {
        Insert::pieces(rows).map(move |rows| Self { rows, at })
    }

    /// The number of rows that the server counts if every level fits.
    pub(crate) const fn all(&self) -> usize {
        2 * self.rows.len()
    }
}

impl QueryId for Take<'_> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Mysql> for Take<'_> {
    /// If a level does not fit, no column changes: each condition reads only columns that are assigned after it.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        self.rows.walk_ast(out.reborrow())?;
        let columns = [
            (" ON DUPLICATE KEY UPDATE version = ", "stock.version + VALUES(version), stock.version)"),
            (
                ", next_expiry = ",
                "LEAST(COALESCE(stock.next_expiry, VALUES(next_expiry)), VALUES(next_expiry)), stock.next_expiry)",
            ),
            (", reserved = ", "stock.reserved + VALUES(reserved), stock.reserved)"),
        ];
        for (column, value) in columns {
            out.push_sql(column);
            out.push_sql(
                "IF(stock.on_hand - stock.reserved >= VALUES(on_hand) AND stock.reorder_threshold <=> VALUES(reorder_threshold) \
                 AND (stock.next_expiry IS NULL OR stock.next_expiry > ",
            );
            out.push_bind_param::<BigInt, _>(&self.at)?;
            out.push_sql("), ");
            out.push_sql(value);
        }
        Ok(())
    }
}
