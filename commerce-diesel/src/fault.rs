//! Failures of a query.

use commerce_core::document::StoredError;
use commerce_core::port::StoreErrorKind;
use commerce_core::replay::ReplayError;
use diesel::result::{DatabaseErrorKind, Error as DatabaseError};
use thiserror::Error;

/// A failure of a query. Its message names columns and constraints, never values.
#[derive(Debug, Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
    /// Another commit changed a level or a counter that this one had not locked. The commit is tried again.
    #[error("the stock or the uses of a promotion changed meanwhile")]
    Misfit,
    /// Repeated reads found other data each time.
    #[error("the data changed too often while it was read")]
    Restless,
    #[error("{0} contains invalid data")]
    Corrupt(&'static str),
    #[error("{0} was written by a newer version of this software")]
    Newer(&'static str),
    #[error("the event at position {position} cannot be read: {fault}")]
    Event { position: i64, fault: Box<Self> },
    #[error("the history is inconsistent: {0}")]
    History(#[from] ReplayError),
    #[error("a stored document cannot be read: {0}")]
    Stored(#[from] StoredError),
}

impl Fault {
    /// Adds the position of the event that cannot be read.
    pub(crate) fn at(self, position: i64) -> Self {
        match self {
            Self::Corrupt(_) | Self::Newer(_) => Self::Event { position, fault: Box::new(self) },
            Self::Database(_)
            | Self::Misfit
            | Self::Restless
            | Self::Event { .. }
            | Self::History(_)
            | Self::Stored(_) => self,
        }
    }
}

/// The kind of a failure. `is_corrupt` recognizes errors of one database that mean corrupt data.
pub(crate) fn kind(fault: &Fault, is_corrupt: impl Fn(&DatabaseError) -> bool) -> StoreErrorKind {
    match fault {
        Fault::Database(error) if is_violation(error) || is_corrupt(error) => StoreErrorKind::Corrupt,
        Fault::Database(_) | Fault::Misfit | Fault::Restless => StoreErrorKind::Unavailable,
        Fault::Corrupt(_) | Fault::Newer(_) | Fault::Event { .. } | Fault::History(_) | Fault::Stored(_) => {
            StoreErrorKind::Corrupt
        }
    }
}

/// Whether the error is a violated constraint, which no settled commit causes, or an unreadable row.
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

pub(crate) type Answer<T> = Result<T, Fault>;
