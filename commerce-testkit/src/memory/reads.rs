//! What is read.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use commerce_core::cart::Cart;
use commerce_core::catalog::{Category, Offer, Product};
use commerce_core::commit::{IdempotencyKey, IdempotencyRecord};
use commerce_core::document::{Claim, ClaimKind, Document, DocumentEvent, DocumentId, DocumentKind};
use commerce_core::event::{HistoryEntry, Recorded};
use commerce_core::ids::{CartId, OrderId, ProductId, ReturnId, Sku, UserId};
use commerce_core::order::{Order, OrderEvent, Return};
use commerce_core::port::{OrderFilter, OrderRef, Page, PageRequest, ProductCursor, ProductFilter, ReturnFilter};
use commerce_core::stock::{Reservation, StockLevel};

use super::tables::Tables;

/// The most idempotency records forgotten in one call.
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
        let mut orders = self.orders.values();
        let found = match order_ref {
            OrderRef::Id(id) => self.orders.get(id),
            OrderRef::Number(number) => orders.find(|order| order.number == *number),
            OrderRef::Payment(id) => orders.find(|order| order.payment.id == *id),
            OrderRef::Return(id) => orders.find(|order| order.returns.iter().any(|known| known.id == *id)),
        };
        found.cloned()
    }

    pub(super) fn orders(&self, filter: &OrderFilter, page: &PageRequest<OrderId>) -> Page<Order, OrderId> {
        let behind = |order: &&Order| page.after.is_none_or(|after| order.id < after);
        let wanted = |order: &&Order| admits(filter, order);
        let orders = self.orders.values().rev().filter(behind).filter(wanted);
        cut(orders.cloned(), page.limit, |order| order.id)
    }

    pub(super) fn returns(
        &self,
        filter: &ReturnFilter,
        page: &PageRequest<ReturnId>,
    ) -> Page<(OrderId, Return), ReturnId> {
        let of_user = |order: &&Order| filter.user.as_ref().is_none_or(|user| order.user_id == *user);
        let orders = self.orders.values().filter(of_user);
        let wanted = |order: OrderId, known: &Return| {
            page.after.is_none_or(|after| known.id < after)
                && filter.order.is_none_or(|wanted| order == wanted)
                && filter.status.is_none_or(|status| known.status == status)
        };
        let returns = orders.flat_map(|order| order.returns.iter().map(|known| (order.id, known)));
        let mut found: Vec<_> = returns.filter(|(order, known)| wanted(*order, known)).collect();
        found.sort_by_key(|(_, known)| Reverse(known.id));
        cut(found.into_iter().map(|(order, known)| (order, known.clone())), page.limit, |(_, known)| known.id)
    }

    pub(super) fn count_active_orders(&self, user: &UserId) -> u32 {
        let stands = |order: &&Order| order.user_id == *user && !order.phase.is_undone();
        let count = self.orders.values().filter(stands).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    pub(super) fn order_history(&self, order: OrderId) -> Vec<Recorded<OrderEvent>> {
        let places = self.order_events.get(&order).into_iter().flatten();
        let entries = places.filter_map(|place| match self.history.get(*place)? {
            HistoryEntry::Order(_, entry) => Some(entry.clone()),
            HistoryEntry::Stock(..) | HistoryEntry::Document(..) => None,
        });
        entries.collect()
    }

    /// The documents of a kind, by id.
    pub(super) fn of_kind(&self, kind: DocumentKind) -> impl Iterator<Item = &Document> {
        let first = DocumentId { kind, id: String::new() };
        self.documents.range(first..).take_while(move |(id, _)| id.kind == kind).map(|(_, document)| document)
    }

    pub(super) fn documents(&self, kind: DocumentKind, page: &PageRequest<String>) -> Page<Document, String> {
        let behind = |document: &&Document| page.after.as_ref().is_none_or(|after| document.id().id > *after);
        cut(self.of_kind(kind).filter(behind).cloned(), page.limit, |document| document.id().id)
    }

    pub(super) fn document_history(&self, id: &DocumentId) -> Vec<Recorded<DocumentEvent>> {
        let of_it = |entry: &HistoryEntry| match entry {
            HistoryEntry::Document(known, entry) if known == id => Some(entry.clone()),
            HistoryEntry::Order(..) | HistoryEntry::Stock(..) | HistoryEntry::Document(..) => None,
        };
        self.history.iter().filter_map(of_it).collect()
    }

    pub(super) fn history(&self, page: &PageRequest<u64>) -> Page<HistoryEntry, u64> {
        let after = page.after.unwrap_or_default();
        let behind = self.history.iter().skip(usize::try_from(after).unwrap_or(usize::MAX));
        let entries = (after.saturating_add(1)..).zip(behind);
        let listing = cut(entries, page.limit, |(position, _)| *position);
        Page { items: listing.items.into_iter().map(|(_, entry)| entry.clone()).collect(), next: listing.next }
    }

    pub(super) fn stock(&self, sku: &Sku, at: DateTime<Utc>) -> Option<StockLevel> {
        self.levels.contains_key(sku).then(|| self.level(sku, at))
    }

    fn level(&self, sku: &Sku, at: DateTime<Utc>) -> StockLevel {
        let mut sku_stock = self.sku_stock(sku, &BTreeSet::new(), at);
        sku_stock.expire_reservations(at);
        sku_stock.level().clone()
    }

    pub(super) fn stock_levels(
        &self,
        low_only: bool,
        at: DateTime<Utc>,
        page: &PageRequest<Sku>,
    ) -> Page<StockLevel, Sku> {
        let behind = |sku: &&Sku| page.after.as_ref().is_none_or(|after| *sku > after);
        let levels = self.levels.keys().filter(behind).map(|sku| self.level(sku, at));
        cut(levels.filter(|level| !low_only || level.is_low()), page.limit, |level| level.sku.clone())
    }

    pub(super) fn reservations(&self, sku: &Sku) -> Vec<(OrderId, Reservation)> {
        self.reservations.get(sku).into_iter().flatten().map(|(order, reservation)| (*order, *reservation)).collect()
    }

    pub(super) fn cart(&self, id: CartId) -> Option<Cart> {
        Cart::try_from(self.documents.get(&DocumentId::cart(id))?.clone()).ok()
    }

    pub(super) fn active_cart(&self, user: &UserId) -> Option<Cart> {
        let id = self.claims.get(&Claim::new(ClaimKind::ActiveCart, user))?;
        self.cart(id.parse().ok()?)
    }

    pub(super) fn offers(&self, skus: &[Sku]) -> Vec<Offer> {
        let offer = |sku: &Sku| {
            let id = self.claims.get(&Claim::new(ClaimKind::Sku, sku))?;
            let product = self.product(&id.parse().ok()?)?;
            Some((sku.clone(), Offer::of(&product, product.variant(sku)?)))
        };
        skus.iter().filter_map(offer).collect::<BTreeMap<_, _>>().into_values().collect()
    }

    pub(super) fn product(&self, id: &ProductId) -> Option<Product> {
        Product::try_from(self.documents.get(&DocumentId::new(DocumentKind::Product, id))?.clone()).ok()
    }

    pub(super) fn products(
        &self,
        filter: &ProductFilter,
        page: &PageRequest<ProductCursor>,
    ) -> Page<Product, ProductCursor> {
        let behind = |product: &&Product| page.after.as_ref().is_none_or(|after| rank(product) > rank_of(after));
        let all = self.of_kind(DocumentKind::Product);
        let all =
            all.filter_map(|document| if let Document::Product(product) = document { Some(product) } else { None });
        let mut products: Vec<_> = all.filter(behind).filter(|p| finds(filter, p)).collect();
        products.sort_by_key(|product| rank(product));
        cut(products.into_iter().cloned(), page.limit, |p| ProductCursor { created_at: p.created_at, id: p.id.clone() })
    }

    pub(super) fn categories(&self) -> Vec<Category> {
        self.of_kind(DocumentKind::Category).filter_map(|category| category.clone().try_into().ok()).collect()
    }
}

