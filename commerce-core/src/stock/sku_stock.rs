//! The moves of one sku's stock, and the changes that a store writes.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use super::{MAX_ON_HAND, Reservation, StockAction, StockEvent, StockLevel, StockRefusal};
use crate::ids::OrderId;

/// The level of one SKU with the reservations that a decision needs.
///
/// A store loads the reservations of the orders that move, and the reservations due at the time of the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkuStock {
    level: StockLevel,
    reservations: BTreeMap<OrderId, Reservation>,
    loaded: BTreeMap<OrderId, Reservation>,
    next_expiry: Option<DateTime<Utc>>,
    before: Figures,
    changed: bool,
}

/// The part of a level that moves change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Figures {
    on_hand: i64,
    reserved: i64,
    reorder_threshold: Option<i64>,
    next_expiry: Option<DateTime<Utc>>,
    version: u64,
}

impl Figures {
    const fn of(level: &StockLevel) -> Self {
        let StockLevel { on_hand, reserved, reorder_threshold, next_expiry, version, sku: _ } = *level;
        Self { on_hand, reserved, reorder_threshold, next_expiry, version }
    }
}

/// Units that reservations alone took from a sku's stock, far from every limit.
///
/// If none of the reservations was refused they commute. A store may apply them to a level that has been changed
/// meanwhile if that level still fits: it has the same threshold, no expired reservation, and at least
/// `least_available` units. The decision would have been the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct UncontendedReservation {
    pub units: i64,
    /// The number of moves, by which the version grows.
    pub steps: u64,
    /// When the first of the new reservations expires.
    pub next_expiry: DateTime<Utc>,
    /// The required threshold.
    pub reorder_threshold: Option<i64>,
    /// The required available units before the moves.
    pub least_available: i64,
}

impl UncontendedReservation {
    /// Whether the decision would be the same on another level. Stores that do not lock a level before they write it
    /// check this rule in SQL, and a test compares their SQL with this method.
    pub fn fits(&self, level: &StockLevel, at: DateTime<Utc>) -> bool {
        level.available() >= self.least_available
            && level.reorder_threshold == self.reorder_threshold
            && level.next_expiry.is_none_or(|next| next > at)
    }
}

/// A sku's stock before one move, restored if a later move of the same commit is refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StockSavepoint {
    figures: Figures,
    reservation: Option<(OrderId, Option<Reservation>)>,
    changed: bool,
}

/// A change of one reservation, for a store to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ReservationChange {
    Add(OrderId, Reservation),
    Update(OrderId, Reservation),
    Remove(OrderId),
}

impl SkuStock {
    /// A level and the reservations that a decision needs. No reservation that was *not* loaded may expire before
    /// `next_expiry`.
    ///
    /// If the level's own `next_expiry` is after the decision, nothing is due and it can be used. Otherwise the store
    /// loads all reservations that are due, and gives the earliest expiry of the others.
    pub fn new(
        level: StockLevel,
        reservations: BTreeMap<OrderId, Reservation>,
        next_expiry: Option<DateTime<Utc>>,
    ) -> Self {
        let before = Figures::of(&level);
        Self { level, loaded: reservations.clone(), reservations, next_expiry, before, changed: false }
    }

    /// The reserved units, if reservations were the only moves and they can be applied to another level. This also
    /// requires that no move was refused, which the stock does not know.
    pub fn uncontended(&self, at: DateTime<Utc>) -> Option<UncontendedReservation> {
        let (before, level) = (&self.before, &self.level);
        let reorder_threshold = before.reorder_threshold;
        let same = level.on_hand == before.on_hand && level.reorder_threshold == reorder_threshold;
        let due = before.next_expiry.is_some_and(|next| next <= at);
        if !same || due || before.version == 0 || !self.loaded.is_empty() {
            return None;
        }
        let ends: Option<Vec<_>> = self.reservations.values().map(|reservation| reservation.until).collect();
        let border = reorder_threshold.unwrap_or_default().max(0);
        let units = level.reserved.checked_sub(before.reserved)?;
        (level.available() > border).then_some(UncontendedReservation {
            units,
            steps: level.version.checked_sub(before.version)?,
            next_expiry: ends?.into_iter().min().filter(|end| *end > at)?,
            reorder_threshold,
            least_available: border.checked_add(units)?.checked_add(1)?,
        })
    }

