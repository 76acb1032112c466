//! The changes of the accepted commits of a batch, grouped by table.
//!
//! A row that several commits change is written once, in its last state.

use std::collections::BTreeMap;

use commerce_core::commit::Accepted;
use commerce_core::document::{Document, DocumentChange, DocumentId};
use commerce_core::ids::OrderId;
use commerce_core::order::Order;
use commerce_core::task::{Task, TaskChange, TaskKey};

use crate::fault::Answer;
use crate::prepared::{DocumentTexts, Prepared};
use crate::rows::document::{DocumentKeyRow, DocumentRow};
use crate::rows::event::NewEventRow;
use crate::rows::idempotency::IdempotencyRow;

/// A new or replaced order.
#[derive(Debug)]
pub(crate) struct OrderDraft<'a> {
    pub(crate) new: bool,
    pub(crate) order: &'a Order,
    pub(crate) state: Option<&'a str>,
}

/// A new or replaced document.
#[derive(Debug)]
pub(crate) struct DocumentDraft<'a> {
    pub(crate) new: bool,
    pub(crate) document: &'a Document,
    pub(crate) body: &'a str,
}

impl<'a> DocumentDraft<'a> {
    pub(crate) fn row(&self, id: &'a DocumentId) -> DocumentRow<'a> {
        DocumentRow::of(id, self.document, self.body)
    }
}

#[derive(Debug, Default)]
pub(crate) struct TaskDraft {
    pub(crate) finished: bool,
    pub(crate) scheduled: Option<Task>,
}

/// All changes of a batch except those of stock, which are in the loaded state.
#[derive(Debug, Default)]
pub(crate) struct Changes<'a> {
    pub(crate) orders: BTreeMap<OrderId, OrderDraft<'a>>,
    pub(crate) documents: BTreeMap<&'a DocumentId, DocumentDraft<'a>>,
    /// The keys by which lists find documents that are added (`true`) or dropped.
    pub(crate) document_keys: BTreeMap<(&'a DocumentId, &'a str), bool>,
    pub(crate) order_keys: Vec<DocumentKeyRow<'a>>,
    pub(crate) events: Vec<NewEventRow<'a>>,
    pub(crate) idempotency_records: Vec<IdempotencyRow<'a>>,
    pub(crate) tasks: BTreeMap<&'a TaskKey, TaskDraft>,
}

impl<'a> Changes<'a> {
    /// Collects the changes of accepted commits, in order.
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
        for (change, texts) in commit.orders.iter().zip(&prepared.orders) {
            let (order, state) = (change.order(), texts.state.as_deref());
            let draft = self.orders.entry(order.id);
            let draft = draft.or_insert(OrderDraft { new: change.expected() == 0, order, state });
            (draft.order, draft.state) = (order, state);
            self.order_keys.extend(DocumentKeyRow::of_order(order.id, &texts.keys));
            let rows = change.events().iter().zip(&texts.events);
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
        let (document, body) = (change.document(), texts.body.as_str());
        let first = DocumentDraft { new: change.expected() == 0, document, body };
        let draft = self.documents.entry(change.id()).or_insert(first);
        (draft.document, draft.body) = (document, body);
        change.dropped_keys().iter().for_each(|key| self.change_key(change.id(), key, false));
        change.added_keys().iter().for_each(|key| self.change_key(change.id(), key, true));
        self.events.push(NewEventRow::of_document(change, &texts.event));
    }

    /// A key that one commit adds and another drops is as it was.
    fn change_key(&mut self, id: &'a DocumentId, key: &'a str, added: bool) {
        if self.document_keys.remove(&(id, key)).is_none() {
            self.document_keys.insert((id, key), added);
        }
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
