//! Uses of promotions.

use std::collections::BTreeMap;

use commerce_core::ids::{OrderId, PromotionId};
use commerce_core::promotion::{RedemptionChange, Tally, UsesChange};

use super::super::{Answer, Conn, dialect};
use crate::rows::micros;
use crate::rows::promotion::{CustomerUsesRow, GivenBackRow, RedemptionRow, UsesRow};

/// Writes the uses that changed, in the order of promotions.
pub(in super::super) async fn write_tallies(conn: &mut Conn, tallies: &BTreeMap<PromotionId, Tally>) -> Answer<()> {
    let rows = Rows::of(tallies);
    dialect::together!(conn;
        () = dialect::insert_each(conn, rows.new_uses),
        () = dialect::update_each(conn, rows.uses),
        () = dialect::insert_each(conn, rows.new_customers),
        () = dialect::update_each(conn, rows.customers),
        () = dialect::insert_each(conn, rows.redemptions.into_values()),
        () = dialect::update_each(conn, rows.given_back),
    );
    Ok(())
}

#[derive(Default)]
struct Rows<'a> {
    new_uses: Vec<UsesRow<'a>>,
    uses: Vec<UsesRow<'a>>,
    new_customers: Vec<CustomerUsesRow<'a>>,
    customers: Vec<CustomerUsesRow<'a>>,
    redemptions: BTreeMap<(&'a PromotionId, OrderId), RedemptionRow<'a>>,
    given_back: Vec<GivenBackRow<'a>>,
}

impl<'a> Rows<'a> {
    fn of(tallies: &'a BTreeMap<PromotionId, Tally>) -> Self {
        let changed = tallies.iter().filter(|(_, tally)| !tally.changes().is_empty());
        changed.fold(Self::default(), |mut rows, (id, tally)| {
            let uses = if tally.is_new() { &mut rows.new_uses } else { &mut rows.uses };
            uses.push(UsesRow::of(id, tally.used(), tally.spent()));
            for change in tally.uses_changes() {
                rows.count(id, change);
            }
            for change in tally.changes() {
                rows.redeem(id, change);
            }
            rows
        })
    }

    fn count(&mut self, id: &'a PromotionId, change: UsesChange<'a>) {
        match change {
            UsesChange::Add(user, used) => self.new_customers.push(CustomerUsesRow::of(id, user, used)),
            UsesChange::Update(user, used) => self.customers.push(CustomerUsesRow::of(id, user, used)),
        }
    }

    /// What was redeemed and given back in one batch is written once.
    fn redeem(&mut self, id: &'a PromotionId, change: &'a RedemptionChange) {
        match change {
            RedemptionChange::Add(redemption) => {
                self.redemptions.insert((id, redemption.order), RedemptionRow::of(redemption));
            }
            RedemptionChange::GiveBack(redemption) => match self.redemptions.get_mut(&(id, redemption.order)) {
                Some(row) => row.given_back_at = redemption.given_back_at.map(micros),
                None => self.given_back.push(GivenBackRow::of(redemption)),
            },
        }
    }
}
