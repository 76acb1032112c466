//! Uncontended reservations and uses.

use commerce_core::ids::PromotionId;
use commerce_core::promotion::UncontendedUses;
use diesel::mysql::Mysql;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Text};
use diesel_bulk::Insert;

use crate::rows::counter;
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

/// Adds uses to a counter, if it [fits](UncontendedUses::fits).
#[derive(Debug, QueryId)]
pub(crate) struct AddUses {
    promotion: String,
    uses: i64,
    amount: i64,
    most_used: i64,
    most_spent: i64,
}

impl AddUses {
    pub(crate) fn of(promotion: &PromotionId, added: &UncontendedUses) -> Self {
        let UncontendedUses { uses, amount, most_used, most_spent } = *added;
        Self {
            promotion: promotion.to_string(),
            uses: counter(uses),
            amount,
            most_used: counter(most_used),
            most_spent,
        }
    }
}

impl QueryFragment<Mysql> for AddUses {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        out.push_sql("UPDATE promotion_uses SET used = used + ");
        out.push_bind_param::<BigInt, _>(&self.uses)?;
        out.push_sql(", spent = spent + ");
        out.push_bind_param::<BigInt, _>(&self.amount)?;
        out.push_sql(" WHERE promotion_id = ");
        out.push_bind_param::<Text, _>(&self.promotion)?;
        out.push_sql(" AND used <= ");
        out.push_bind_param::<BigInt, _>(&self.most_used)?;
        out.push_sql(" AND spent <= ");
        out.push_bind_param::<BigInt, _>(&self.most_spent)?;
        Ok(())
    }
}
