//! Uses of promotions.

use std::collections::BTreeMap;

use commerce_core::ids::{OrderId, PromotionId};
use commerce_core::promotion::{CustomerUsageChange, RedemptionChange, UsageCounter};

use super::super::{Answer, Conn, dialect};
use crate::rows::micros;
use crate::rows::promotion::{CustomerUsesRow, RedemptionRow, ReleasedRow, UsesRow};

/// Writes the uses that changed, in the order of promotions.
pub(in super::super) async fn write_usage_counters(
    conn: &mut Conn,
    usage_counters: &BTreeMap<PromotionId, UsageCounter>,
) -> Answer<()> {
    let rows = Rows::of(usage_counters);
    dialect::pipeline!(conn;
        () = dialect::insert_each(conn, rows.new_uses),
        () = dialect::update_each(conn, rows.uses),
        () = dialect::insert_each(conn, rows.new_customers),
        () = dialect::update_each(conn, rows.customers),
        () = dialect::insert_each(conn, rows.redemptions.into_values()),
        () = dialect::update_each(conn, rows.given_back),
    );
    Ok(())
}

/// The redemptions that are new.
pub(in super::super) fn redemptions(usage_counters: &BTreeMap<PromotionId, UsageCounter>) -> Vec<RedemptionRow<'_>> {
    Rows::of(usage_counters).redemptions.into_values().collect()
}

#[derive(Default)]
struct Rows<'a> {
    new_uses: Vec<UsesRow<'a>>,
    uses: Vec<UsesRow<'a>>,
    new_customers: Vec<CustomerUsesRow<'a>>,
    customers: Vec<CustomerUsesRow<'a>>,
    redemptions: BTreeMap<(&'a PromotionId, OrderId), RedemptionRow<'a>>,
    given_back: Vec<ReleasedRow<'a>>,
}

impl<'a> Rows<'a> {
    fn of(usage_counters: &'a BTreeMap<PromotionId, UsageCounter>) -> Self {
        let changed = usage_counters.iter().filter(|(_, counter)| !counter.changes().is_empty());
        changed.fold(Self::default(), |mut rows, (id, counter)| {
            let uses = if counter.is_new() { &mut rows.new_uses } else { &mut rows.uses };
            uses.push(UsesRow::of(id, counter.used(), counter.spent()));
            for change in counter.customer_usage_changes() {
                rows.count(id, change);
            }
            for change in counter.changes() {
                rows.redeem(id, change);
            }
            rows
        })
    }

    fn count(&mut self, id: &'a PromotionId, change: CustomerUsageChange<'a>) {
        match change {
            CustomerUsageChange::Add(user, used) => self.new_customers.push(CustomerUsesRow::of(id, user, used)),
            CustomerUsageChange::Update(user, used) => self.customers.push(CustomerUsesRow::of(id, user, used)),
        }
    }

    /// A redemption that is also released in this batch is written once.
    fn redeem(&mut self, id: &'a PromotionId, change: &'a RedemptionChange) {
        match change {
            RedemptionChange::Add(redemption) => {
                self.redemptions.insert((id, redemption.order), RedemptionRow::of(redemption));
            }
            RedemptionChange::Release(redemption) => match self.redemptions.get_mut(&(id, redemption.order)) {
                Some(row) => row.released_at = redemption.released_at.map(micros),
                None => self.given_back.push(ReleasedRow::of(redemption)),
            },
        }
    }
}
