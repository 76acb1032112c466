//! The moves of one sku's stock, and what they leave to write.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use super::{Hold, MAX_ON_HAND, StockAction, StockEvent, StockLevel, StockRefusal};
use crate::ids::OrderId;

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
/// If none of them was refused they commute: a store may make them on a level that others have moved meanwhile, and would have
/// been told the same, if that level still fits: the same threshold, no hold that has ended, and at least `least_available`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// By how much more is reserved.
    pub units: i64,
    /// By how much the version grows.
    pub steps: u64,
    /// When the first of the new holds ends.
    pub next_expiry: DateTime<Utc>,
    /// What the threshold must be.
    pub reorder_threshold: Option<i64>,
    /// The least that must be available before.
    pub least_available: i64,
}

impl Taken {
    /// Whether the moves would have been told the same on another level. Stores that do not lock a level before they write it
    /// hold it to this rule in SQL, and a test holds their SQL to this.
    pub fn fits(&self, level: &StockLevel, at: DateTime<Utc>) -> bool {
        level.available() >= self.least_available
            && level.reorder_threshold == self.reorder_threshold
            && level.next_expiry.is_none_or(|next| next > at)
    }
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
        let reorder_threshold = before.reorder_threshold;
        let same = level.on_hand == before.on_hand && level.reorder_threshold == reorder_threshold;
        let due = before.next_expiry.is_some_and(|next| next <= at);
        if !same || due || before.version == 0 || !self.loaded.is_empty() {
            return None;
        }
        let ends: Option<Vec<_>> = self.holds.values().map(|hold| hold.until).collect();
        let border = reorder_threshold.unwrap_or_default().max(0);
        let units = level.reserved.checked_sub(before.reserved)?;
        (level.available() > border).then_some(Taken {
            units,
            steps: level.version.checked_sub(before.version)?,
            next_expiry: ends?.into_iter().min().filter(|end| *end > at)?,
            reorder_threshold,
            least_available: border.checked_add(units)?.checked_add(1)?,
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
        let levels: Vec<_> =
            (0..9).flat_map(|on_hand| (0..=on_hand).map(move |reserved| (on_hand, reserved))).collect();
        let pairs = || levels.iter().flat_map(|read| levels.iter().map(move |found| (*read, *found)));
        let mut fitting = 0;
        for threshold in [None, Some(-1), Some(0), Some(2), Some(5)] {
            fitting += pairs().map(|(read, found)| check(threshold, read, found, at)).sum::<usize>();
        }
        assert!(fitting > 500, "{fitting} levels fitted");
    }

    fn check(threshold: Option<i64>, read: (i64, i64), found: (i64, i64), at: DateTime<chrono::Utc>) -> usize {
        let level = |(on_hand, reserved)| StockLevel {
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
        if !taken.fits(&level(found), at) {
            return 0;
        }
        let mut other = Shelf::new(level(found), BTreeMap::new(), None);
        let said_there: Vec<_> = moves.iter().map(|action| other.apply(action, at)).collect();
        assert_eq!(said, said_there);
        assert_eq!(other.level().reserved, found.1 + taken.units);
        assert_eq!(other.level().version, 7 + taken.steps);
        assert_eq!(other.level().next_expiry, Some(taken.next_expiry));
        1
    }
}
