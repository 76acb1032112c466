//! A commit made ready for a writer: everything that can be done before it has its turn is done by the submitter.

use commerce_core::commit::{Commit, OrderChange};
use commerce_core::document::DocumentChange;
use commerce_core::order::Order;
use commerce_core::stored::Stored;
use serde_json::Error;

/// A commit with the texts that its rows will hold.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) commit: Commit,
    /// The texts of changed orders.
    pub(crate) orders: Vec<OrderTexts>,
    /// The texts of changed documents.
    pub(crate) documents: Vec<DocumentTexts>,
}

/// The texts of a changed order.
#[derive(Debug)]
pub(crate) struct OrderTexts {
    /// The bodies of its events.
    pub(crate) events: Vec<String>,
    /// Its state.
    pub(crate) state: Option<String>,
    /// The keys it is found by, if it is new. They never change.
    pub(crate) keys: Vec<String>,
}

/// The texts of a changed document.
#[derive(Debug)]
pub(crate) struct DocumentTexts {
    /// The body of its event.
    pub(crate) event: String,
    /// Its stored form.
    pub(crate) body: String,
}

impl Prepared {
    /// Serializes what has to be.
    ///
    /// # Errors
    /// None that a commit can cause; serializing to text is fallible by type.
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
        Ok(Self { event, body: change.document().stored().to_string() })
    }
}

/// The state of an order as its column holds it.
pub(crate) fn state(order: &Order) -> Result<Option<String>, Error> {
    order.state().map(|state| serde_json::to_string(&Stored(state))).transpose()
}
