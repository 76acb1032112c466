//! Documents: values with an id and a version that a commit replaces as a whole.
//!
//! Carts, products, categories, payments and promotions are documents. The version that a change was decided on is a guard of its
//! commit. The [claims](Claim) of a document are unique in the shop. Every change appends an event with the actor, the
//! time and the change to the document's history: the first event contains the whole value, later events a JSON merge
//! patch ([RFC 7396](https://www.rfc-editor.org/rfc/rfc7396)). [`replay`] folds them.
//!
//! # Stored form
//! [`Document::stored`] is the value as JSON, without null members and with the number of its format in the member `v`.
//! Reading ignores unknown members and refuses a newer format.
//!
//! # Invariants
//! * `DOC-1`: the version of a document is the sequence of its last event. Versions have no gap.
//! * `DOC-2`: a claim has at most one owner.
//! * `DOC-3`: folding the events of a document gives the document.
//!
//! # Tasks
//! A payment, or an event of a processor or of another system, has a task while its stored form has the member `ask_at`, due at that time. A payment has
//! another one while it has `evidence_at`. [`task_changes`] derives changes of tasks from the change of a document, for commits and for
//! [`replay`](crate::replay) alike.
//!
//! # Adding a kind
//! Implement [`Aggregate`] for the value and list it in the macro call below, with the field that is its id. A kind of
//! low volume needs nothing more: stores have one table for all such kinds and find documents by their
//! [keys](Aggregate::keys).

mod change;
mod patch;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

pub use self::change::{Delta, DocumentChange, DocumentEvent, ReplayedError, replay, task_changes};
use crate::cart::{Cart, CartStatus};
use crate::catalog::{Category, Product};
use crate::customer::Customer;
use crate::inbox::{ExternalStock, InboxEvent};
use crate::payment::{EventCursor, Payment, ReceivedEvent, SavedMethod};
use crate::promotion::PromotionRecord;
use crate::text::named;
use crate::webhook::WebhookEndpoint;

pub use crate::stored::VERSION as STORED_FORMAT;

/// The id, version and time of a document. The list of documents in this module implements it.
pub trait Versioned {
    /// Its kind.
    const KIND: DocumentKind;

    /// The usual type of its first event: `NOUN.created`.
    const CREATED: &'static str;

    /// The usual type of every later event: `NOUN.updated`.
    const UPDATED: &'static str;

    /// The id as text.
    fn key(&self) -> String;

    /// Grows by one with every change; 1 for a new document.
    fn version(&self) -> u64;

    /// When it was created. Lists are in this order, newest first.
    fn created_at(&self) -> DateTime<Utc>;
}

/// A value that is stored as a document.
pub trait Aggregate:
    Versioned + Serialize + DeserializeOwned + Into<Document> + TryFrom<Document, Error = StoredError>
{
    /// The claims of the document.
    fn claims(&self) -> Vec<Claim> {
        Vec::new()
    }

    /// The keys by which lists find the document.
    fn keys(&self) -> Vec<String> {
        Vec::new()
    }

    /// The text for searches, such as a name.
    fn search(&self) -> String {
        String::new()
    }

    /// Every type of its events.
    const EVENT_TYPES: &[&str] = &[Self::CREATED, Self::UPDATED];

    /// The type of the event of a change. `before` is `None` for a new document.
    fn event_type(&self, before: Option<&Self>) -> &'static str {
        if before.is_some() { Self::UPDATED } else { Self::CREATED }
    }
}