    /// The version of the level when it was loaded; 0 for a SKU that was never stocked.
    pub const fn loaded_version(&self) -> u64 {
        self.before.version
    }

    /// Whether the level differs from the loaded one.
    pub const fn is_changed(&self) -> bool {
        self.changed
    }

    /// Removes expired reservations and copies the state that an action may change.
    pub(crate) fn savepoint(&mut self, action: &StockAction, at: DateTime<Utc>) -> StockSavepoint {
        self.expire_reservations(at);
        StockSavepoint {
            figures: Figures::of(&self.level),
            reservation: action.order().map(|order| (order, self.reservations.get(&order).copied())),
            changed: self.changed,
        }
    }

    /// Restores the state.
    pub(crate) fn restore(&mut self, savepoint: StockSavepoint) {
        let Figures { on_hand, reserved, reorder_threshold, next_expiry, version } = savepoint.figures;
        let level = &mut self.level;
        (level.on_hand, level.reserved, level.reorder_threshold) = (on_hand, reserved, reorder_threshold);
        (level.next_expiry, level.version, self.changed) = (next_expiry, version, savepoint.changed);
        if let Some((order, reservation)) = savepoint.reservation {
            self.reservations.remove(&order);
            self.reservations.extend(reservation.map(|reservation| (order, reservation)));
        }
    }

    /// The level after the moves so far.
    pub const fn level(&self) -> &StockLevel {
        &self.level
    }

    /// The loaded and added reservations after the moves so far.
    pub const fn reservations(&self) -> &BTreeMap<OrderId, Reservation> {
        &self.reservations
    }

    /// The changes of reservations since they were loaded.
    pub fn reservation_changes(&self) -> Vec<ReservationChange> {
        let gone = self
            .loaded
            .keys()
            .filter(|order| !self.reservations.contains_key(order))
            .map(|o| ReservationChange::Remove(*o));
        let kept = self.reservations.iter().filter_map(|(order, reservation)| match self.loaded.get(order) {
            None => Some(ReservationChange::Add(*order, *reservation)),
            Some(old) if old != reservation => Some(ReservationChange::Update(*order, *reservation)),
            Some(_) => None,
        });
        gone.chain(kept).collect()
    }

    /// Removes the expired reservations.
    pub fn expire_reservations(&mut self, at: DateTime<Utc>) {
        if self.level.next_expiry.is_none_or(|next| next > at) {
            return;
        }
        let level = &mut self.level;
        self.reservations.retain(|_, reservation| {
            let ended = reservation.until.is_some_and(|until| until <= at);
            if ended {
                level.reserved = level.reserved.saturating_sub(reservation.units);
            }
            !ended
        });
        self.refresh_expiry();
        self.changed = true;
    }

    /// The level at a later instant, without the reservations that expire until then.
    pub fn level_at(&self, at: DateTime<Utc>) -> StockLevel {
        let mut later = self.clone();
        later.expire_reservations(at);
        later.level
    }

    /// Removes expired reservations, makes one move and returns its events for the history.
    ///
    /// # Errors
    /// [`StockRefusal`]. Expired reservations may have been removed; nothing else has changed.
    pub fn apply(&mut self, action: &StockAction, at: DateTime<Utc>) -> Result<Vec<StockEvent>, StockRefusal> {
        let savepoint = self.savepoint(action, at);
        let before = self.level.available();
        let event = self.make(action).inspect_err(|_| self.restore(savepoint))?;
        let notice = self.notice(before);
        let events: Vec<_> = event.into_iter().chain(notice).collect();
        let numbers = u64::try_from(events.len()).unwrap_or(1).max(1);
        self.level.version = self.level.version.saturating_add(numbers);
        self.changed = true;
        Ok(events)
    }

