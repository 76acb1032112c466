//! The stock of one sku as moves alone make it: no guard, no sweeping.

use alloc::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::ids::{OrderId, Sku};
use crate::stock::{Hold, StockAction, StockLevel};

#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    on_hand: i64,
    reorder_threshold: Option<i64>,
    version: u64,
    holds: BTreeMap<OrderId, Hold>,
}

impl Tally {
    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    /// Takes over the number of a recorded event. Moves of the same commit may be ahead of it.
    pub(super) fn number(&mut self, sequence: u64) {
        self.version = self.version.max(sequence);
    }

    pub(super) fn follow(&mut self, action: &StockAction) {
        self.version = self.version.saturating_add(1);
        match action {
            StockAction::Reserve { order, units, until } => {
                let new = Hold { units: *units, until: Some(*until) };
                let hold = self.holds.get(order).map_or(new, |hold| hold.and(*units, Some(*until)));
                self.holds.insert(*order, hold);
            }
            StockAction::Confirm { order, units } => {
                self.holds.entry(*order).or_insert(Hold { units: *units, until: None }).until = None;
            }
            StockAction::Release { order } => {
                self.holds.remove(order);
            }
            StockAction::Fulfil { order, units } => {
                self.holds.remove(order);
                self.on_hand = self.on_hand.saturating_sub(*units);
            }
            StockAction::Restock { units } => self.on_hand = self.on_hand.saturating_add(*units),
            StockAction::Set { on_hand, reorder_threshold, .. } => {
                self.on_hand = *on_hand;
                self.reorder_threshold = reorder_threshold.or(self.reorder_threshold);
            }
            StockAction::Adjust { delta, .. } => self.on_hand = self.on_hand.saturating_add(*delta),
        }
    }

    /// The holds that count at an instant.
    pub(super) fn holds(&self, at: DateTime<Utc>) -> impl Iterator<Item = (OrderId, Hold)> {
        let counts = move |hold: &Hold| hold.until.is_none_or(|until| until > at);
        self.holds.iter().map(|(order, hold)| (*order, *hold)).filter(move |(_, hold)| counts(hold))
    }

    pub(super) fn level(&self, sku: &Sku, at: DateTime<Utc>) -> StockLevel {
        StockLevel {
            sku: sku.clone(),
            on_hand: self.on_hand,
            reserved: self.holds(at).fold(0, |sum, (_, hold)| hold.units.saturating_add(sum)),
            reorder_threshold: self.reorder_threshold,
            next_expiry: self.holds(at).filter_map(|(_, hold)| hold.until).min(),
            version: self.version,
        }
    }
}
