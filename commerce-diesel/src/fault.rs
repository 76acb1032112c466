//! What goes wrong between the engine and a database, before it is given a kind.

use commerce_core::document::StoredError;
use commerce_core::port::StoreErrorKind;
use commerce_core::replay::ReplayError;
use diesel::result::{DatabaseErrorKind, Error as DatabaseError};
use thiserror::Error;

/// Why a query did not answer. Its text names columns and constraints, never what stands in them.
#[derive(Debug, Error)]
pub(crate) enum Fault {
    /// The database said so.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
    /// Units cannot be taken from levels that were not locked: others have moved one meanwhile. Nothing is wrong.
    #[error("the stock was moved meanwhile")]
    Misfit,
    /// A column holds what this engine does not write.
    #[error("{0} holds what this engine does not write")]
    Corrupt(&'static str),
    /// A column holds a document of a form that is not known here yet.
    #[error("{0} was written by a newer version of this software")]
    Newer(&'static str),
    /// An event cannot be read.
    #[error("the event at position {position} cannot be read: {fault}")]
    Event { position: i64, fault: Box<Self> },
    /// The history contradicts itself.
    #[error("the history contradicts itself: {0}")]
    History(#[from] ReplayError),
    /// A stored document cannot be read.
    #[error("a stored document cannot be read: {0}")]
    Stored(#[from] StoredError),
}

impl Fault {
    /// Names the event that cannot be read.
    pub(crate) fn at(self, position: i64) -> Self {
        match self {
            Self::Corrupt(_) | Self::Newer(_) => Self::Event { position, fault: Box::new(self) },
            Self::Database(_) | Self::Misfit | Self::Event { .. } | Self::History(_) | Self::Stored(_) => self,
        }
    }
}

/// What kind of failure it is. Beside what every database tells alike, `is_corrupt` knows what one says of data at fault.
pub(crate) fn kind(fault: &Fault, is_corrupt: impl Fn(&DatabaseError) -> bool) -> StoreErrorKind {
    match fault {
        Fault::Database(error) if is_violation(error) || is_corrupt(error) => StoreErrorKind::Corrupt,
        Fault::Database(_) | Fault::Misfit => StoreErrorKind::Unavailable,
        Fault::Corrupt(_) | Fault::Newer(_) | Fault::Event { .. } | Fault::History(_) | Fault::Stored(_) => {
            StoreErrorKind::Corrupt
        }
    }
}

/// Whether a constraint that no settled commit can violate was violated, or a row could not be read.
fn is_violation(error: &DatabaseError) -> bool {
    matches!(
        error,
        DatabaseError::DeserializationError(_)
            | DatabaseError::DatabaseError(
                DatabaseErrorKind::UniqueViolation
                    | DatabaseErrorKind::ForeignKeyViolation
                    | DatabaseErrorKind::NotNullViolation
                    | DatabaseErrorKind::CheckViolation,
                _,
            )
    )
}

/// What a query gives.
pub(crate) type Answer<T> = Result<T, Fault>;
