//! Preparing a commit for a writer. The submitter does all work that does not need the writer's turn.

use commerce_core::commit::{Commit, OrderChange};
use commerce_core::document::DocumentChange;
use commerce_core::order::Order;
use commerce_core::stored::Stored;
use serde_json::Error;

/// A commit with the texts of its rows.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) commit: Commit,
    pub(crate) orders: Vec<OrderTexts>,
    pub(crate) documents: Vec<DocumentTexts>,
}

#[derive(Debug)]
pub(crate) struct OrderTexts {
    /// The bodies of the events.
    pub(crate) events: Vec<String>,
    pub(crate) state: Option<String>,
    /// The keys by which lists find the order. Only for a new order; they never change.
    pub(crate) keys: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct DocumentTexts {
    pub(crate) event: String,
    /// The stored form.
    pub(crate) body: String,
}

impl Prepared {
    /// # Errors
    /// Serialization fails, which no commit causes.
    pub(crate) fn new(commit: Commit) -> Result<Self, Error> {
        let orders = commit.orders.iter().map(OrderTexts::of).collect::<Result<_, _>>()?;
        let documents = commit.documents.iter().map(DocumentTexts::of).collect::<Result<_, _>>()?;
        Ok(Self { commit, orders, documents })
    }
}

impl OrderTexts {
    fn of(change: &OrderChange) -> Result<Self, Error> {
        let events = change.events().iter().map(|entry| serde_json::to_string(&Stored(&entry.event)));
        let keys = if change.expected() == 0 { change.order().keys() } else { Vec::new() };
        Ok(Self { events: events.collect::<Result<_, _>>()?, state: state(change.order())?, keys })
    }
}

impl DocumentTexts {
    fn of(change: &DocumentChange) -> Result<Self, Error> {
        let event = serde_json::to_string(&Stored(&change.event().event.change))?;
        Ok(Self { event, body: change.stored().to_string() })
    }
}

pub(crate) fn state(order: &Order) -> Result<Option<String>, Error> {
    order.state().map(|state| serde_json::to_string(&Stored(state))).transpose()
}
