//! Uses of promotions.

use std::collections::BTreeMap;

use commerce_core::ids::{OrderId, PromotionId};
use commerce_core::promotion::{RedemptionChange, UsageCounter};

use super::super::loaded_state::{Late, Writable};
use super::super::{Answer, Conn, dialect};
use crate::rows::micros;
use crate::rows::promotion::{RedemptionRow, ReleasedRow, UsesRow};

/// Writes the uses that changed, in the order of promotions, except counters that exist.
pub(super) async fn write(conn: &mut Conn, usage_counters: &BTreeMap<PromotionId, UsageCounter>) -> Answer<()> {
    let rows = Rows::of(usage_counters);
    dialect::pipeline!(conn;
        () = dialect::insert_together(conn, rows.redemptions.into_values()),
        () = dialect::update_together(conn, rows.given_back),
        () = dialect::insert_together(conn, rows.new_uses),
    );
    Ok(())
}

/// Writes the counters that exist and are locked.
pub(super) async fn write_locked(conn: &mut Conn, settled: &Writable) -> Answer<()> {
    match &settled.uses {
        Late::Never => Ok(dialect::update_together(conn, Rows::of(&settled.state.usage_counters).uses).await?),
        Late::Adding(_) => Ok(()),
    }
}

/// Adds to counters that are not locked yet.
pub(super) async fn add(conn: &mut Conn, settled: &Writable) -> Answer<()> {
    match &settled.uses {
        Late::Never => Ok(()),
        Late::Adding(added) => dialect::add_uses(conn, added).await,
    }
}

/// The redemptions that are new.
pub(in super::super) fn redemptions(usage_counters: &BTreeMap<PromotionId, UsageCounter>) -> Vec<RedemptionRow<'_>> {
    Rows::of(usage_counters).redemptions.into_values().collect()
}

#[derive(Default)]
struct Rows<'a> {
    new_uses: Vec<UsesRow<'a>>,
    uses: Vec<UsesRow<'a>>,
    redemptions: BTreeMap<(&'a PromotionId, OrderId), RedemptionRow<'a>>,
    given_back: Vec<ReleasedRow<'a>>,
}

impl<'a> Rows<'a> {
    fn of(usage_counters: &'a BTreeMap<PromotionId, UsageCounter>) -> Self {
        let changed = usage_counters.iter().filter(|(_, counter)| !counter.changes().is_empty());
        changed.fold(Self::default(), |mut rows, (id, counter)| {
            let uses = if counter.is_new() { &mut rows.new_uses } else { &mut rows.uses };
            uses.push(UsesRow::of(id, counter.used(), counter.spent()));
            for change in counter.changes() {
                rows.redeem(id, change);
            }
            rows
        })
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
