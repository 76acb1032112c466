//! The payment processor.

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ids::{OperationId, OrderId, PaymentId, PaymentMethodId, UserId};
use crate::money::Money;
use crate::payment::{
    CaptureMode, Decline, OperationAnswer, OperationKind, OperationOutcome, PaymentMethod, Reference, SavedCard,
};
use crate::text::BoundedString;

/// Moves money: holds it, takes it, pays it back.
///
/// # Contract
/// * An operation has an id of the shop. The processor performs it at most once, however often and however concurrently it
///   is sent. A repetition gets the answer of the first, even if the rest of the request differs. A pending answer may
///   have become final by then.
/// * Errors say whether something may have happened. [`ProcessorError::NotDone`] is a promise that nothing did and nothing will.
///   Everything else is [`ProcessorError::Unknown`]: a time-out, a broken connection, an answer that cannot be read.
/// * [`find`](Self::find) knows every operation that was performed. `None` means that the operation was not performed *yet*: a
///   request that was sent may still arrive, within [`IN_FLIGHT_SECONDS`].
/// * A decline is an answer, not an error. It moved nothing.
/// * Amounts of captures never exceed what is held, amounts of refunds never exceed what was taken.
/// * Answers, events and errors contain no card data and no secrets.
///
/// `commerce-testkit` has a conformance suite, `suite::processor`.
#[async_trait]
pub trait Processor: Send + Sync + fmt::Debug {
    /// The name in URLs and stored payments: lower-case letters, digits and dashes, such as `stripe`. It never changes.
    fn name(&self) -> &'static str;

    /// Whether a payment must be [opened](Self::open) before the customer can pay.
    fn must_open(&self) -> bool {
        false
    }

    /// Whether each of its events has the shop's id of the payment, so that none waits until the shop knows the processor's id.
    fn names_payments(&self) -> bool {
        false
    }

    /// Makes a payment known to the processor. Repeated, it gives the same reference and a secret of today; after what was held was
    /// given back, maybe another reference, with which it can be paid again. A processor where payments need not be opened is not
    /// called for it.
    async fn open(&self, payment: &PaymentTerms) -> Result<OpenedPayment, ProcessorError>;

    /// Closes a payment that was opened: the customer cannot pay any more. What is held or taken by then stays so. No effect on a
    /// payment that was paid or closed before.
    async fn close(&self, payment: &PaymentTerms) -> Result<(), ProcessorError>;

    /// What saves means of payment. `None` if the processor cannot.
    fn saved_means(&self) -> Option<&dyn SavedMeans> {
        None
    }

    /// Performs an operation.
    async fn perform(&self, request: &OperationRequest) -> Result<OperationAnswer, ProcessorError>;

    /// The answer of today to an operation that was sent before. `None` if the processor does not know it.
    async fn find(&self, lookup: &OperationLookup) -> Result<Option<OperationAnswer>, ProcessorError>;

    /// What happened after a cursor that this method gave, oldest first; `None` for as much as the processor remembers. Each
    /// event is listed once and is the same as in webhooks. Events may be listed up to a few minutes late, never left out.
    async fn list(&self, after: Option<&str>) -> Result<ProcessorEvents, ProcessorError>;

    /// Verifies and reads a webhook. It is pure: equal input gives an equal result. Events that do not concern money are left out.
    ///
    /// # Errors
    /// [`WebhookRejection`]; nothing in the body may be believed then.
    fn read_webhook(&self, webhook: &Webhook<'_>) -> Result<Vec<ProcessorEvent>, WebhookRejection>;
}

/// Saves means of payment of customers, so that they can be charged later. No money moves.
///
/// # Contract
/// * A setup is started for a customer who agrees that the means of payment is charged when they are not there.
/// * What is saved is charged by an authorization with [`PaymentToken::saved`].
/// * Answers contain no card data except the brand and the last four digits.
#[async_trait]
pub trait SavedMeans: Send + Sync {
    /// Starts to save a means of payment.
    async fn start_setup(&self, request: &SetupRequest) -> Result<Setup, ProcessorError>;

    /// How a setup stands today.
    async fn find_setup(&self, setup: &Reference) -> Result<Setup, ProcessorError>;

    /// Forgets what was saved: it cannot be charged any more. No effect if it was forgotten before.
    async fn forget(&self, saved: &Reference) -> Result<(), ProcessorError>;
}

/// A means of payment to save.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SetupRequest {
    /// The idempotency key.
    pub id: PaymentMethodId,
    pub user: UserId,
    /// What the customer's client got from the processor in place of card data. `None`: the client enters them at the processor.
    pub token: Option<PaymentToken>,
}

/// How the saving of a means of payment stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Setup {
    pub reference: Reference,
    /// With it the customer's client goes on while it is pending.
    pub client_secret: Option<ClientSecret>,
    pub outcome: SetupOutcome,
}

/// What became of a setup.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SetupOutcome {
    /// The customer has to act.
    Pending,
    Saved(SavedCard),
    Declined(Decline),
}

/// How long a request that was sent can take to arrive at a processor, in seconds. If [`Processor::find`] knows nothing of an
/// operation after that, it was not performed and will not be.
pub const IN_FLIGHT_SECONDS: i64 = 300;

/// What the shop and the processor agree on about a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PaymentTerms {
    pub payment: PaymentId,
    pub order: OrderId,
    pub user: UserId,
    /// What the customer agreed to pay.
    pub amount: Money,
    pub method: Option<PaymentMethod>,
    pub capture: CaptureMode,
    /// The processor's id of the payment, as soon as it is known.
    pub reference: Option<Reference>,
}

