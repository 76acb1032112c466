//! A commit made ready for a writer: everything that can be done before it has its turn is done by the submitter.

use commerce_core::commit::{Commit, OrderChange};
use commerce_core::document::{Document, DocumentChange};
use commerce_core::stored::Stored;

/// A commit with the texts that its rows will hold.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) commit: Commit,
    /// The bodies of the events, per order.
    pub(crate) bodies: Vec<Vec<String>>,
    /// The texts of changed documents.
    pub(crate) documents: Vec<DocumentTexts>,
}

/// The texts of a changed document.
#[derive(Debug)]
pub(crate) struct DocumentTexts {
    /// The body of its event.
    pub(crate) event: String,
    /// Its stored form, for kinds that have no table of their own.
    pub(crate) body: Option<String>,
}

impl Prepared {
    /// Serializes what has to be.
    ///
    /// # Errors
    /// None that a commit can cause; serializing to text is fallible by type.
    pub(crate) fn new(commit: Commit) -> Result<Self, serde_json::Error> {
        let bodies = commit.orders.iter().map(bodies).collect::<Result<_, _>>()?;
        let documents = commit.documents.iter().map(DocumentTexts::of).collect::<Result<_, _>>()?;
        Ok(Self { commit, bodies, documents })
    }
}

impl DocumentTexts {
    fn of(change: &DocumentChange) -> Result<Self, serde_json::Error> {
        let event = serde_json::to_string(&Stored(&change.event().event.change))?;
        let body = match change.document() {
            Document::Cart(_) | Document::Product(_) => None,
            document @ (Document::Category(_) | Document::Promotion(_)) => Some(document.stored().to_string()),
        };
        Ok(Self { event, body })
    }
}

fn bodies(change: &OrderChange) -> Result<Vec<String>, serde_json::Error> {
    change.events().iter().map(|entry| serde_json::to_string(&Stored(&entry.event))).collect()
}
