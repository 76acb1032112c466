//! Stock: what is on hand, what of it is promised, and the guarded moves between.
//!
//! ```text
//!            reserve            confirm            fulfil
//! available ────────► held ───────────► confirmed ───────► gone
//!     ▲                │ release, expiry    │ release        │ restock
//!     └────────────────┴────────────────────┴────────────────┘
//! ```
//!
//! Moves are deltas with a guard, not read-modify-write: nobody conflicts on a popular sku for having read an old number,
//! and many commits can be settled in one transaction ([`crate::commit::settle`]).
//!
//! # Invariants
//! * `STK-1`: 0 ≤ reserved ≤ on hand.
//! * `STK-2`: reserved is the sum of the sku's holds that have not been swept.
//! * `STK-3`: a hold past its time never counts: every read and every move sweeps first.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ids::{OrderId, Sku};
use crate::text::Text;

/// The most units that can be on hand of one sku.
pub const MAX_ON_HAND: i64 = 1_000_000_000_000;

/// The stock of one sku.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockLevel {
    /// What is counted.
    pub sku: Sku,
    /// Units in the house.
    pub on_hand: i64,
    /// Units of those that are promised to orders.
    pub reserved: i64,
    /// At or below this many available units the sku is low.
    pub reorder_threshold: Option<i64>,
    /// No hold of this sku expires before this instant; none if no hold expires.
    pub next_expiry: Option<DateTime<Utc>>,
    /// Grows with every move. The sequence numbers of the sku's events are taken from it.
    pub version: u64,
}

impl StockLevel {
    /// A sku that was never stocked.
    pub const fn empty(sku: Sku) -> Self {
        Self { sku, on_hand: 0, reserved: 0, reorder_threshold: None, next_expiry: None, version: 0 }
    }

    /// Units that can be sold now.
    pub const fn available(&self) -> i64 {
        self.on_hand.saturating_sub(self.reserved)
    }

    /// Whether it is time to reorder.
    pub fn is_low(&self) -> bool {
        self.reorder_threshold.is_some_and(|threshold| self.available() <= threshold)
    }
}

/// Units promised to one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// How many.
    pub units: i64,
    /// Until when; a confirmed hold has no end.
    pub until: Option<DateTime<Utc>>,
}

impl Hold {
    /// The hold with more units for the same order: all of them stand until the later end.
    pub(crate) fn and(self, units: i64, until: Option<DateTime<Utc>>) -> Self {
        let until = self.until.zip(until).map(|(one, other)| one.max(other));
        Self { units: self.units.saturating_add(units), until }
    }
}

/// One guarded change of the stock of one sku.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockMove {
    /// What moves.
    pub sku: Sku,
    /// How.
    pub action: StockAction,
}

/// How stock moves. Units are positive; a delta has a sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StockAction {
    /// Promise units to an order until an instant. To one that holds some already, these come on top.
    Reserve {
        /// To which order.
        order: OrderId,
        /// How many.
        units: i64,
        /// Until when.
        until: DateTime<Utc>,
    },
    /// The order is paid: its hold no longer ends. If it has already ended, the units are taken anew.
    Confirm {
        /// Whose hold.
        order: OrderId,
        /// How many units, should they have to be taken anew.
        units: i64,
    },
    /// Take the promise back. Nothing happens where it has ended already.
    Release {
        /// Whose hold.
        order: OrderId,
    },
    /// The units leave the house.
    Fulfil {
        /// Whose hold.
        order: OrderId,
        /// How many.
        units: i64,
    },
    /// Units come back into the house and can be sold again.
    Restock {
        /// How many.
        units: i64,
    },
    /// Say how many are in the house.
    Set {
        /// Units on hand.
        on_hand: i64,
        /// The new threshold; none leaves the old one.
        reorder_threshold: Option<i64>,
        /// The version this was decided on, if the caller named one.
        expected: Option<u64>,
    },
    /// Receive or correct.
    Adjust {
        /// Units more (positive) or less (negative).
        delta: i64,
        /// Why.
        reason: Text<200>,
        /// The version this was decided on, if the caller named one.
        expected: Option<u64>,
    },
}

impl StockAction {
    /// The order whose hold the action touches.
    pub const fn order(&self) -> Option<OrderId> {
        match self {
            Self::Reserve { order, .. }
            | Self::Confirm { order, .. }
            | Self::Release { order }
            | Self::Fulfil { order, .. } => Some(*order),
            Self::Restock { .. } | Self::Set { .. } | Self::Adjust { .. } => None,
        }
    }
}