macro_rules! documents {
    ($($(#[$doc:meta])* $kind:ident($value:ty, $($id:tt)+), $name:literal;)*) => {
        named! {
            /// The kinds of documents.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub enum DocumentKind {
                $($(#[$doc])* $kind = $name,)*
            }
        }

        /// A document of any kind.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Document {
            $($(#[$doc])* $kind($value),)*
        }

        $(impl Versioned for $value {
            const KIND: DocumentKind = DocumentKind::$kind;
            const CREATED: &'static str = concat!($name, ".created");
            const UPDATED: &'static str = concat!($name, ".updated");

            fn key(&self) -> String {
                self.$($id)+.to_string()
            }

            fn version(&self) -> u64 {
                self.version
            }

            fn created_at(&self) -> DateTime<Utc> {
                self.created_at
            }
        }

        impl From<$value> for Document {
            fn from(value: $value) -> Self {
                Self::$kind(value)
            }
        }

        impl TryFrom<Document> for $value {
            type Error = StoredError;

            fn try_from(document: Document) -> Result<Self, StoredError> {
                match document {
                    Document::$kind(value) => Ok(value),
                    other => Err(StoredError::Kind { expected: DocumentKind::$kind, found: other.kind() }),
                }
            }
        })*

        impl DocumentKind {
            /// Every type of the events of such documents.
            pub const fn event_types(self) -> &'static [&'static str] {
                match self {
                    $(Self::$kind => <$value as Aggregate>::EVENT_TYPES,)*
                }
            }
        }

        impl Document {
            /// Its kind.
            pub const fn kind(&self) -> DocumentKind {
                match self {
                    $(Self::$kind(_) => DocumentKind::$kind,)*
                }
            }

            /// Identifies the document.
            pub fn id(&self) -> DocumentId {
                match self {
                    $(Self::$kind(value) => id_of(value),)*
                }
            }

            /// Its version.
            pub fn version(&self) -> u64 {
                match self {
                    $(Self::$kind(value) => value.version(),)*
                }
            }

            /// When it was created.
            pub fn created_at(&self) -> DateTime<Utc> {
                match self {
                    $(Self::$kind(value) => value.created_at(),)*
                }
            }

            /// The keys by which lists find the document.
            pub fn keys(&self) -> Vec<String> {
                match self {
                    $(Self::$kind(value) => value.keys(),)*
                }
            }

            /// The claims of the document.
            pub fn claims(&self) -> Vec<Claim> {
                match self {
                    $(Self::$kind(value) => value.claims(),)*
                }
            }

            /// The text for searches.
            pub fn search(&self) -> String {
                match self {
                    $(Self::$kind(value) => value.search(),)*
                }
            }

            /// The stored form.
            pub fn stored(&self) -> Value {
                match self {
                    $(Self::$kind(value) => stored(value),)*
                }
            }

            /// Parses the text of a stored form.
            ///
            /// # Errors
            /// [`StoredError`] if the format is newer or the value is invalid.
            pub fn from_text(kind: DocumentKind, text: &str) -> Result<Self, StoredError> {
                match kind {
                    $(DocumentKind::$kind => read_text::<$value>(text).map(Self::$kind),)*
                }
            }

            /// Parses a stored form.
            ///
            /// # Errors
            /// [`StoredError`] if the format is newer or the value is invalid.
            pub fn from_stored(kind: DocumentKind, value: Value) -> Result<Self, StoredError> {
                match kind {
                    $(DocumentKind::$kind => read::<$value>(value).map(Self::$kind),)*
                }
            }
        }
    };
}

documents! {
    /// A cart of a customer.
    Cart(Cart, id), "cart";
    /// A category of products.
    Category(Category, id), "category";
    /// What the shop knows of a user.
    Customer(Customer, id), "customer";
    /// How far the events of a payment processor were read.
    EventCursor(EventCursor, id), "event_cursor";
    /// The version of the last level of stock that another system told.
    ExternalStock(ExternalStock, id), "external_stock";
    /// An event of another system.
    InboxEvent(InboxEvent, id), "inbox_event";
    /// An attempt to be paid for an order.
    Payment(Payment, id), "payment";
    /// A means of payment that a customer has saved.
    SavedMethod(SavedMethod, id), "payment_method";
    /// An event of a payment processor.
    ProcessorEvent(ReceivedEvent, id), "processor_event";
    /// A product with its variants.
    Product(Product, id), "product";
    /// A promotion of the shop.
    Promotion(PromotionRecord, id()), "promotion";
    /// A URL to which events are sent.
    WebhookEndpoint(WebhookEndpoint, id), "webhook_endpoint";
}

impl DocumentKind {
    /// Whether events of such documents leave the shop. Those about the inbox of payment events and about saved means of
    /// payment do not: they have values of the payment processor. Those about endpoints of webhooks do not: a URL may be a secret of
    /// its owner. Those about events of other systems do not: they have messages of others.
    pub const fn is_published(self) -> bool {
        match self {
            Self::EventCursor
            | Self::ExternalStock
            | Self::InboxEvent
            | Self::ProcessorEvent
            | Self::SavedMethod
            | Self::WebhookEndpoint => false,
            Self::Cart | Self::Category | Self::Customer | Self::Payment | Self::Product | Self::Promotion => true,
        }
    }
}

/// Identifies a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DocumentId {
    pub kind: DocumentKind,
    /// Unique within the kind.
    pub id: String,
}

impl DocumentId {
    /// The document of a noun with this id.
    pub fn new(kind: DocumentKind, id: &impl ToString) -> Self {
        Self { kind, id: id.to_string() }
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id)
    }
}

/// Selects documents of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentFilter {
    /// Each list must contain one of the document's [keys](Aggregate::keys).
    pub keys: Vec<Vec<String>>,
    /// A key that the document must not have. Few documents should have it: stores read all of them.
    pub without: Option<String>,
    /// A part of [`Aggregate::search`], without regard to ASCII case.
    pub text: Option<String>,
}

