//! The orders that all contenders place.

use std::sync::atomic::{AtomicUsize, Ordering};

use commerce_core::commit::Commit;
use commerce_core::ids::Sku;
use commerce_core::stock::{StockAction, StockMove};
use commerce_core::stored::Stored;
use commerce_testkit::CommitBuilder;

use crate::Failure;
use crate::contender::Spread;

/// The number of the first SKU.
pub(crate) const FIRST: usize = 10_000;
/// The first line of an order has one of this many SKUs, the second line one of the next, the third line one of the rest. The
/// three SKUs are therefore different and sorted.
pub(crate) const THIRD: usize = 3_333;
/// The number of SKUs.
pub(crate) const SKUS: usize = 10_000;
/// Enough for any number of rounds.
const ON_HAND: i64 = 1_000_000_000;

/// A source of orders.
#[derive(Debug)]
pub(crate) struct Orders {
    shop: CommitBuilder,
    skus: Vec<Sku>,
    spread: Spread,
    state: AtomicUsize,
}

impl Orders {
    /// Sources with different seeds create different orders.
    pub(crate) fn new(seed: u32, spread: Spread) -> Result<Self, Failure> {
        let state = AtomicUsize::new(usize::try_from(seed)?);
        Ok(Self { shop: CommitBuilder::new(seed), skus: skus()?, spread, state })
    }

    /// The next order.
    pub(crate) fn next(&self) -> Result<Commit, Failure> {
        let chosen: Option<Vec<Sku>> = self.lines().iter().map(|n| self.skus.get(*n).cloned()).collect();
        Ok(self.shop.checkout(0, &chosen.ok_or("a sku is missing")?))
    }

    /// The SKUs of the next order, by number.
    pub(crate) fn lines(&self) -> [usize; 3] {
        let first = if self.spread == Spread::Hot { 0 } else { self.random() };
        [first, THIRD + 1 + self.random(), 2 * THIRD + 1 + self.random()]
    }

    /// A number below [`THIRD`].
    fn random(&self) -> usize {
        let n = self.state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (n ^ n >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb) % THIRD
    }

    /// Commits that stock all SKUs.
    pub(crate) fn stocking(&self) -> impl Iterator<Item = Commit> {
        self.skus.chunks(500).map(|chunk| {
            let mut commit = self.shop.commit(self.shop.at(0));
            commit.stock.extend(chunk.iter().map(|sku| StockMove {
                sku: sku.clone(),
                action: StockAction::Set { on_hand: ON_HAND, reorder_threshold: None, expected: None },
            }));
            commit
        })
    }
}

fn skus() -> Result<Vec<Sku>, Failure> {
    Ok((FIRST..FIRST + SKUS).map(|n| format!("SKU-{n}").parse()).collect::<Result<_, _>>()?)
}

/// The stored JSON of the event that creates an order.
pub(crate) fn event_body() -> Result<String, Failure> {
    let commit = Orders::new(1, Spread::Uniform)?.next()?;
    let change = commit.orders.first().ok_or("a checkout places an order")?;
    let event = change.events().first().ok_or("placing an order is an event")?;
    Ok(serde_json::to_string(&Stored(&event.event))?)
}

/// The stored JSON of the state of a paid order.
pub(crate) fn paid_state() -> Result<String, Failure> {
    let orders = Orders::new(1, Spread::Uniform)?;
    let placed = orders.next()?;
    let change = placed.orders.first().ok_or("a checkout places an order")?;
    let paid = orders.shop.pay(change.order(), orders.shop.at(2));
    let change = paid.orders.first().ok_or("a payment changes an order")?;
    Ok(serde_json::to_string(&change.order().state().map(Stored))?)
}