/// A payment that the processor knows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct OpenedPayment {
    pub reference: Reference,
    /// `None` if the customer cannot pay any more, or the processor has no secrets.
    pub client_secret: Option<ClientSecret>,
}

/// The secret with which the customer's client pays at the processor. It belongs in no record, event or log, and `Debug` does not
/// show it.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// Wraps a secret.
    pub const fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret, for the customer only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret")
    }
}

/// An operation to perform.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct OperationRequest {
    /// The idempotency key.
    pub id: OperationId,
    pub payment: PaymentTerms,
    /// Positive, in the currency of the payment.
    pub amount: Money,
    pub action: OperationAction,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationAction {
    /// Holds the amount; with [`CaptureMode::Automatic`] takes it at once.
    Authorize {
        /// What the customer's client got from the processor in place of card data.
        token: PaymentToken,
    },
    /// Takes a part of what is held, or all.
    Capture {
        /// Nothing more will be taken: the processor gives the rest back.
        is_final: bool,
    },
    /// Pays back a part of what was taken, or all.
    Refund,
    /// Gives back what is held and not taken.
    Void,
}

impl OperationAction {
    /// The kind of the operation.
    pub const fn kind(&self) -> OperationKind {
        match self {
            Self::Authorize { .. } => OperationKind::Authorize,
            Self::Capture { .. } => OperationKind::Capture,
            Self::Refund => OperationKind::Refund,
            Self::Void => OperationKind::Void,
        }
    }
}

impl OperationRequest {
    /// How to find it again.
    pub fn lookup(&self) -> OperationLookup {
        OperationLookup { id: self.id, kind: self.action.kind(), payment: self.payment.clone() }
    }
}

/// A token for a means of payment. It is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct PaymentToken {
    text: String,
    is_saved: bool,
}

impl PaymentToken {
    /// Wraps a token that came from a client.
    pub const fn new(token: String) -> Self {
        Self { text: token, is_saved: false }
    }

    /// Stands for a means of payment that was saved at the processor. No client can make one.
    pub fn saved(reference: &Reference) -> Self {
        Self { text: reference.to_string(), is_saved: true }
    }

    /// Whether it stands for a saved means of payment.
    pub const fn is_saved(&self) -> bool {
        self.is_saved
    }

    /// The token, for the processor only.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for PaymentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaymentToken")
    }
}

/// Asks for an operation that was sent before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct OperationLookup {
    pub id: OperationId,
    pub kind: OperationKind,
    pub payment: PaymentTerms,
}

/// Why a processor gave no answer.
#[derive(Debug, Error)]
pub enum ProcessorError {
    /// Nothing happened and nothing will: it could not be reached, or it refused before it did anything.
    #[error("the payment processor is not available: {0}")]
    NotDone(Box<dyn core::error::Error + Send + Sync>),
    /// Whether it happened is not known.
    #[error("the payment processor did not answer: {0}")]
    Unknown(Box<dyn core::error::Error + Send + Sync>),
}

/// Something that happened at the processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ProcessorEvent {
    /// The processor's id of the event. It is the same in webhooks and lists, however often it is sent.
    pub id: Reference,
    /// When it happened at the processor. Events may arrive in any order.
    pub at: DateTime<Utc>,
    /// The shop's id of the payment, if the processor tells it.
    pub payment: Option<PaymentId>,
    /// The shop's id of the operation. `None` if the shop did not start it, such as a dispute or a refund by hand.
    pub operation: Option<OperationId>,
    pub kind: OperationKind,
    /// The amount that the operation is about.
    pub amount: Money,
    /// How the operation stands after the event, with the processor's ids of the payment and the operation. The details of a dispute
    /// have its `reason` and, while evidence is needed, `evidence_due_by`.
    pub answer: OperationAnswer,
}

impl ProcessorEvent {
    /// Whether money moved or is held.
    pub const fn moved(&self) -> bool {
        matches!(self.answer.outcome, OperationOutcome::Succeeded { .. })
    }
}

/// A part of what happened at the processor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessorEvents {
    /// Oldest first.
    pub events: Vec<ProcessorEvent>,
    /// For the next call. `None`: there was nothing new, ask again with the same cursor.
    pub next: Option<String>,
}

/// A request that claims to come from the processor.
#[derive(Clone, Copy, Debug)]
pub struct Webhook<'a> {
    /// Names in lower case, and values.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body as it was received.
    pub body: &'a [u8],
    /// When it was received.
    pub at: DateTime<Utc>,
}

impl<'a> Webhook<'a> {
    /// The first value of a header; `name` is in lower case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// Why a webhook is not believed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WebhookRejection {
    /// The processor sends no webhooks.
    #[error("the payment processor sends no webhooks")]
    Unsupported,
    /// The signature is missing or wrong.
    #[error("the signature is missing or wrong")]
    Forged,
    /// The signature is right but too old, or of the future: perhaps a recording that is sent again.
    #[error("the signature is {age_seconds} s old")]
    Stale {
        /// Negative if it is of the future.
        age_seconds: i64,
    },
    /// It is of another account, or of a test while the shop is live, or the reverse.
    #[error("the event is of another account or mode")]
    Foreign,
    /// It is signed but cannot be read.
    #[error("the body cannot be read: {0}")]
    Malformed(BoundedString<500>),
}
