//! Settling: one pure decision whether the guards of a batch of commits hold, over the state that was loaded for it.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::claims::Claims;
use super::{Commit, IdempotencyKey, IdempotencyRecord, OrderChange, Refusal, Subject};
use crate::document::{Claim, DocumentChange, DocumentId, DocumentKind};
use crate::event::Recorded;
use crate::ids::{EventId, OrderId, PromotionId, Sku, UserId};
use crate::order::{LimitReached, Unpaid};
use crate::promotion::{RedemptionMove, UsageCounter, UsageSavepoint};
use crate::stock::{SkuStock, StockEvent, StockLevel, StockMove, StockRefusal, StockSavepoint};

/// The rows that a store must load, and lock in this order, before it settles a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadSet<'a> {
    /// Keys of records that may exist.
    pub idempotency_keys: BTreeSet<&'a IdempotencyKey>,
    /// Orders whose versions are needed.
    pub orders: BTreeSet<OrderId>,
    /// Documents whose versions are needed.
    pub documents: BTreeSet<&'a DocumentId>,
    /// Claims whose owners are needed.
    pub claims: BTreeSet<&'a Claim>,
    /// The needed counters.
    pub usage_counters: BTreeMap<&'a PromotionId, UsesNeeded<'a>>,
    /// Customers whose unpaid orders are counted, with the instant since when they were placed.
    pub unpaid: BTreeMap<&'a UserId, DateTime<Utc>>,
    /// The needed stock, with the reservations of these orders and all reservations due at [`ReadSet::at`].
    pub sku_stocks: BTreeMap<&'a Sku, BTreeSet<OrderId>>,
    /// The latest time of a decision in the batch.
    pub at: DateTime<Utc>,
}

/// What is needed of a counter beside the totals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsesNeeded<'a> {
    /// Customers whose uses are limited.
    pub customers: BTreeSet<&'a UserId>,
    /// Orders that may have a live redemption.
    pub orders: BTreeSet<OrderId>,
}

impl<'a> ReadSet<'a> {
    /// Everything that a batch needs.
    pub fn of(batch: impl IntoIterator<Item = &'a Commit>) -> Self {
        batch.into_iter().fold(Self::default(), Self::with)
    }

    /// Everything that a batch needs, except what it inserts: orders with their numbers and claims, carts, payments, and
    /// idempotency records.
    ///
    /// For a store that detects a conflicting insert in another way and then loads the rest. Conflicts are rare: ids
    /// were just generated, numbers are random, and the engine has looked for the idempotency record.
    pub fn assuming_inserts_are_new(batch: impl IntoIterator<Item = &'a Commit>) -> Self {
        batch.into_iter().fold(Self::default(), |read_set, commit| {
            let placed = |id| commit.orders.iter().any(|change| change.expected == 0 && change.order.id == id);
            read_set.with_known(commit, |id| !placed(id))
        })
    }

    fn with(mut self, commit: &'a Commit) -> Self {
        self.idempotency_keys.extend(commit.idempotency.iter().map(|record| &record.key));
        self.claims.extend(commit.orders.iter().filter_map(|change| change.taken.as_ref()));
        self.documents.extend(commit.documents.iter().map(DocumentChange::id));
        self.with_known(commit, |_| true)
    }

    fn with_known(mut self, commit: &'a Commit, is_needed: impl Fn(OrderId) -> bool) -> Self {
        self.at = self.at.max(commit.at);
        let orders = commit.orders.iter().map(|change| change.order.id);
        self.orders.extend(orders.filter(|order| is_needed(*order)));
        if let Some(guard) = &commit.unpaid {
            let customers = commit.orders.iter().filter_map(|change| Some(&change.unpaid()?.user_id));
            self.unpaid.extend(customers.map(|customer| (customer, guard.since)));
        }
        for change in &commit.documents {
            if change.expected() > 0 || !matches!(change.id().kind, DocumentKind::Cart | DocumentKind::Payment) {
                self.documents.insert(change.id());
            }
            self.claims.extend(change.taken().iter().chain(change.released()));
        }
        for step in &commit.redemptions {
            let (redemption, order) = (step.redemption(), Some(step.redemption().order));
            let needed = self.usage_counters.entry(&redemption.promotion).or_default();
            needed.customers.extend(step.limited_customer());
            needed.orders.extend(order.filter(|order| is_needed(*order)));
        }
        for StockMove { sku, action } in &commit.stock {
            self.sku_stocks.entry(sku).or_default().extend(action.order().filter(|order| is_needed(*order)));
        }
        self
    }
}

/// The state that a store loaded to settle a batch; afterwards, the state once the batch is written.
///
/// Rows that do not exist are absent, except that the stock of every needed SKU is present, if only as an empty level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LoadedState {
    pub idempotency_records: BTreeMap<IdempotencyKey, IdempotencyRecord>,
    /// Versions of orders.
    pub orders: BTreeMap<OrderId, u64>,
    /// Versions of documents.
    pub documents: BTreeMap<DocumentId, u64>,
    /// The owners of claims.
    pub claims: Claims,
    pub usage_counters: BTreeMap<PromotionId, UsageCounter>,
    /// The unpaid orders of the needed customers, all of whom are present.
    pub unpaid: BTreeMap<UserId, Unpaid>,
    pub sku_stocks: BTreeMap<Sku, SkuStock>,
}

