//! The errors of use cases.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use chrono::{DateTime, Utc};
use thiserror::Error;

use super::placing::PriceChanged;
use super::target::Expected;
use crate::actor::Role;
use crate::cart::CartRejection;
use crate::catalog::CatalogRejection;
use crate::commit::{RecordError, Refusal};
use crate::document::DocumentKind;
use crate::ids::{OrderId, UserId};
use crate::money::MoneyError;
use crate::order::{CorruptHistory, LimitReached, OrderRejection, Status};
use crate::payment::{PaymentRejection, Reference, SavedMethodRejection};
use crate::port::{AccountStatus, ProcessorError, StoreError, UsersUnavailable, WebhookRejection};
use crate::pricing::{CodeRejection, PricingError};
use crate::stock::StockRefusal;
use crate::task::TaskKey;
use crate::webhook::WebhookEndpointRejection;

/// The kind of object that an error refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub enum Resource {
    /// A document, such as a cart or a product.
    Document(DocumentKind),
    Order,
    Payment,
    Refund,
    Return,
    Stock,
    /// A system whose events are taken.
    Source,
    /// A payment processor.
    Processor,
    Task,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Document(kind) => return f.write_str(&kind.name().replace('_', " ")),
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Return => "return",
            Self::Stock => "stock",
            Self::Source => "source",
            Self::Processor => "payment processor",
            Self::Task => "task",
        })
    }
}

/// A field of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub enum Field {
    /// The request as a whole.
    Request,
    /// The user to act for.
    User,
    Items,
    /// One item, at an index from 0.
    Item {
        index: usize,
        part: ItemPart,
    },
    ShippingMethod,
    ExpectedTotal,
    Currency,
    /// The parent of a category.
    Parent,
    /// One category of a product, at an index from 0.
    Category {
        index: usize,
    },
}

/// A part of an item of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub enum ItemPart {
    /// The item as a whole.
    Whole,
    Sku,
    Product,
    UnitPrice,
}

impl Field {
    pub(super) const fn item(index: usize, part: ItemPart) -> Self {
        Self::Item { index, part }
    }
}

/// Why a use case failed. Nothing has changed then, except after [`EngineError::Store`] with an unknown outcome.
#[derive(Debug, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum EngineError {
    /// It does not exist, or the caller may not see it.
    #[error("{0} not found")]
    NotFound(Resource),
    #[error("the {0} exists already")]
    AlreadyExists(Resource),
    /// The order would cost more than accepted in the cart, or not what was expected.
    #[error("the price has changed: the total is {}", .0.current.total)]
    PriceChanged(Box<PriceChanged>),
    /// The reservation ended before the payment, and the units were sold to others. `refunding`: the payment was captured and is
    /// being refunded.
    #[error("the order is cancelled: its units were sold after the reservation ended{}", if *.refunding { ", and the payment is being refunded" } else { "" })]
    OrderCancelled { order: OrderId, refunding: bool },
    /// A code has expired or is used up, so the price would differ from the one shown.
    #[error("the code {code} no longer applies: {reason}")]
    CodeRejected { code: String, reason: CodeRejection },
    #[error("the role {role} may not do this")]
    Forbidden { role: Role },
    #[error("{detail}")]
    Invalid { field: Field, detail: String },
    #[error("user {0} does not exist")]
    UserNotFound(UserId),
    /// The users service says that the account is not active.
    #[error("the account of user {user} is {status}")]
    AccountInactive { user: UserId, status: AccountStatus },
    #[error(transparent)]
    Users(#[from] UsersUnavailable),
    #[error(transparent)]
    Payments(#[from] ProcessorError),
    #[error(transparent)]
    Payment(#[from] PaymentRejection),
    #[error(transparent)]
    SavedMethod(#[from] SavedMethodRejection),
    #[error(transparent)]
    Webhook(#[from] WebhookRejection),
    #[error(transparent)]
    WebhookEndpoint(#[from] WebhookEndpointRejection),
    #[error(transparent)]
    Cart(#[from] CartRejection),
    #[error(transparent)]
    Order(#[from] OrderRejection),
    #[error(transparent)]
    Limit(#[from] LimitReached),
    #[error(transparent)]
    Stock(#[from] StockRefusal),
    #[error(transparent)]
    Catalog(#[from] CatalogRejection),
    #[error(transparent)]
    Pricing(#[from] PricingError),
    /// A sum is too large.
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error("the idempotency key was used for another request")]
    IdempotencyKeyReused,
    /// The version differs from the expected one. `actual` is 0 for an object that does not exist.
    #[error("expected {expected}, found version {actual}")]
    VersionMismatch { expected: Expected, actual: u64 },
    #[error(transparent)]
    Refused(Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A history cannot be folded.
    #[error(transparent)]
    Corrupt(#[from] CorruptHistory),
    /// Decided events cannot be recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Staff have to send evidence about a dispute to the processor.
    #[error("the processor needs evidence about the dispute {dispute} by {due}")]
    EvidenceDue { dispute: Reference, due: DateTime<Utc> },
    /// A leased task has an unknown kind or an invalid subject.
    #[error("task {0} cannot be run by this version")]
    UnknownTask(TaskKey),
    /// A worker is running the task.
    #[error("task {0} is running")]
    TaskRunning(TaskKey),
    /// An order follows a lifecycle that the settings do not have.
    #[error("the lifecycle {0} is not configured")]
    UnknownLifecycle(Status),
}

impl From<Refusal> for EngineError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Stock(StockRefusal::VersionMismatch { expected, actual, .. }) => {
                Self::VersionMismatch { expected: Expected::Version(expected), actual }
            }
            Refusal::Stock(refusal) => Self::Stock(refusal),
            Refusal::Limit(reached) => Self::Limit(reached),
            Refusal::DuplicateKey(_)
            | Refusal::VersionConflict { .. }
            | Refusal::Claimed { .. }
            | Refusal::PromotionExhausted(_) => Self::Refused(refusal),
        }
    }
}

impl EngineError {
    pub(super) fn invalid(field: Field, detail: impl fmt::Display) -> Self {
        Self::Invalid { field, detail: alloc::format!("{detail}") }
    }
}