impl DocumentFilter {
    /// Documents with all of these keys.
    pub fn all_of(keys: Vec<String>) -> Self {
        Self { keys: keys.into_iter().map(|key| Vec::from([key])).collect(), ..Self::default() }
    }

    /// Whether a document is selected.
    pub fn admits(&self, document: &Document) -> bool {
        let keys = document.keys();
        let contains = |text: &String| document.search().to_ascii_lowercase().contains(&text.to_ascii_lowercase());
        self.keys.iter().all(|any| any.iter().any(|key| keys.contains(key)))
            && self.without.as_ref().is_none_or(|key| !keys.contains(key))
            && self.text.as_ref().is_none_or(contains)
    }
}

named! {
    /// The kind of a claim.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum ClaimKind {
        /// The one active cart of a customer; the key is the user id.
        ActiveCart = "active_cart",
        /// One of the places that a shop has for events of other systems that are dead or wait.
        DeadLetter = "dead_letter",
        /// What another system tells about the stock of a SKU.
        ExternalStock = "external_stock",
        /// An event of another system.
        InboxEvent = "inbox_event",
        /// An order number.
        OrderNumber = "order_number",
        /// One of the places that a customer has for saved means of payment.
        SavedMethod = "payment_method",
        /// A SKU; the owner is the product that sells it.
        Sku = "sku",
        /// The key of a change of stock that another system made.
        StockDelta = "stock_delta",
        /// One of the places that a shop has for endpoints of webhooks.
        WebhookEndpoint = "webhook_endpoint",
    }
}

/// A key that at most one document or order has at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Claim {
    pub kind: ClaimKind,
    /// Unique within the kind.
    pub key: String,
}

impl Claim {
    /// A claim on a key.
    pub fn new(kind: ClaimKind, key: &impl ToString) -> Self {
        Self { kind, key: key.to_string() }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.key)
    }
}

/// Why a stored value cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum StoredError {
    /// The format is newer than this version.
    #[error("written by a newer version: format {found}, this version reads up to {STORED_FORMAT}")]
    Newer { found: u64 },
    /// The value is not a stored form of this kind.
    #[error("not a stored {0}")]
    Malformed(DocumentKind),
    /// The document is of another kind.
    #[error("a {found} was found where a {expected} is expected")]
    Kind { expected: DocumentKind, found: DocumentKind },
}

fn id_of<T: Aggregate>(value: &T) -> DocumentId {
    DocumentId { kind: T::KIND, id: value.key() }
}

