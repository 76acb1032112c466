//! What is stored, what a commit needs of it, and what a commit writes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use commerce_core::cart::{Cart, CartStatus};
use commerce_core::catalog::{Category, Product};
use commerce_core::commit::{Commit, Facts, Needs, OrderChange, Receipt, ReceiptKey, Settled};
use commerce_core::event::HistoryEntry;
use commerce_core::ids::{CartId, CategoryId, OrderId, OrderNumber, ProductId, Sku, UserId};
use commerce_core::order::Order;
use commerce_core::stock::{Hold, HoldChange, Shelf, StockLevel};

use super::promotions::Promotions;
use super::tasks::Tasks;

/// Everything stored.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) receipts: BTreeMap<ReceiptKey, Receipt>,
    pub(super) orders: BTreeMap<OrderId, Order>,
    pub(super) numbers: BTreeMap<OrderNumber, OrderId>,
    pub(super) carts: BTreeMap<CartId, Cart>,
    pub(super) active_carts: BTreeMap<UserId, CartId>,
    pub(super) products: BTreeMap<ProductId, Product>,
    pub(super) sku_owners: BTreeMap<Sku, ProductId>,
    pub(super) categories: BTreeMap<CategoryId, Category>,
    pub(super) promotions: Promotions,
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
        let owner = |user: &&UserId| self.active_carts.get(*user).map(|cart| (UserId::clone(user), *cart));
        let seller = |sku: &&Sku| self.sku_owners.get(*sku).map(|product| (Sku::clone(sku), product.clone()));
        let shelf = |(sku, orders): (&&Sku, &BTreeSet<OrderId>)| (Sku::clone(sku), self.shelf(sku, orders, needs.at));
        Facts {
            receipts: needs.receipts.iter().filter_map(|key| Some(((*key).clone(), self.receipt(key)?))).collect(),
            orders: needs.orders.iter().filter_map(|id| Some((*id, self.orders.get(id)?.version))).collect(),
            numbers: needs.numbers.iter().filter(|n| self.numbers.contains_key(**n)).map(|n| (*n).clone()).collect(),
            carts: needs.carts.iter().filter_map(|id| Some((*id, self.carts.get(id)?.version))).collect(),
            active_carts: needs.cart_owners.iter().filter_map(owner).collect(),
            products: needs.products.iter().filter_map(|id| Some(((*id).clone(), self.product(id)?.version))).collect(),
            sku_owners: needs.sku_owners.iter().filter_map(seller).collect(),
            shelves: needs.shelves.iter().map(shelf).collect(),
            campaigns: needs
                .campaigns
                .iter()
                .filter_map(|id| Some(((*id).clone(), self.promotions.version(id)?)))
                .collect(),
            tallies: needs.tallies.iter().map(|(id, who)| ((*id).clone(), self.promotions.tally(id, who))).collect(),
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
        commit.carts.iter().for_each(|change| self.write_cart(&change.cart));
        commit.products.iter().for_each(|change| self.write_product(&change.product));
        self.categories.extend(commit.categories.iter().map(|category| (category.id.clone(), category.clone())));
        self.history.extend(settled.stock_events.into_iter().map(|(sku, event)| HistoryEntry::Stock(sku, event)));
        self.promotions.write(commit);
        commit.tasks.iter().for_each(|change| self.tasks.change(*change));
    }

    /// Writes what a batch made of the stock.
    pub(super) fn write_shelves(&mut self, facts: &Facts) {
        let changed = facts.shelves.iter().filter(|(_, shelf)| shelf.is_changed());
        changed.for_each(|(sku, shelf)| self.write_shelf(sku, shelf));
    }

    fn write_order(&mut self, change: &OrderChange) {
        let order = change.order();
        self.numbers.insert(order.number.clone(), order.id);
        self.orders.insert(order.id, order.clone());
        let places = self.order_events.entry(order.id).or_default();
        for entry in change.events() {
            places.push(self.history.len());
            self.history.push(HistoryEntry::Order(order.id, entry.clone()));
        }
    }

    fn write_cart(&mut self, cart: &Cart) {
        let owner = &cart.user_id;
        if cart.status == CartStatus::Active {
            self.active_carts.insert(owner.clone(), cart.id);
        } else if self.active_carts.get(owner) == Some(&cart.id) {
            self.active_carts.remove(owner);
        }
        self.carts.insert(cart.id, cart.clone());
    }

    fn write_product(&mut self, product: &Product) {
        let old = self.products.insert(product.id.clone(), product.clone());
        for variant in old.iter().flat_map(|old| &old.variants) {
            self.sku_owners.remove(&variant.sku);
        }
        self.sku_owners.extend(product.variants.iter().map(|variant| (variant.sku.clone(), product.id.clone())));
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
