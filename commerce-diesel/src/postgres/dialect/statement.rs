//! Uncontended reservations and uses.

use std::collections::BTreeMap;

use commerce_core::ids::PromotionId;
use commerce_core::promotion::UncontendedUses;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Text};
use diesel_bulk::{Arrays, Rows};

use crate::rows::stock::UncontendedReservationRow;
use crate::rows::{counter, size};

/// The constraint that is violated if a level or a counter does not fit.
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

/// Adds uses to counters, if all of them [fit](UncontendedUses::fits). Otherwise the answer violates [`FITS`].
#[derive(Debug, Default, QueryId)]
pub(crate) struct AddUses {
    promotions: Vec<String>,
    uses: Vec<i64>,
    amounts: Vec<i64>,
    most_used: Vec<i64>,
    most_spent: Vec<i64>,
    count: i64,
}

impl AddUses {
    pub(crate) fn of(added: &BTreeMap<PromotionId, UncontendedUses>) -> Self {
        let mut all = Self { count: size(added.len()), ..Self::default() };
        for (promotion, added) in added {
            all.promotions.push(promotion.to_string());
            all.uses.push(counter(added.uses));
            all.amounts.push(added.amount);
            all.most_used.push(counter(added.most_used));
            all.most_spent.push(added.most_spent);
        }
        all
    }
}

impl QueryFragment<Pg> for AddUses {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "WITH moved AS (UPDATE promotion_uses AS t SET used = t.used + v.uses, spent = t.spent + v.amount FROM unnest(",
        );
        out.push_bind_param::<Array<Text>, _>(&self.promotions)?;
        for numbers in [&self.uses, &self.amounts, &self.most_used, &self.most_spent] {
            out.push_sql(", ");
            out.push_bind_param::<Array<BigInt>, _>(numbers)?;
        }
        out.push_sql(
            ") AS v (promotion_id, uses, amount, most_used, most_spent) WHERE t.promotion_id = v.promotion_id \
             AND t.used <= v.most_used AND t.spent <= v.most_spent RETURNING 1) SELECT (count(*) = ",
        );
        out.push_bind_param::<BigInt, _>(&self.count)?;
        out.push_sql(")::all_fit FROM moved");
        Ok(())
    }
}
