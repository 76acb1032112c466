//! What goes wrong between the engine and a database, before it is given a kind.

use thiserror::Error;

/// Why a query did not answer. Its text names columns and constraints, never what stands in them.
#[derive(Debug, Error)]
pub(crate) enum Fault {
    /// The database said so.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
    /// A column holds what this engine does not write.
    #[error("{0} holds what this engine does not write")]
    Corrupt(&'static str),
}

/// What a query gives.
pub(crate) type Answer<T> = Result<T, Fault>;
