//! What the accepted commits of a batch change, gathered by table.
//!
//! A row that several commits of a batch change is written once, as the last of them leaves it.

mod order;

use std::collections::BTreeMap;

use commerce_core::cart::Cart;
use commerce_core::catalog::Product;
use commerce_core::commit::Accepted;
use commerce_core::document::{Document, DocumentChange, DocumentId};
use commerce_core::ids::{CartId, OrderId, ProductId};
use commerce_core::task::{Task, TaskChange, TaskKey};

pub(crate) use self::order::OrderDraft;
use crate::fault::Answer;
use crate::prepared::{DocumentTexts, Prepared};
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
    pub(crate) scheduled: Option<Task>,
}

/// A document of a kind without a table of its own.
#[derive(Debug)]
pub(crate) struct DocumentDraft<'a> {
    pub(crate) new: bool,
    pub(crate) document: &'a Document,
    pub(crate) body: &'a str,
}

/// Everything a batch writes but stock, which stands in the loaded state.
#[derive(Debug, Default)]
pub(crate) struct Changes<'a> {
    pub(crate) orders: BTreeMap<OrderId, OrderDraft<'a>>,
    pub(crate) carts: BTreeMap<CartId, Draft<'a, Cart>>,
    pub(crate) products: BTreeMap<&'a ProductId, Draft<'a, Product>>,
    pub(crate) documents: BTreeMap<&'a DocumentId, DocumentDraft<'a>>,
    pub(crate) events: Vec<NewEventRow<'a>>,
    pub(crate) idempotency_records: Vec<IdempotencyRow<'a>>,
    pub(crate) tasks: BTreeMap<&'a TaskKey, TaskDraft>,
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
        for (change, texts) in commit.documents.iter().zip(&prepared.documents) {
            self.add_document(change, texts);
        }
        self.idempotency_records.extend(commit.idempotency.iter().map(IdempotencyRow::of));
        for change in &commit.tasks {
            self.add_task(change);
        }
    }

    fn add_document(&mut self, change: &'a DocumentChange, texts: &'a DocumentTexts) {
        let new = change.expected() == 0;
        match (change.document(), &texts.body) {
            (Document::Cart(cart), _) => put(&mut self.carts, cart.id, new, cart),
            (Document::Product(product), _) => put(&mut self.products, &product.id, new, product),
            (document, body) => {
                let body = body.as_deref().unwrap_or_default();
                let first = DocumentDraft { new, document, body };
                let draft = self.documents.entry(change.id()).or_insert(first);
                (draft.document, draft.body) = (document, body);
            }
        }
        self.events.push(NewEventRow::of_document(change, &texts.event));
    }

    fn add_task(&mut self, change: &'a TaskChange) {
        match change {
            TaskChange::Schedule { key, due, payload } => {
                let task = || Task::scheduled(key.clone(), *due, payload.clone());
                self.tasks.entry(key).or_default().scheduled.get_or_insert_with(task);
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
