//! The stock of one SKU from its moves alone, without guards.

use alloc::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::ids::{OrderId, Sku};
use crate::stock::{Reservation, StockAction, StockLevel};

#[derive(Clone, Debug, Default)]
pub(super) struct ReplayedStock {
    on_hand: i64,
    reorder_threshold: Option<i64>,
    version: u64,
    reservations: BTreeMap<OrderId, Reservation>,
    reserved: i64,
    /// A lower bound of the expiry of all reservations.
    next_expiry: Option<DateTime<Utc>>,
    /// The version at which more was reserved than on hand, which no decision of this engine can cause.
    overdrawn: Option<u64>,
}

impl ReplayedStock {
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

    /// Applies a move that was made at an instant.
    pub(super) fn follow(&mut self, action: &StockAction, at: DateTime<Utc>) {
        if self.next_expiry.is_some_and(|next| next <= at) {
            self.expire_reservations(at);
        }
        self.version = self.version.saturating_add(1);
        match action {
            StockAction::Reserve { order, units, until } => {
                let new = Reservation { units: *units, until: Some(*until) };
                let reservation =
                    self.reservations.get(order).map_or(new, |reservation| reservation.and(*units, Some(*until)));
                self.reservation(*order, reservation);
            }
            StockAction::Extend { order, units, until } => {
                let again = Reservation { units: *units, until: Some(*until) };
                let later = self.reservations.get(order).map_or(again, |known| known.and(0, Some(*until)));
                self.reservation(*order, later);
            }
            StockAction::Confirm { order, units } => {
                let units = self.reservations.get(order).map_or(*units, |reservation| reservation.units);
                self.reservation(*order, Reservation { units, until: None });
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
        self.expire_blocking_reservations(action.order());
        if self.reserved > self.on_hand {
            self.overdrawn = self.overdrawn.or(Some(self.version));
        }
    }

    fn reservation(&mut self, order: OrderId, reservation: Reservation) {
        self.release(order);
        self.reserved = self.reserved.saturating_add(reservation.units);
        self.next_expiry = reservation.until.into_iter().chain(self.next_expiry).min();
        self.reservations.insert(order, reservation);
    }

    fn release(&mut self, order: OrderId) {
        let units = self.reservations.remove(&order).map_or(0, |reservation| reservation.units);
        self.reserved = self.reserved.saturating_sub(units);
    }

    fn expire_reservations(&mut self, at: DateTime<Utc>) {
        self.reservations.retain(|_, reservation| reservation.counts(at));
        self.reserved = self.reservations.values().fold(0, |sum, reservation| reservation.units.saturating_add(sum));
        self.next_expiry = self.reservations.values().filter_map(|reservation| reservation.until).min();
    }

    /// The move was made, so no reservation can have blocked it: blocking ones had expired, and a commit that is not in
    /// the history, or one with a faster clock, has removed them.
    fn expire_blocking_reservations(&mut self, of: Option<OrderId>) {
        while self.reserved > self.on_hand {
            let others = self.reservations.iter().filter(|(order, _)| Some(**order) != of);
            let ends = others.filter_map(|(order, reservation)| Some((reservation.until?, *order)));
            let Some((_, order)) = ends.min() else { return };
            self.release(order);
        }
    }

    /// The reservations that count at an instant.
    pub(super) fn reservations(&self, at: DateTime<Utc>) -> impl Iterator<Item = (OrderId, Reservation)> {
        let all = self.reservations.iter().map(|(order, reservation)| (*order, *reservation));
        all.filter(move |(_, reservation)| reservation.counts(at))
    }

    pub(super) fn level(&self, sku: &Sku, at: DateTime<Utc>) -> StockLevel {
        let reserved = self.reservations(at).fold(0, |sum, (_, reservation)| reservation.units.saturating_add(sum));
        let next_expiry = self.reservations(at).filter_map(|(_, reservation)| reservation.until).min();
        StockLevel { reserved, next_expiry, ..self.as_moved(sku) }
    }

    /// The level after the last move.
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

    /// The reservations after the last move.
    pub(super) const fn all_reservations(&self) -> &BTreeMap<OrderId, Reservation> {
        &self.reservations
    }
}
