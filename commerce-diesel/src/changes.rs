//! What the accepted commits of a batch change, gathered by table.
//!
//! A row that several commits of a batch change is written once, as the last of them leaves it.

mod order;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use commerce_core::cart::Cart;
use commerce_core::catalog::{Category, Product};
use commerce_core::commit::Accepted;
use commerce_core::ids::{CartId, CategoryId, OrderId, ProductId, PromotionId};
use commerce_core::promotion::PromotionRecord;
use commerce_core::task::{TaskChange, TaskKey};

pub(crate) use self::order::OrderDraft;
use crate::fault::Answer;
use crate::prepared::Prepared;
use crate::rows::event::NewEventRow;
use crate::rows::idempotency::IdempotencyRow;

/// A document that is new, or takes the place of the one that was read.
#[derive(Debug)]
pub(crate) struct Draft<'a, T> {
    pub(crate) new: bool,
    pub(crate) document: &'a T,
}

/// What becomes of a task.
#[derive(Debug, Default)]
pub(crate) struct TaskDraft {
    pub(crate) finished: bool,
    pub(crate) scheduled: Option<DateTime<Utc>>,
}

/// Everything a batch writes but stock, which stands in the loaded state.
#[derive(Debug, Default)]
pub(crate) struct Changes<'a> {
    pub(crate) orders: BTreeMap<OrderId, OrderDraft<'a>>,
    pub(crate) carts: BTreeMap<CartId, Draft<'a, Cart>>,
    pub(crate) products: BTreeMap<&'a ProductId, Draft<'a, Product>>,
    pub(crate) promotions: BTreeMap<&'a PromotionId, Draft<'a, PromotionRecord>>,
    pub(crate) categories: BTreeMap<&'a CategoryId, &'a Category>,
    pub(crate) events: Vec<NewEventRow<'a>>,
    pub(crate) idempotency_records: Vec<IdempotencyRow<'a>>,
    pub(crate) tasks: BTreeMap<TaskKey, TaskDraft>,
}

impl<'a> Changes<'a> {
    /// Gathers what the accepted commits say, in their order.
    pub(crate) fn of(accepted: impl IntoIterator<Item = (&'a Prepared, &'a Accepted)>) -> Answer<Self> {
        accepted.into_iter().try_fold(Self::default(), |mut changes, (prepared, settled)| {
            changes.add(prepared);
            for (sku, entry) in &settled.stock_events {
                changes.events.push(NewEventRow::of_stock(sku, entry)?);
            }
            Ok(changes)
        })
    }

    fn add(&mut self, prepared: &'a Prepared) {
        let commit = &prepared.commit;
        for (change, bodies) in commit.orders.iter().zip(&prepared.bodies) {
            let order = change.order();
            let draft = self.orders.entry(order.id).or_insert_with(|| OrderDraft::new(order));
            draft.add(change);
            let rows = change.events().iter().zip(bodies);
            self.events.extend(rows.map(|(entry, body)| NewEventRow::of_order(order.id, entry, body)));
        }
        for change in &commit.carts {
            put(&mut self.carts, change.cart.id, change.expected == 0, &change.cart);
        }
        for change in &commit.products {
            put(&mut self.products, &change.product.id, change.expected == 0, &change.product);
        }
        for change in &commit.promotions {
            put(&mut self.promotions, change.record.id(), change.expected == 0, &change.record);
        }
        self.categories.extend(commit.categories.iter().map(|category| (&category.id, category)));
        self.idempotency_records.extend(commit.idempotency.iter().map(IdempotencyRow::of));
        for change in &commit.tasks {
            self.add_task(*change);
        }
    }

    fn add_task(&mut self, change: TaskChange) {
        match change {
            TaskChange::Schedule { key, due } => {
                self.tasks.entry(key).or_default().scheduled.get_or_insert(due);
            }
            TaskChange::Finish(key) => {
                self.tasks.insert(key, TaskDraft { finished: true, scheduled: None });
            }
        }
    }
}

fn put<'a, K: Ord, T>(drafts: &mut BTreeMap<K, Draft<'a, T>>, key: K, new: bool, document: &'a T) {
    let draft = drafts.entry(key).or_insert(Draft { new, document });
    draft.document = document;
}