fn stored<T: Aggregate>(value: &T) -> Value {
    #[expect(clippy::expect_used, reason = "documents have string keys and no type whose serialization fails")]
    let mut stored = serde_json::to_value(value).expect("a document serializes to JSON");
    patch::drop_nulls(&mut stored);
    if let Value::Object(members) = &mut stored {
        members.insert("v".into(), STORED_FORMAT.into());
    }
    stored
}

fn read<T: Aggregate>(value: Value) -> Result<T, StoredError> {
    let format = value.get("v").and_then(Value::as_u64).unwrap_or(STORED_FORMAT);
    if format > STORED_FORMAT {
        return Err(StoredError::Newer { found: format });
    }
    serde_json::from_value(value).map_err(|_| StoredError::Malformed(T::KIND))
}

/// The number of the format alone.
#[derive(Deserialize)]
struct Format {
    v: Option<u64>,
}

/// Without a tree of the JSON in between, which takes longer than the text.
fn read_text<T: Aggregate>(text: &str) -> Result<T, StoredError> {
    let malformed = |_| StoredError::Malformed(T::KIND);
    match serde_json::from_str(text).map_err(malformed)? {
        Format { v: Some(found) } if found > STORED_FORMAT => Err(StoredError::Newer { found }),
        Format { .. } => serde_json::from_str(text).map_err(malformed),
    }
}

impl Aggregate for Cart {
    const EVENT_TYPES: &[&str] = &[Self::CREATED, Self::UPDATED, "cart.checked_out", "cart.expired"];

    fn claims(&self) -> Vec<Claim> {
        let active = self.status == CartStatus::Active;
        active.then(|| Claim::new(ClaimKind::ActiveCart, &self.user_id)).into_iter().collect()
    }

    fn keys(&self) -> Vec<String> {
        self.metadata.lookup_keys().collect()
    }

    fn event_type(&self, before: Option<&Self>) -> &'static str {
        match (before, self.status) {
            (_, CartStatus::CheckedOut) => "cart.checked_out",
            (None, CartStatus::Active | CartStatus::Expired) => Self::CREATED,
            (Some(_), CartStatus::Active) => Self::UPDATED,
            (Some(_), CartStatus::Expired) => "cart.expired",
        }
    }
}

impl Aggregate for Category {}

impl Aggregate for Product {
    fn claims(&self) -> Vec<Claim> {
        self.variants.iter().map(|variant| Claim::new(ClaimKind::Sku, &variant.sku)).collect()
    }

    fn keys(&self) -> Vec<String> {
        let categories = self.categories.iter().map(Self::key_of_category);
        categories.chain((!self.active).then(|| Self::INACTIVE.into())).chain(self.metadata.lookup_keys()).collect()
    }

    /// Name, id and SKUs, one per line.
    fn search(&self) -> String {
        let skus = self.variants.iter().map(|variant| variant.sku.as_str());
        [self.name.as_str(), self.id.as_str()].into_iter().chain(skus).collect::<Vec<_>>().join("\n")
    }
}

impl Aggregate for PromotionRecord {
    const EVENT_TYPES: &[&str] = &[Self::CREATED, Self::UPDATED, "promotion.ended"];

    /// A promotion is a candidate for customers who enter its code. Without a code, it is a candidate for all until it
    /// is ended.
    fn keys(&self) -> Vec<String> {
        let definition = self.promotion.definition();
        let candidate = match definition.code_key() {
            Some(code) => Some(Self::key_of_code(&code)),
            None => self.ended_at.is_none().then(|| Self::AUTOMATIC.into()),
        };
        candidate.into_iter().chain(definition.metadata.lookup_keys()).collect()
    }

    fn event_type(&self, before: Option<&Self>) -> &'static str {
        match before {
            None => Self::CREATED,
            Some(before) if before.ended_at.is_none() && self.ended_at.is_some() => "promotion.ended",
            Some(_) => Self::UPDATED,
        }
    }
}