/// The outcome of an accepted commit, beyond its own content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accepted {
    /// The stock events that it caused, numbered.
    pub stock_events: Vec<(Sku, Recorded<StockEvent>)>,
}

/// Settles a batch in its order.
///
/// Each commit is accepted or refused as a whole. An accepted one changes the loaded state for later ones; a refused
/// one changes nothing. The store writes the accepted commits and the stock that is [changed](SkuStock::is_changed).
///
/// ```
/// use commerce_core::commit::{LoadedState, Refusal, settle};
/// use commerce_testkit::CommitBuilder;
///
/// let shop = CommitBuilder::new(1);
/// let batch = [shop.stocked(&[("MUG", 1)]), shop.order(&[("MUG", 1)]), shop.order(&[("MUG", 1)])];
/// let answers = settle(&batch, &mut LoadedState::default());
/// assert!(answers[0].is_ok() && answers[1].is_ok());
/// assert!(matches!(answers[2], Err(Refusal::Stock(_))), "the last mug is sold");
/// ```
pub fn settle<'a>(
    batch: impl IntoIterator<Item = &'a Commit>,
    loaded: &mut LoadedState,
) -> Vec<Result<Accepted, Refusal>> {
    batch.into_iter().map(|commit| loaded.accept(commit)).collect()
}

impl LoadedState {
    fn accept(&mut self, commit: &Commit) -> Result<Accepted, Refusal> {
        self.check_idempotency(commit)?;
        self.check_orders(commit)?;
        self.check_documents(commit)?;
        self.check_claims(commit)?;
        self.check_unpaid(commit)?;
        let redeemed = self.redeem(commit)?;
        let settled = self.move_stock(commit).inspect_err(|_| self.take_back(redeemed))?;
        self.note(commit);
        Ok(settled)
    }

    fn check_idempotency(&self, commit: &Commit) -> Result<(), Refusal> {
        let known = commit.idempotency.as_ref().and_then(|record| self.idempotency_records.get(&record.key));
        known.map_or(Ok(()), |record| Err(Refusal::DuplicateKey(Box::new(record.clone()))))
    }

    fn check_orders(&self, commit: &Commit) -> Result<(), Refusal> {
        let mut versions = BTreeMap::new();
        commit.orders.iter().try_for_each(|change| {
            let id = change.order.id;
            let twice = versions.insert(id, change.order.version);
            let actual = self.orders.get(&id).copied().unwrap_or_default();
            check_version(change.expected, twice, actual, || Subject::Order(id))
        })
    }

    fn check_documents(&self, commit: &Commit) -> Result<(), Refusal> {
        let mut versions = BTreeMap::new();
        commit.documents.iter().try_for_each(|change| {
            let twice = versions.insert(change.id(), change.version());
            let actual = self.documents.get(change.id()).copied().unwrap_or_default();
            check_version(change.expected(), twice, actual, || Subject::Document(change.id().clone()))
        })
    }

    /// A claim is free if it has no owner, or if the same commit releases it from its owner.
    fn check_claims(&self, commit: &Commit) -> Result<(), Refusal> {
        let released: BTreeSet<_> = commit.documents.iter().flat_map(DocumentChange::released).collect();
        let mut earlier = BTreeMap::new();
        taken(commit).try_for_each(|(claim, id)| {
            let held = self.claims.owner(claim).filter(|_| !released.contains(claim)).map(String::from);
            match earlier.insert(claim, id.clone()).or(held) {
                Some(owner) if owner != id => Err(Refusal::Claimed { claim: claim.clone(), owner }),
                _ => Ok(()),
            }
        })
    }

    fn check_unpaid(&self, commit: &Commit) -> Result<(), LimitReached> {
        let Some(guard) = commit.unpaid else { return Ok(()) };
        commit
            .orders
            .iter()
            .filter_map(OrderChange::unpaid)
            .try_for_each(|order| guard.check(self.unpaid.get(&order.user_id).copied().unwrap_or_default(), order))
    }