    fn make(&mut self, action: &StockAction) -> Result<Option<StockEvent>, StockRefusal> {
        match action {
            StockAction::Reserve { order, units, until } => self.reserve(*order, *units, Some(*until))?,
            StockAction::Extend { order, units, until } => self.extend(*order, *units, *until)?,
            StockAction::Confirm { order, units } => self.confirm(*order, *units)?,
            StockAction::Release { order } => self.release(*order),
            StockAction::Fulfil { order, units } => self.fulfil(*order, *units)?,
            StockAction::Restock { units } => self.put(self.level.on_hand.saturating_add(*units))?,
            StockAction::Set { on_hand, reorder_threshold, expected } => {
                self.expect(*expected)?;
                self.put(*on_hand)?;
                self.level.reorder_threshold = reorder_threshold.or(self.level.reorder_threshold);
                return Ok(Some(StockEvent::Set { on_hand: *on_hand, reorder_threshold: *reorder_threshold }));
            }
            StockAction::Adjust { delta, reason, expected } => {
                self.expect(*expected)?;
                self.put(self.level.on_hand.saturating_add(*delta))?;
                return Ok(Some(StockEvent::Adjusted { delta: *delta, reason: reason.clone() }));
            }
        }
        Ok(None)
    }

    fn reserve(&mut self, order: OrderId, units: i64, until: Option<DateTime<Utc>>) -> Result<(), StockRefusal> {
        let available = self.level.available();
        if units > available {
            return Err(StockRefusal::OutOfStock { sku: self.level.sku.clone(), asked: units, available });
        }
        self.level.reserved = self.level.reserved.saturating_add(units);
        let reservation = self
            .reservations
            .get(&order)
            .map_or(Reservation { units, until }, |reservation| reservation.and(units, until));
        self.reservations.insert(order, reservation);
        self.refresh_expiry();
        Ok(())
    }

    fn extend(&mut self, order: OrderId, units: i64, until: DateTime<Utc>) -> Result<(), StockRefusal> {
        match self.reservations.get_mut(&order) {
            Some(reservation) => *reservation = reservation.and(0, Some(until)),
            None => self.reserve(order, units, Some(until))?,
        }
        self.refresh_expiry();
        Ok(())
    }

    fn confirm(&mut self, order: OrderId, units: i64) -> Result<(), StockRefusal> {
        match self.reservations.get_mut(&order) {
            Some(reservation) => reservation.until = None,
            None => self.reserve(order, units, None)?,
        }
        self.refresh_expiry();
        Ok(())
    }

    fn release(&mut self, order: OrderId) {
        if let Some(reservation) = self.reservations.remove(&order) {
            self.level.reserved = self.level.reserved.saturating_sub(reservation.units);
            self.refresh_expiry();
        }
    }

    fn fulfil(&mut self, order: OrderId, units: i64) -> Result<(), StockRefusal> {
        self.confirm(order, units)?;
        self.release(order);
        self.put(self.level.on_hand.saturating_sub(units))
    }

    fn put(&mut self, on_hand: i64) -> Result<(), StockRefusal> {
        let (sku, reserved) = (&self.level.sku, self.level.reserved);
        if !(0..=MAX_ON_HAND).contains(&on_hand) {
            return Err(StockRefusal::OutOfRange { sku: sku.clone() });
        }
        if on_hand < reserved {
            return Err(StockRefusal::BelowReserved { sku: sku.clone(), on_hand, reserved });
        }
        self.level.on_hand = on_hand;
        Ok(())
    }

    fn expect(&self, expected: Option<u64>) -> Result<(), StockRefusal> {
        match expected {
            Some(expected) if expected != self.level.version => {
                Err(StockRefusal::VersionMismatch { sku: self.level.sku.clone(), expected, actual: self.level.version })
            }
            _ => Ok(()),
        }
    }

    /// A notice is given when a limit is crossed downwards, not for every sale below it.
    fn notice(&self, before: i64) -> Option<StockEvent> {
        let available = self.level.available();
        if available >= before {
            return None;
        }
        let crossed = |border: i64| before > border && available <= border;
        match self.level.reorder_threshold {
            _ if crossed(0) => Some(StockEvent::OutOfStock),
            Some(threshold) if crossed(threshold) => Some(StockEvent::LowStock { available }),
            _ => None,
        }
    }

    fn refresh_expiry(&mut self) {
        let ends = self.reservations.values().filter_map(|reservation| reservation.until);
        self.level.next_expiry = ends.chain(self.next_expiry).min();
    }
}

#[cfg(test)]
#[path = "../../tests/unit/taking.rs"]
mod taking;