/// What the history keeps of stock beyond what order events say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StockEvent {
    /// Somebody said how many there are.
    Set {
        /// Units on hand.
        on_hand: i64,
        /// The new threshold, if one was given.
        reorder_threshold: Option<i64>,
    },
    /// Somebody received or corrected.
    Adjusted {
        /// Units more or less.
        delta: i64,
        /// Why.
        reason: Text<200>,
    },
    /// Available fell to the reorder threshold or below.
    Low {
        /// Units left.
        available: i64,
    },
    /// Nothing is available any more.
    Out,
}

impl StockEvent {
    /// The type under which it is published.
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::Set { .. } => "stock.set",
            Self::Adjusted { .. } => "stock.adjusted",
            Self::Low { .. } => "stock.low",
            Self::Out => "stock.out",
        }
    }

    /// The move that rebuilds the level from history; notices move nothing.
    pub fn replay(&self) -> Option<StockAction> {
        match self {
            Self::Set { on_hand, reorder_threshold } => {
                Some(StockAction::Set { on_hand: *on_hand, reorder_threshold: *reorder_threshold, expected: None })
            }
            Self::Adjusted { delta, reason } => {
                Some(StockAction::Adjust { delta: *delta, reason: reason.clone(), expected: None })
            }
            Self::Low { .. } | Self::Out => None,
        }
    }
}

/// Why a move is refused. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StockRefusal {
    /// Fewer units are available than asked for.
    #[error("{asked} of {sku} asked for, {available} available")]
    OutOfStock {
        /// Of what.
        sku: Sku,
        /// Units asked for.
        asked: i64,
        /// Units available.
        available: i64,
    },
    /// Fewer units would be on hand than are promised.
    #[error("{sku} would have {on_hand} on hand, {reserved} are reserved")]
    BelowReserved {
        /// Of what.
        sku: Sku,
        /// What would be on hand.
        on_hand: i64,
        /// What is promised.
        reserved: i64,
    },
    /// More units than [`MAX_ON_HAND`], or fewer than none.
    #[error("{sku}: units on hand are 0 to {MAX_ON_HAND}")]
    OutOfRange {
        /// Of what.
        sku: Sku,
    },
    /// The level changed since it was read.
    #[error("{sku} is at version {actual}, not {expected}")]
    Stale {
        /// Of what.
        sku: Sku,
        /// The version the caller named.
        expected: u64,
        /// The version it has.
        actual: u64,
    },
}

/// One sku's level with those of its holds that matter to a decision.
///
/// A store loads the holds of the orders that move, and the holds that are due at the time of the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    level: StockLevel,
    holds: BTreeMap<OrderId, Hold>,
    loaded: BTreeMap<OrderId, Hold>,
    next_expiry: Option<DateTime<Utc>>,
    before: Before,
    changed: bool,
}

/// The figures of a level as it was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Before {
    on_hand: i64,
    reserved: i64,
    reorder_threshold: Option<i64>,
    next_expiry: Option<DateTime<Utc>>,
    version: u64,
}

/// Units that were taken from a shelf by reservations alone, far from every border.
///
/// If none of them was refused they commute: a store may make them on a level that others have moved meanwhile, and would have been told the same,
/// if that level still fits: the same units on hand, the same threshold, no hold that has ended, and no more reserved than
/// `most_reserved`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// By how much more is reserved.
    pub units: i64,
    /// By how much the version grows.
    pub steps: u64,
    /// When the first of the new holds ends.
    pub next_expiry: DateTime<Utc>,
    /// What must be on hand.
    pub on_hand: i64,
    /// What the threshold must be.
    pub reorder_threshold: Option<i64>,
    /// The most that may be reserved already.
    pub most_reserved: i64,
}

/// A shelf as it was before one move, to go back to should a later move of the same commit be refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checkpoint {
    on_hand: i64,
    reserved: i64,
    reorder_threshold: Option<i64>,
    next_expiry: Option<DateTime<Utc>>,
    version: u64,
    hold: Option<(OrderId, Option<Hold>)>,
    changed: bool,
}

/// What a store has to write of one hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldChange {
    /// A new hold.
    Add(OrderId, Hold),
    /// A changed hold.
    Update(OrderId, Hold),
    /// The hold is gone.
    Remove(OrderId),
}

