//! The ports on PostgreSQL.
//!
//! Some connections write and some read. Commits that arrive while the writers are busy form one transaction of two round
//! trips: the first reads what the commits need and locks most of what they change; the second writes and commits. A single
//! commit is written at once.
//!
//! The URL of a database is `postgres://user:password@host:port/database`. With `?sslmode=require` (or `verify-ca`,
//! `verify-full`) the connection is encrypted, and the server is verified with the certificates in the file `sslrootcert`, by
//! default with those that browsers trust. With several hosts (`a:5432,b:5432`), connections lead to the one that takes writes.
//!
//! # Invariants
//! * Everything that a commit is settled on is read in the transaction that writes it, under locks in the order of keys.
//!   Uncontended reservations are checked against the bounds of
//!   [`UncontendedReservation`](commerce_core::stock::UncontendedReservation) when they are written. Several processes may use
//!   the database.
//! * An answer is given only after its transaction was confirmed, or was looked for and found.

#[path = "books.rs"]
mod books;
mod connection;
#[path = "deliveries.rs"]
mod deliveries;
mod dialect;
mod open;
#[path = "ports.rs"]
mod ports;
#[path = "query.rs"]
mod query;
#[path = "network/readers.rs"]
mod readers;
#[path = "network/store.rs"]
mod store;
#[cfg(test)]
#[path = "../tests/unit/taking.rs"]
mod taking;
#[path = "network/target.rs"]
mod target;
#[path = "targets.rs"]
mod targets;
#[path = "network/writers.rs"]
mod writers;

use diesel_async::RunQueryDsl;

use self::connection::Conn;
use self::readers::{in_listing, in_short_transaction, in_snapshot, in_statement, in_transaction};
use self::store::NetworkStore as Backend;
pub use self::store::NetworkStore as PostgresStore;

#[cfg(test)]
use test_servers::Postgres as Server;

#[cfg(test)]
const NAME: &str = "postgres";
