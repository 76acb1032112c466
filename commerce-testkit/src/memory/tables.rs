//! The tables, the state that a commit needs, and writing a commit.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use commerce_core::commit::{
    Accepted, ClaimChange, Claims, Commit, IdempotencyKey, IdempotencyRecord, LoadedState, OrderChange, ReadSet,
};
use commerce_core::document::{Claim, Document, DocumentChange, DocumentId};
use commerce_core::event::HistoryEntry;
use commerce_core::ids::{DeliveryId, OrderId, PromotionId, Sku, TargetName, UserId, WebhookEndpointId};
use commerce_core::order::{Order, Unpaid};
use commerce_core::publishing::TargetState;
use commerce_core::stock::{Reservation, ReservationChange, SkuStock, StockLevel};
use commerce_core::task::Tasks;
use commerce_core::webhook::Delivery;

use super::promotions::Uses;

#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) idempotency_records: BTreeMap<IdempotencyKey, IdempotencyRecord>,
    pub(super) orders: BTreeMap<OrderId, Order>,
    pub(super) documents: BTreeMap<DocumentId, Document>,
    /// The owners of claims.
    pub(super) claims: BTreeMap<Claim, String>,
    pub(super) uses: BTreeMap<PromotionId, Uses>,
    pub(super) levels: BTreeMap<Sku, StockLevel>,
    pub(super) reservations: BTreeMap<Sku, BTreeMap<OrderId, Reservation>>,
    /// The position of an entry is its index plus 1.
    pub(super) history: Vec<HistoryEntry>,
    pub(super) tasks: Tasks,
    /// The attempts to deliver webhooks, by endpoint.
    pub(super) deliveries: BTreeMap<WebhookEndpointId, BTreeMap<DeliveryId, Delivery>>,
    pub(super) targets: BTreeMap<TargetName, TargetState>,
}

impl Tables {
    /// The state for the guards of a batch.
    pub(super) fn loaded(&self, read_set: &ReadSet<'_>) -> LoadedState {
        let version = |id: &DocumentId| Some((id.clone(), self.documents.get(id)?.version()));
        let owner = |claim: &Claim| Some((claim.clone(), self.claims.get(claim)?.clone()));
        let sku_stock =
            |(sku, orders): (&&Sku, &BTreeSet<OrderId>)| (Sku::clone(sku), self.sku_stock(sku, orders, read_set.at));
        LoadedState {
            idempotency_records: read_set
                .idempotency_keys
                .iter()
                .filter_map(|key| Some(((*key).clone(), self.idempotency_record(key)?)))
                .collect(),
            orders: read_set.orders.iter().filter_map(|id| Some((*id, self.orders.get(id)?.version))).collect(),
            documents: read_set.documents.iter().filter_map(|id| version(id)).collect(),
            unpaid: read_set
                .unpaid
                .iter()
                .map(|(user, since)| (UserId::clone(user), Unpaid::of(self.orders.values(), user, *since)))
                .collect(),
            claims: Claims::new(read_set.claims.iter().filter_map(|claim| owner(claim)).collect()),
            sku_stocks: read_set.sku_stocks.iter().map(sku_stock).collect(),
            usage_counters: read_set
                .usage_counters
                .iter()
                .map(|(id, who)| ((*id).clone(), self.counter(id, who)))
                .collect(),
        }
    }

    /// The stock of a SKU with the reservations of some orders and those that have expired.
    pub(super) fn sku_stock(&self, sku: &Sku, orders: &BTreeSet<OrderId>, at: DateTime<Utc>) -> SkuStock {
        let level = self.levels.get(sku).cloned().unwrap_or_else(|| StockLevel::empty(sku.clone()));
        let Some(reservations) = self.reservations.get(sku) else { return SkuStock::new(level, BTreeMap::new(), None) };
        if level.next_expiry.is_none_or(|next| next > at) {
            let moving = orders.iter().filter_map(|order| Some((*order, *reservations.get(order)?))).collect();
            let next = level.next_expiry;
            return SkuStock::new(level, moving, next);
        }
        let matters = |(order, reservation): &(&OrderId, &Reservation)| {
            orders.contains(order) || reservation.until.is_some_and(|until| until <= at)
        };
        let (loaded, others): (Vec<_>, Vec<_>) = reservations.iter().partition(matters);
        let next = others.iter().filter_map(|(_, reservation)| reservation.until).min();
        SkuStock::new(level, loaded.into_iter().map(|(order, reservation)| (*order, *reservation)).collect(), next)
    }

    /// Writes an accepted commit, except its stock.
    pub(super) fn write(&mut self, commit: &Commit, settled: Accepted) {
        self.idempotency_records.extend(commit.idempotency.iter().map(|record| (record.key.clone(), record.clone())));
        commit.orders.iter().for_each(|change| self.write_order(change));
        commit.documents.iter().for_each(|change| self.write_document(change));
        self.history.extend(settled.stock_events.into_iter().map(|(sku, event)| HistoryEntry::Stock(sku, event)));
        for change in &commit.tasks {
            change.clone().apply(&mut self.tasks);
        }
    }

    /// Writes the stock that a batch changed.
    pub(super) fn write_sku_stocks(&mut self, loaded: &LoadedState) {
        let changed = loaded.sku_stocks.iter().filter(|(_, sku_stock)| sku_stock.is_changed());
        changed.for_each(|(sku, sku_stock)| self.write_sku_stock(sku, sku_stock));
    }

    fn write_order(&mut self, change: &OrderChange) {
        let order = change.order();
        self.orders.insert(order.id, order.clone());
        self.history.extend(change.events().iter().map(|entry| HistoryEntry::Order(order.id, entry.clone())));
    }

    fn write_document(&mut self, change: &DocumentChange) {
        self.documents.insert(change.id().clone(), change.document().clone());
        self.history.push(HistoryEntry::Document(change.id().clone(), change.event().clone()));
    }

    /// Writes the claims that a batch changed.
    pub(super) fn write_claims(&mut self, loaded: &LoadedState) {
        for change in loaded.claims.changes() {
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

    fn write_sku_stock(&mut self, sku: &Sku, sku_stock: &SkuStock) {
        self.levels.insert(sku.clone(), sku_stock.level().clone());
        let reservations = self.reservations.entry(sku.clone()).or_default();
        for change in sku_stock.reservation_changes() {
            match change {
                ReservationChange::Add(order, reservation) | ReservationChange::Update(order, reservation) => {
                    reservations.insert(order, reservation);
                }
                ReservationChange::Remove(order) => {
                    reservations.remove(&order);
                }
            }
        }
    }
}
