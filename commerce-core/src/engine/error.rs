//! Why a use case did not do what was asked.

use alloc::string::String;
use core::fmt;

use thiserror::Error;

use super::target::Expected;
use crate::actor::Role;
use crate::cart::CartRejection;
use crate::catalog::CatalogRejection;
use crate::commit::{RecordError, Refusal};
use crate::document::DocumentKind;
use crate::ids::UserId;
use crate::money::MoneyError;
use crate::order::{CorruptHistory, OrderRejection, Status};
use crate::port::{PaymentsUnavailable, StoreError, UsersUnavailable};
use crate::pricing::{CodeRejection, PricingError};
use crate::stock::StockRefusal;
use crate::task::TaskKey;

/// What was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resource {
    /// A document, such as a cart or a product.
    Document(DocumentKind),
    /// An order.
    Order,
    /// A payment.
    Payment,
    /// A return.
    Return,
    /// Stock of a sku.
    Stock,
    /// A task.
    Task,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Document(kind) => kind.name(),
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Return => "return",
            Self::Stock => "stock",
            Self::Task => "task",
        })
    }
}

/// A value of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// The request as a whole.
    Request,
    /// The user to act for.
    User,
    /// The list of items.
    Items,
    /// One item of the list.
    Item {
        /// Its position, from 0.
        index: usize,
        /// The part of it.
        part: ItemPart,
    },
    /// The method of shipping.
    ShippingMethod,
    /// The currency.
    Currency,
    /// The parent of a category.
    Parent,
    /// One category of a product.
    Category {
        /// Its position, from 0.
        index: usize,
    },
}

/// A part of an item of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ItemPart {
    /// The item as a whole.
    Whole,
    /// Its sku.
    Sku,
    /// Its product.
    Product,
    /// Its price.
    UnitPrice,
}

impl Field {
    pub(super) const fn item(index: usize, part: ItemPart) -> Self {
        Self::Item { index, part }
    }
}

/// Why a use case did not do what was asked. Nothing has changed then, but for [`EngineError::Store`] with an unknown outcome.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// It does not exist, or is not the caller's.
    #[error("no such {0}")]
    NotFound(Resource),
    /// One of that name exists already.
    #[error("such a {0} exists already")]
    AlreadyExists(Resource),
    /// A code given is used up or over. The price would be another than the customer was shown.
    #[error("the code {code} does not work any more: {reason}")]
    CodeRejected {
        /// The code, as the customer gave it.
        code: String,
        /// Why.
        reason: CodeRejection,
    },
    /// The caller's role may not do this.
    #[error("the role {role} may not do this")]
    Forbidden {
        /// The caller's role.
        role: Role,
    },
    /// A value of the request is refused.
    #[error("{detail}")]
    Invalid {
        /// Where.
        field: Field,
        /// What is wrong.
        detail: String,
    },
    /// The user of an order does not exist.
    #[error("user {0} does not exist")]
    UserNotFound(UserId),
    /// The users service could not be asked.
    #[error(transparent)]
    Users(#[from] UsersUnavailable),
    /// The payment processor could not be asked.
    #[error(transparent)]
    Payments(#[from] PaymentsUnavailable),
    /// The cart refuses.
    #[error(transparent)]
    Cart(#[from] CartRejection),
    /// The order refuses.
    #[error(transparent)]
    Order(#[from] OrderRejection),
    /// The stock refuses.
    #[error(transparent)]
    Stock(#[from] StockRefusal),
    /// The catalog refuses.
    #[error(transparent)]
    Catalog(#[from] CatalogRejection),
    /// The price cannot be computed.
    #[error(transparent)]
    Pricing(#[from] PricingError),
    /// A sum is too large.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The key was used for another request.
    #[error("the idempotency key was used for another request")]
    IdempotencyKeyReused,
    /// The caller expected another version than the present one.
    #[error("{expected} was expected, version {actual} is present")]
    VersionMismatch {
        /// What the caller expected.
        expected: Expected,
        /// The version it has; 0 if it does not exist.
        actual: u64,
    },
    /// A guard refused the commit.
    #[error(transparent)]
    Refused(Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A history does not fold.
    #[error(transparent)]
    Corrupt(#[from] CorruptHistory),
    /// Events that were decided cannot be recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A task that was leased is of a kind that this engine does not run, or its subject is no id.
    #[error("task {0} cannot be run by this version")]
    UnknownTask(TaskKey),
    /// The task is being run: wait until the attempt has ended.
    #[error("task {0} is running")]
    TaskRunning(TaskKey),
    /// An order follows a lifecycle that the settings do not know.
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
            Refusal::DuplicateKey(_)
            | Refusal::VersionConflict { .. }
            | Refusal::Claimed { .. }
            | Refusal::PromotionExhausted(_) => Self::Refused(refusal),
        }
    }
}

impl EngineError {
    /// A value of the request is refused.
    pub(super) fn invalid(field: Field, detail: impl fmt::Display) -> Self {
        Self::Invalid { field, detail: alloc::format!("{detail}") }
    }
}
