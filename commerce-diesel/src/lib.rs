//! The ports of `commerce-core` on SQL databases, through Diesel.
//!
//! # Map
//! * `sqlite`: the store on one file, with its threads, its dialect and what can be wrong with a file.
//! * `postgres`, `mysql`: the stores on a server, each with its connection, its dialect and how it is reached; `network` is what
//!   they share: options, errors, the tasks that write, the connections that read.
//! * `ports`: the ports, written once; `query`: every query, written once. Both are compiled once per database; `query::group`
//!   is where a batch of commits is settled and written.
//! * `changes`: what the accepted commits of a batch change, gathered by table.
//! * `query::rebuild`: the tables that follow from the history, made anew from it.
//! * `rows`, `key`, `schema`: the tables, and the way between rows and values. Migrations stand in `migrations/`, one tree per
//!   database with the same names.
//!
//! # Invariants
//! * No rule of commerce stands here: whether a commit is accepted, [`settle`](commerce_core::commit::settle()) decides; a
//!   store loads the state it asks for and writes down what it says.
//! * Nothing is written but by a commit, by the leases, failures and forgetting that the port names, and by a rebuild, which
//!   writes what the history says.
//! * No clock is read but to measure how long something took, no id is minted.
//! * No error text holds what stands in a column, but the order, the sku or the position at which a history is broken.
//! * SQL that one database alone understands stands in that database's `dialect` and its migrations, nowhere else.

// Queries, ports and the work of writers and readers are written once and compiled once per database.
#![allow(clippy::duplicate_mod, reason = "that is how they are compiled once per database")]

// Without a backend there is nothing to store on, and nothing of this is needed.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod changes;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod db_enum;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod db_uuid;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod fault;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod key;
#[cfg(feature = "mysql")]
pub mod mysql;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod network;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod prepared;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod rebuilt;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod rows;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod schema;
#[cfg(feature = "sqlite")]
pub mod sqlite;

#[cfg(any(feature = "postgres", feature = "mysql"))]
pub use network::{DatabaseError, DatabaseOptions};
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use rebuilt::Rebuilt;