impl Shelf {
    /// A level and its relevant holds. No hold that was *not* loaded may end before `next_expiry`.
    ///
    /// Where the level's own `next_expiry` lies after the decision, nothing is due and it serves. Where it does not, the
    /// store loads all holds that are due, and gives the earliest end among the others.
    pub fn new(level: StockLevel, holds: BTreeMap<OrderId, Hold>, next_expiry: Option<DateTime<Utc>>) -> Self {
        let StockLevel { on_hand, reserved, reorder_threshold, next_expiry: expiry, version, sku: _ } = level;
        let before = Before { on_hand, reserved, reorder_threshold, next_expiry: expiry, version };
        Self { level, loaded: holds.clone(), holds, next_expiry, before, changed: false }
    }

    /// What was taken, if all that happened is that holds were added, and it can be made on another level as well. That is so
    /// only if no move was refused, which the shelf does not know.
    pub fn taken(&self, at: DateTime<Utc>) -> Option<Taken> {
        let (before, level) = (&self.before, &self.level);
        let (on_hand, reorder_threshold) = (before.on_hand, before.reorder_threshold);
        let same = level.on_hand == on_hand && level.reorder_threshold == reorder_threshold;
        let due = before.next_expiry.is_some_and(|next| next <= at);
        if !same || due || before.version == 0 || !self.loaded.is_empty() {
            return None;
        }
        let ends: Option<Vec<_>> = self.holds.values().map(|hold| hold.until).collect();
        let room = level.available().checked_sub(reorder_threshold.unwrap_or_default().max(0))?;
        let most_reserved = before.reserved.checked_add(room)?.checked_sub(1)?;
        (room > 0).then_some(Taken {
            units: level.reserved.checked_sub(before.reserved)?,
            steps: level.version.checked_sub(before.version)?,
            next_expiry: ends?.into_iter().min()?,
            on_hand,
            reorder_threshold,
            most_reserved,
        })
    }

    /// The version of the level as it was loaded; 0 for a sku that was never stocked.
    pub const fn loaded_version(&self) -> u64 {
        self.before.version
    }

    /// Whether the level is not as it was loaded.
    pub const fn is_changed(&self) -> bool {
        self.changed
    }

    /// Sweeps, and remembers what an action may change.
    pub(crate) fn checkpoint(&mut self, action: &StockAction, at: DateTime<Utc>) -> Checkpoint {
        self.sweep(at);
        let level = &self.level;
        Checkpoint {
            on_hand: level.on_hand,
            reserved: level.reserved,
            reorder_threshold: level.reorder_threshold,
            next_expiry: level.next_expiry,
            version: level.version,
            hold: action.order().map(|order| (order, self.holds.get(&order).copied())),
            changed: self.changed,
        }
    }

    /// Goes back.
    pub(crate) fn restore(&mut self, checkpoint: Checkpoint) {
        let level = &mut self.level;
        level.on_hand = checkpoint.on_hand;
        level.reserved = checkpoint.reserved;
        level.reorder_threshold = checkpoint.reorder_threshold;
        level.next_expiry = checkpoint.next_expiry;
        level.version = checkpoint.version;
        self.changed = checkpoint.changed;
        match checkpoint.hold {
            Some((order, Some(hold))) => {
                self.holds.insert(order, hold);
            }
            Some((order, None)) => {
                self.holds.remove(&order);
            }
            None => {}
        }
    }

    /// The level as it is after the moves so far.
    pub const fn level(&self) -> &StockLevel {
        &self.level
    }

    /// The holds as they are after the moves so far, of those that were loaded or made.
    pub const fn holds(&self) -> &BTreeMap<OrderId, Hold> {
        &self.holds
    }

    /// What changed among the holds since they were loaded.
    pub fn hold_changes(&self) -> Vec<HoldChange> {
        let gone = self.loaded.keys().filter(|order| !self.holds.contains_key(order)).map(|o| HoldChange::Remove(*o));
        let kept = self.holds.iter().filter_map(|(order, hold)| match self.loaded.get(order) {
            None => Some(HoldChange::Add(*order, *hold)),
            Some(old) if old != hold => Some(HoldChange::Update(*order, *hold)),
            Some(_) => None,
        });
        gone.chain(kept).collect()
    }

    /// Drops the holds that have ended.
    pub fn sweep(&mut self, at: DateTime<Utc>) {
        if self.level.next_expiry.is_none_or(|next| next > at) {
            return;
        }
        let level = &mut self.level;
        self.holds.retain(|_, hold| {
            let ended = hold.until.is_some_and(|until| until <= at);
            if ended {
                level.reserved = level.reserved.saturating_sub(hold.units);
            }
            !ended
        });
        self.refresh_expiry();
        self.changed = true;
    }