/// The first entries, and where it goes on if there are more.
pub(super) fn cut<T, K>(entries: impl Iterator<Item = T>, limit: u16, key: impl Fn(&T) -> K) -> Page<T, K> {
    let mut entries = entries.fuse();
    let items: Vec<_> = entries.by_ref().take(limit.into()).collect();
    let next = entries.next().and_then(|_| items.last().map(key));
    Page { items, next }
}

fn admits(filter: &OrderFilter, order: &Order) -> bool {
    filter.user.as_ref().is_none_or(|user| order.user_id == *user)
        && filter.status.as_ref().is_none_or(|status| order.status == *status)
        && filter.from.is_none_or(|from| order.created_at >= from)
        && filter.to.is_none_or(|to| order.created_at < to)
}

fn finds(filter: &ProductFilter, product: &Product) -> bool {
    let skus = product.variants.iter().map(|variant| variant.sku.as_str());
    let mut texts = skus.chain([product.name.as_str(), product.id.as_str()]).map(str::to_ascii_lowercase);
    let text = filter.text.as_ref().map(|text| text.to_ascii_lowercase());
    text.is_none_or(|text| texts.any(|candidate| candidate.contains(&text)))
        && (filter.categories.is_empty() || product.categories.iter().any(|id| filter.categories.contains(id)))
        && filter.active.is_none_or(|active| product.active == active)
}

/// Newest first, then by id.
fn rank(product: &Product) -> (Reverse<DateTime<Utc>>, &ProductId) {
    (Reverse(product.created_at), &product.id)
}

fn rank_of(place: &ProductCursor) -> (Reverse<DateTime<Utc>>, &ProductId) {
    (Reverse(place.created_at), &place.id)
}
