//! What an error of a server means for the transaction in which it occurs.

use diesel::result::{DatabaseErrorKind, Error};

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was rolled back because of another transaction. A retry may succeed.
    Conflict,
    /// It was rolled back, or not run: the server does not serve writes now. Another connection may reach one that does.
    NotServed,
    /// It may have been committed. Looking for it shows whether it was.
    Unknown,
    /// It was committed on this server. Whether it survives the loss of this server is not known.
    #[cfg(feature = "postgres")]
    NotReplicated,
}

/// An error: its number or `SQLSTATE`, a part of its message if the number has several meanings, and what it means for a
/// transaction that it ends.
type Row = (&'static str, &'static str, Verdict);

/// Errors of `MySQL` and `MariaDB`, with Galera and Group Replication.
#[cfg(feature = "mysql")]
pub(crate) const MYSQL: &[Row] = &[
    // A deadlock; on Galera also a transaction of another node.
    ("1213", "", Verdict::Conflict),
    // Group Replication: another member changed the same rows.
    ("3101", "", Verdict::Conflict),
    // Error 149 of the storage engine is a deadlock.
    ("1180", " 149 ", Verdict::Conflict),
    // Galera: the node left the primary component while it committed.
    ("1180", "", Verdict::Unknown),
    // The savepoint of the transaction is gone, and with it the transaction.
    ("1305", "SAVEPOINT", Verdict::Conflict),
    // Galera: the node is not in the primary component.
    ("1047", "", Verdict::NotServed),
    // The server is read-only.
    ("1290", "", Verdict::NotServed),
    ("1836", "", Verdict::NotServed),
];

/// Errors of `PostgreSQL`.
#[cfg(feature = "postgres")]
pub(crate) const POSTGRES: &[Row] = &[
    // A serialization failure.
    ("40001", "", Verdict::Conflict),
    // A deadlock.
    ("40P01", "", Verdict::Conflict),
    // The server is read-only: it has become a standby.
    ("25006", "", Verdict::NotServed),
    // The server is being shut down. At `COMMIT`, this may be after the commit.
    ("57P01", "", Verdict::Unknown),
    // A warning at `COMMIT`: the wait for a synchronous standby was cancelled.
    ("01000", "", Verdict::NotReplicated),
];

/// What an error means. `None`: it is in no row.
pub(crate) fn verdict(rows: &[Row], error: &Error) -> Option<Verdict> {
    let Error::DatabaseError(_, information) = error else { return None };
    let code = code(error)?;
    let means = |(of, part, _): &&Row| *of == code && information.message().contains(part);
    rows.iter().find(means).map(|(_, _, verdict)| *verdict)
}

/// The number of an error. Diesel does not pass on that of `PostgreSQL`, but kinds and messages.
fn code(error: &Error) -> Option<&str> {
    let Error::DatabaseError(kind, information) = error else { return None };
    match (kind, information.message()) {
        (DatabaseErrorKind::SerializationFailure, _) => Some("40001"),
        (DatabaseErrorKind::ReadOnlyTransaction, _) => Some("25006"),
        (_, "deadlock detected") => Some("40P01"),
        (_, "terminating connection due to administrator command") => Some("57P01"),
        #[cfg(feature = "postgres")]
        (_, NOT_REPLICATED) => Some("01000"),
        _ => information.details(),
    }
}

/// The message of the error that a warning about a standby becomes.
#[cfg(feature = "postgres")]
pub(crate) const NOT_REPLICATED: &str = "no standby has confirmed the commit";

#[cfg(test)]
#[path = "../../tests/unit/verdict.rs"]
mod tests;
