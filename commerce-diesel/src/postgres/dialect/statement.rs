//! Uncontended reservations.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::BigInt;
use diesel_bulk::{Arrays, Rows};

use crate::rows::size;
use crate::rows::stock::UncontendedReservationRow;

/// The constraint that is violated if a level does not fit.
pub(crate) const FITS: &str = "every_level_fits";

/// Reserves units on levels, if all of them [fit](commerce_core::stock::UncontendedReservation::fits). Otherwise the answer
/// violates [`FITS`]: `COMMIT` has been sent already, and only an error prevents it.
#[derive(Debug)]
pub(crate) struct Take<'r> {
    rows: Rows<'r, UncontendedReservationRow<'r>>,
    count: i64,
    at: i64,
}

impl<'r> Take<'r> {
    /// The statement, if there are rows.
    pub(crate) fn pieces(rows: &'r [UncontendedReservationRow<'r>], at: i64) -> impl Iterator<Item = Self> {
        (!rows.is_empty()).then(|| Self { rows: Rows(rows), count: size(rows.len()), at }).into_iter()
    }
}

impl QueryId for Take<'_> {
    type QueryId = Take<'static>;
}

impl QueryFragment<Pg> for Take<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "WITH moved AS (UPDATE stock AS t SET reserved = t.reserved + v.reserved, version = t.version + v.version, \
             next_expiry = least(t.next_expiry, v.next_expiry) FROM (",
        );
        UncontendedReservationRow::select(&self.rows, "", &mut out)?;
        out.push_sql(
            ") AS v WHERE t.sku = v.sku AND t.on_hand - t.reserved >= v.on_hand \
             AND t.reorder_threshold IS NOT DISTINCT FROM v.reorder_threshold AND (t.next_expiry IS NULL OR t.next_expiry > ",
        );
        out.push_bind_param::<BigInt, _>(&self.at)?;
        out.push_sql(") RETURNING 1) SELECT (count(*) = ");
        out.push_bind_param::<BigInt, _>(&self.count)?;
        out.push_sql(")::all_fit FROM moved");
        Ok(())
    }
}
