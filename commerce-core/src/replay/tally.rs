//! The stock of one sku as moves alone make it: no guard refuses any.

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
    /// The sum of the holds.
    reserved: i64,
    /// No hold ends before this instant.
    next_expiry: Option<DateTime<Utc>>,
    /// The version at which more was promised than there was, which no decision of this engine can have brought about.
    overdrawn: Option<u64>,
}

impl Tally {
    pub(super) const fn overdrawn(&self) -> Option<u64> {
        self.overdrawn
    }

    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    /// Takes over the number of a recorded event. Moves of the same commit may be ahead of it.
    pub(super) fn number(&mut self, sequence: u64) {
        self.version = self.version.max(sequence);
    }

    /// Follows a move that was made at an instant.
    pub(super) fn follow(&mut self, action: &StockAction, at: DateTime<Utc>) {
        if self.next_expiry.is_some_and(|next| next <= at) {
            self.sweep(at);
        }
        self.version = self.version.saturating_add(1);
        match action {
            StockAction::Reserve { order, units, until } => {
                let new = Hold { units: *units, until: Some(*until) };
                let hold = self.holds.get(order).map_or(new, |hold| hold.and(*units, Some(*until)));
                self.hold(*order, hold);
            }
            StockAction::Confirm { order, units } => {
                let units = self.holds.get(order).map_or(*units, |hold| hold.units);
                self.hold(*order, Hold { units, until: None });
            }
            StockAction::Release { order } => self.release(*order),
            StockAction::Fulfil { order, units } => {
                self.release(*order);
                self.on_hand = self.on_hand.saturating_sub(*units);
            }
            StockAction::Restock { units } => self.on_hand = self.on_hand.saturating_add(*units),
            StockAction::Set { on_hand, reorder_threshold, .. } => {
                self.on_hand = *on_hand;
                self.reorder_threshold = reorder_threshold.or(self.reorder_threshold);
            }
            StockAction::Adjust { delta, .. } => self.on_hand = self.on_hand.saturating_add(*delta),
        }
        self.sweep_what_was_in_the_way(action.order());
        if self.reserved > self.on_hand {
            self.overdrawn = self.overdrawn.or(Some(self.version));
        }
    }

    fn hold(&mut self, order: OrderId, hold: Hold) {
        self.release(order);
        self.reserved = self.reserved.saturating_add(hold.units);
        self.next_expiry = hold.until.into_iter().chain(self.next_expiry).min();
        self.holds.insert(order, hold);
    }

    fn release(&mut self, order: OrderId) {
        let units = self.holds.remove(&order).map_or(0, |hold| hold.units);
        self.reserved = self.reserved.saturating_sub(units);
    }

    fn sweep(&mut self, at: DateTime<Utc>) {
        self.holds.retain(|_, hold| hold.until.is_none_or(|until| until > at));
        self.reserved = self.holds.values().fold(0, |sum, hold| hold.units.saturating_add(sum));
        self.next_expiry = self.holds.values().filter_map(|hold| hold.until).min();
    }

    /// The move was made, so nothing stood in its way: whatever would have had ended, though a commit of which the history
    /// does not tell, or one with a clock that was ahead, has swept it.
    fn sweep_what_was_in_the_way(&mut self, of: Option<OrderId>) {
        while self.reserved > self.on_hand {
            let others = self.holds.iter().filter(|(order, _)| Some(**order) != of);
            let ends = others.filter_map(|(order, hold)| Some((hold.until?, *order)));
            let Some((_, order)) = ends.min() else { return };
            self.release(order);
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

    /// The level as the last move left it.
    pub(super) fn as_moved(&self, sku: &Sku) -> StockLevel {
        StockLevel {
            sku: sku.clone(),
            on_hand: self.on_hand,
            reserved: self.reserved,
            reorder_threshold: self.reorder_threshold,
            next_expiry: self.next_expiry,
            version: self.version,
        }
    }

    /// The holds as the last move left them.
    pub(super) const fn all_holds(&self) -> &BTreeMap<OrderId, Hold> {
        &self.holds
    }
}
