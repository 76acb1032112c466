//! The ports of `commerce-core` on SQL databases, through Diesel.
//!
//! # Map
//! * `sqlite`: the store on one file: its threads, its dialect, opening a file.
//! * `postgres`, `mysql`: the stores on a server: their connection, their dialect, connecting. `network` is common to both:
//!   options, errors, writers, readers.
//! * `ports` and `query`: the ports and the queries. Both are written once and compiled once per database. `query::group`
//!   settles and writes a batch of commits.
//! * `books`: the books of the payment sandbox, which are no part of commits.
//! * `targets`: how far events were published, which is no part of commits either.
//! * `changes`: the changes of the accepted commits of a batch, grouped by table.
//! * `query::rebuild`: compares the tables that follow from the history with it, and repairs them.
//! * `rows`, `schema`: the tables, and the conversions between rows and values. `migrations/` has one tree per database, with
//!   the same names.
//!
//! # Invariants
//! * No rule of commerce is here, except that a rebuild counts redemptions (`RDM-1`) in SQL. A store loads the state that [`settle`](commerce_core::commit::settle()) asks for and writes
//!   its results.
//! * The store writes only in a commit, in a rebuild from the history, and where a port requires it: leases, failures, positions of
//!   targets and the removal of old records.
//! * The store reads the clock only to measure durations, and it creates no ids.
//! * Error messages contain no values of columns, except the order, SKU or position at which a history is broken.
//! * SQL that is specific to one database is in its `dialect` and its migrations.

// Queries, ports, writers and readers are written once and compiled once per database.
#![allow(clippy::duplicate_mod, reason = "the modules are compiled once per database")]

// Without a backend, the modules below have no use.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod book_queue;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod changes;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod db_enum;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod fault;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod fixed;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod health;
#[cfg(feature = "mysql")]
pub mod mysql;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod network;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod prepared;
mod rebuilt;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod remembered;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod rows;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod schema;
#[cfg(feature = "sqlite")]
pub mod sqlite;

#[cfg(any(feature = "postgres", feature = "mysql"))]
pub use network::{DatabaseError, DatabaseOptions};
pub use rebuilt::{DifferenceKind, Rebuilt, RowDifference};