    /// Makes one move, after sweeping; says what of it the history keeps.
    ///
    /// # Errors
    /// [`StockRefusal`]; the shelf may have been swept, nothing else has changed.
    pub fn apply(&mut self, action: &StockAction, at: DateTime<Utc>) -> Result<Vec<StockEvent>, StockRefusal> {
        let checkpoint = self.checkpoint(action, at);
        let before = self.level.available();
        let event = self.make(action).inspect_err(|_| self.restore(checkpoint))?;
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
        let hold = self.holds.get(&order).map_or(Hold { units, until }, |hold| hold.and(units, until));
        self.holds.insert(order, hold);
        self.refresh_expiry();
        Ok(())
    }

    fn confirm(&mut self, order: OrderId, units: i64) -> Result<(), StockRefusal> {
        match self.holds.get_mut(&order) {
            Some(hold) => hold.until = None,
            None => self.reserve(order, units, None)?,
        }
        self.refresh_expiry();
        Ok(())
    }

    fn release(&mut self, order: OrderId) {
        if let Some(hold) = self.holds.remove(&order) {
            self.level.reserved = self.level.reserved.saturating_sub(hold.units);
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
                Err(StockRefusal::Stale { sku: self.level.sku.clone(), expected, actual: self.level.version })
            }
            _ => Ok(()),
        }
    }

    /// A notice is given when a border is crossed downwards, not for every sale below it.
    fn notice(&self, before: i64) -> Option<StockEvent> {
        let available = self.level.available();
        if available >= before {
            return None;
        }
        let crossed = |border: i64| before > border && available <= border;
        match self.level.reorder_threshold {
            _ if crossed(0) => Some(StockEvent::Out),
            Some(threshold) if crossed(threshold) => Some(StockEvent::Low { available }),
            _ => None,
        }
    }

    fn refresh_expiry(&mut self) {
        let ends = self.holds.values().filter_map(|hold| hold.until);
        self.level.next_expiry = ends.chain(self.next_expiry).min();
    }
}

#[cfg(test)]
mod taking {
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;

    use chrono::DateTime;
    use uuid::Uuid;

    use super::{Shelf, StockAction, StockLevel};
    use crate::ids::OrderId;

    /// Whatever fits a `Taken`: the moves say the same there and lead where it says.
    #[test]
    fn what_was_taken_can_be_taken_from_every_level_that_fits() {
        let at = DateTime::from_timestamp(1_000, 0).unwrap();
        let mut fitting = 0;
        for on_hand in 0..9 {
            for threshold in [None, Some(0), Some(2), Some(5)] {
                for (read, found) in (0..=on_hand).flat_map(|read| (0..=on_hand).map(move |found| (read, found))) {
                    fitting += check(on_hand, threshold, read, found, at);
                }
            }
        }
        assert!(fitting > 100, "{fitting} levels fitted");
    }

    fn check(on_hand: i64, threshold: Option<i64>, read: i64, found: i64, at: DateTime<chrono::Utc>) -> usize {
        let level = |reserved| StockLevel {
            on_hand,
            reserved,
            reorder_threshold: threshold,
            next_expiry: None,
            version: 7,
            ..StockLevel::empty("MUG".parse().unwrap())
        };
        let until = at + chrono::TimeDelta::seconds(60);
        let moves = [(1, 1), (2, 2)].map(|(order, units)| {
            let order = OrderId::new(Uuid::from_u128(order));
            StockAction::Reserve { order, units, until }
        });
        let mut shelf = Shelf::new(level(read), BTreeMap::new(), None);
        let said: Vec<_> = moves.iter().map(|action| shelf.apply(action, at)).collect();
        if said.iter().any(Result::is_err) {
            return 0;
        }
        let Some(taken) = shelf.taken(at) else { return 0 };
        if found > taken.most_reserved {
            return 0;
        }
        let mut other = Shelf::new(level(found), BTreeMap::new(), None);
        let said_there: Vec<_> = moves.iter().map(|action| other.apply(action, at)).collect();
        assert_eq!(said, said_there);
        assert_eq!(other.level().reserved, found + taken.units);
        assert_eq!(other.level().version, 7 + taken.steps);
        assert_eq!(other.level().next_expiry, Some(taken.next_expiry));
        1
    }
}
