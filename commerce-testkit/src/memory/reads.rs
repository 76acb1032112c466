//! The reads of the store.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use commerce_core::commit::{IdempotencyKey, IdempotencyRecord};
use commerce_core::document::{Document, DocumentFilter, DocumentId, DocumentKind};
use commerce_core::event::HistoryEntry;
use commerce_core::ids::{OrderId, Sku};
use commerce_core::order::Order;
use commerce_core::port::{OrderFilter, OrderRef, Page, PageRequest};
use commerce_core::stock::{Reservation, StockLevel};

use super::tables::Tables;

/// The most idempotency records that one call removes.
const FORGET_AT_ONCE: usize = 1000;

impl Tables {
    pub(super) fn idempotency_record(&self, key: &IdempotencyKey) -> Option<IdempotencyRecord> {
        self.idempotency_records.get(key).cloned()
    }

    pub(super) fn purge_idempotency_records(&mut self, before: DateTime<Utc>) -> u64 {
        let old =
            self.idempotency_records.values().filter(|record| record.at < before).map(|record| record.key.clone());
        let old: Vec<_> = old.take(FORGET_AT_ONCE).collect();
        old.iter().fold(0, |count, key| count + u64::from(self.idempotency_records.remove(key).is_some()))
    }

    pub(super) fn order(&self, order_ref: &OrderRef) -> Option<Order> {
        self.orders.values().find(|order| order_ref.names(order)).cloned()
    }

    pub(super) fn orders(&self, filter: &OrderFilter, page: &PageRequest<OrderId>) -> Page<Order, OrderId> {
        let wanted = self.orders.values().filter(|order| filter.admits(order));
        Page::descending(wanted, page, |order| order.id).map(Order::clone)
    }

    /// The documents of a kind, by id.
    pub(super) fn of_kind(&self, kind: DocumentKind) -> impl Iterator<Item = &Document> {
        let first = DocumentId { kind, id: String::new() };
        self.documents.range(first..).take_while(move |(id, _)| id.kind == kind).map(|(_, document)| document)
    }

    pub(super) fn documents(
        &self,
        kind: DocumentKind,
        filter: &DocumentFilter,
        page: &PageRequest<String>,
    ) -> Page<Document, String> {
        let documents = self.of_kind(kind).filter(|document| filter.admits(document));
        Page::ascending(documents, page, |document| document.id().id).map(Document::clone)
    }

    pub(super) fn history(&self, page: &PageRequest<u64>) -> Page<HistoryEntry, u64> {
        Page::ascending((1..).zip(&self.history), page, |(position, _)| *position).map(|(_, entry)| entry.clone())
    }

    pub(super) fn last_position(&self) -> u64 {
        u64::try_from(self.history.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn stock(&self, sku: &Sku, at: DateTime<Utc>) -> Option<StockLevel> {
        self.levels.contains_key(sku).then(|| self.level(sku, at))
    }

    fn level(&self, sku: &Sku, at: DateTime<Utc>) -> StockLevel {
        self.sku_stock(sku, &BTreeSet::new(), at).level_at(at)
    }

    pub(super) fn stock_levels(
        &self,
        low_only: bool,
        at: DateTime<Utc>,
        page: &PageRequest<Sku>,
    ) -> Page<StockLevel, Sku> {
        let levels = self.levels.keys().map(|sku| self.level(sku, at)).filter(|level| !low_only || level.is_low());
        Page::ascending(levels, page, |level| level.sku.clone())
    }

    pub(super) fn reservations(&self, sku: &Sku) -> Vec<(OrderId, Reservation)> {
        self.reservations.get(sku).into_iter().flatten().map(|(order, reservation)| (*order, *reservation)).collect()
    }
}
