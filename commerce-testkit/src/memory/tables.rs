//! What is stored, what a commit needs of it, and what a commit writes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use commerce_core::commit::{ClaimChange, Claims, Commit, Facts, Needs, OrderChange, Receipt, ReceiptKey, Settled};
use commerce_core::document::{Claim, Document, DocumentChange, DocumentId};
use commerce_core::event::HistoryEntry;
use commerce_core::ids::{OrderId, PromotionId, Sku};
use commerce_core::order::Order;
use commerce_core::stock::{Hold, HoldChange, Shelf, StockLevel};

use super::promotions::Uses;
use super::tasks::Tasks;

/// Everything stored.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) receipts: BTreeMap<ReceiptKey, Receipt>,
    pub(super) orders: BTreeMap<OrderId, Order>,
    pub(super) documents: BTreeMap<DocumentId, Document>,
    /// Who holds which claim.
    pub(super) claims: BTreeMap<Claim, String>,
    pub(super) uses: BTreeMap<PromotionId, Uses>,
    pub(super) levels: BTreeMap<Sku, StockLevel>,
    pub(super) holds: BTreeMap<Sku, BTreeMap<OrderId, Hold>>,
    /// An entry's position is its place here, counted from 1.
    pub(super) history: Vec<HistoryEntry>,
    /// Places in `history`.
    pub(super) order_events: BTreeMap<OrderId, Vec<usize>>,
    pub(super) tasks: Tasks,
}

impl Tables {
    /// What is true of that which a commit names.
    pub(super) fn facts(&self, needs: &Needs<'_>) -> Facts {
        let version = |id: &DocumentId| Some((id.clone(), self.documents.get(id)?.version()));
        let owner = |claim: &Claim| Some((claim.clone(), self.claims.get(claim)?.clone()));
        let shelf = |(sku, orders): (&&Sku, &BTreeSet<OrderId>)| (Sku::clone(sku), self.shelf(sku, orders, needs.at));
        Facts {
            receipts: needs.receipts.iter().filter_map(|key| Some(((*key).clone(), self.receipt(key)?))).collect(),
            orders: needs.orders.iter().filter_map(|id| Some((*id, self.orders.get(id)?.version))).collect(),
            documents: needs.documents.iter().filter_map(|id| version(id)).collect(),
            claims: Claims::new(needs.claims.iter().filter_map(|claim| owner(claim)).collect()),
            shelves: needs.shelves.iter().map(shelf).collect(),
            tallies: needs.tallies.iter().map(|(id, who)| ((*id).clone(), self.tally(id, who))).collect(),
        }
    }

    /// The holds that matter at an instant: those of the orders that move, and those that are due.
    pub(super) fn shelf(&self, sku: &Sku, orders: &BTreeSet<OrderId>, at: DateTime<Utc>) -> Shelf {
        let level = self.levels.get(sku).cloned().unwrap_or_else(|| StockLevel::empty(sku.clone()));
        let Some(holds) = self.holds.get(sku) else { return Shelf::new(level, BTreeMap::new(), None) };
        if level.next_expiry.is_none_or(|next| next > at) {
            let moving = orders.iter().filter_map(|order| Some((*order, *holds.get(order)?))).collect();
            let next = level.next_expiry;
            return Shelf::new(level, moving, next);
        }
        let matters =
            |(order, hold): &(&OrderId, &Hold)| orders.contains(order) || hold.until.is_some_and(|until| until <= at);
        let (loaded, others): (Vec<_>, Vec<_>) = holds.iter().partition(matters);
        let next = others.iter().filter_map(|(_, hold)| hold.until).min();
        Shelf::new(level, loaded.into_iter().map(|(order, hold)| (*order, *hold)).collect(), next)
    }

    /// Writes an accepted commit, but for its stock. Nothing here can fail.
    pub(super) fn write(&mut self, commit: &Commit, settled: Settled) {
        self.receipts.extend(commit.receipt.iter().map(|receipt| (receipt.key.clone(), receipt.clone())));
        commit.orders.iter().for_each(|change| self.write_order(change));
        commit.documents.iter().for_each(|change| self.write_document(change));
        self.history.extend(settled.stock_events.into_iter().map(|(sku, event)| HistoryEntry::Stock(sku, event)));
        commit.tasks.iter().for_each(|change| self.tasks.change(change));
    }

    /// Writes what a batch made of the stock.
    pub(super) fn write_shelves(&mut self, facts: &Facts) {
        let changed = facts.shelves.iter().filter(|(_, shelf)| shelf.is_changed());
        changed.for_each(|(sku, shelf)| self.write_shelf(sku, shelf));
    }

    fn write_order(&mut self, change: &OrderChange) {
        let order = change.order();
        self.orders.insert(order.id, order.clone());
        let places = self.order_events.entry(order.id).or_default();
        for entry in change.events() {
            places.push(self.history.len());
            self.history.push(HistoryEntry::Order(order.id, entry.clone()));
        }
    }

    fn write_document(&mut self, change: &DocumentChange) {
        self.documents.insert(change.id().clone(), change.document().clone());
        self.history.push(HistoryEntry::Document(change.id().clone(), change.event().clone()));
    }

    /// Writes which claims changed hands in a batch.
    pub(super) fn write_claims(&mut self, facts: &Facts) {
        for change in facts.claims.changes() {
            match change {
                ClaimChange::Take(claim, owner) | ClaimChange::Pass(claim, owner) => {
                    self.claims.insert(claim.clone(), owner.to_owned());
                }
                ClaimChange::Release(claim) => {
                    self.claims.remove(claim);
                }
            }
        }
    }

    fn write_shelf(&mut self, sku: &Sku, shelf: &Shelf) {
        self.levels.insert(sku.clone(), shelf.level().clone());
        let holds = self.holds.entry(sku.clone()).or_default();
        for change in shelf.hold_changes() {
            match change {
                HoldChange::Add(order, hold) | HoldChange::Update(order, hold) => {
                    holds.insert(order, hold);
                }
                HoldChange::Remove(order) => {
                    holds.remove(&order);
                }
            }
        }
    }
}