    /// Applies the uses of promotions; returns how to undo it.
    fn redeem<'a>(&mut self, commit: &'a Commit) -> Result<Vec<(&'a RedemptionMove, UsageSavepoint)>, Refusal> {
        let mut undo = Vec::with_capacity(commit.redemptions.len());
        for step in &commit.redemptions {
            let counter = self.usage_counters.entry(step.redemption().promotion.clone()).or_default();
            let savepoint = counter.savepoint(step);
            if let Err(exhausted) = counter.apply(step, commit.at) {
                self.take_back(undo);
                return Err(exhausted.into());
            }
            undo.push((step, savepoint));
        }
        Ok(undo)
    }

    fn take_back(&mut self, undo: Vec<(&RedemptionMove, UsageSavepoint)>) {
        for (step, savepoint) in undo.into_iter().rev() {
            if let Some(counter) = self.usage_counters.get_mut(&step.redemption().promotion) {
                counter.restore(step, savepoint);
            }
        }
    }

    fn move_stock(&mut self, commit: &Commit) -> Result<Accepted, Refusal> {
        let mut undo = Vec::with_capacity(commit.stock.len());
        let mut settled = Accepted::default();
        for step in &commit.stock {
            match self.make_move(commit, step, &mut undo) {
                Ok(events) => settled.stock_events.extend(events),
                Err(refusal) => {
                    self.go_back(undo);
                    return Err(refusal.into());
                }
            }
        }
        Ok(settled)
    }

    fn make_move<'a>(
        &mut self,
        commit: &Commit,
        step: &'a StockMove,
        undo: &mut Vec<(&'a Sku, StockSavepoint)>,
    ) -> Result<Vec<(Sku, Recorded<StockEvent>)>, StockRefusal> {
        let empty = |sku: &Sku| SkuStock::new(StockLevel::empty(sku.clone()), BTreeMap::new(), None);
        let sku_stock = match self.sku_stocks.get_mut(&step.sku) {
            Some(sku_stock) => sku_stock,
            None => self.sku_stocks.entry(step.sku.clone()).or_insert_with_key(empty),
        };
        undo.push((&step.sku, sku_stock.savepoint(&step.action, commit.at)));
        let version = sku_stock.level().version;
        let events = sku_stock.apply(&step.action, commit.at)?;
        Ok(number(commit, &step.sku, version, events))
    }

    fn go_back(&mut self, undo: Vec<(&Sku, StockSavepoint)>) {
        for (sku, savepoint) in undo.into_iter().rev() {
            if let Some(sku_stock) = self.sku_stocks.get_mut(sku) {
                sku_stock.restore(savepoint);
            }
        }
    }

    /// Applies an accepted commit to the loaded state.
    fn note(&mut self, commit: &Commit) {
        self.idempotency_records.extend(commit.idempotency.iter().map(|record| (record.key.clone(), record.clone())));
        self.orders.extend(commit.orders.iter().map(|change| (change.order.id, change.order.version)));
        self.documents.extend(commit.documents.iter().map(|change| (change.id().clone(), change.version())));
        for order in commit.orders.iter().filter_map(OrderChange::unpaid) {
            if let Some(unpaid) = self.unpaid.get_mut(&order.user_id) {
                *unpaid = unpaid.plus(order.units(), order.created_at);
            }
        }
        commit.documents.iter().flat_map(DocumentChange::released).for_each(|claim| self.claims.release(claim));
        taken(commit).for_each(|(claim, id)| self.claims.take(claim, id));
    }
}

/// The claims that a commit takes, with their owners.
fn taken(commit: &Commit) -> impl Iterator<Item = (&Claim, String)> {
    let orders = commit.orders.iter().filter_map(|change| Some((change.taken.as_ref()?, change.order.id.to_string())));
    let owned = |change: &'_ DocumentChange| change.id().id.clone();
    orders.chain(commit.documents.iter().flat_map(move |change| {
        let id = owned(change);
        change.taken().iter().map(move |claim| (claim, id.clone()))
    }))
}

/// `twice` is the version after an earlier change of the same subject in this commit. A second change is refused.
fn check_version(expected: u64, twice: Option<u64>, actual: u64, subject: impl Fn() -> Subject) -> Result<(), Refusal> {
    if twice.is_none() && expected == actual {
        return Ok(());
    }
    Err(Refusal::VersionConflict { subject: subject(), expected, actual: twice.unwrap_or(actual) })
}

fn number(commit: &Commit, sku: &Sku, version: u64, events: Vec<StockEvent>) -> Vec<(Sku, Recorded<StockEvent>)> {
    let sequences = (1..).map(|step| version.saturating_add(step));
    let record = |(event, sequence)| {
        let id = derive_event_id(commit.seed, ("stock", sku.as_str()), sequence);
        (sku.clone(), Recorded { id, sequence, at: commit.at, actor: commit.actor.clone(), trace: commit.trace, event })
    };
    events.into_iter().zip(sequences).map(record).collect()
}

/// An event id that only depends on the commit and the outcome: the seed, with the stream (its kind and its id) and the sequence
/// mixed into its random bits (FNV-1a).
pub(super) fn derive_event_id(seed: Uuid, (kind, id): (&str, &str), sequence: u64) -> EventId {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    const RANDOM_BITS: u64 = 0x3fff_ffff_ffff_ffff;
    let bytes = kind.bytes().chain(*b"/").chain(id.bytes()).chain(sequence.to_be_bytes());
    let hash = bytes.fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    let (high, low) = seed.as_u64_pair();
    EventId::new(Uuid::from_u64_pair(high, low ^ (hash & RANDOM_BITS)))
}
