//! The ports on PostgreSQL.
//!
//! Some connections write and some read. Commits that arrive while the writers are busy wait together and become one
//! transaction: it reads what they need, and locks most of what they move, in one trip over the network, and writes what they
//! change, with its own end, in a second. A lone commit waits for nothing.
//!
//! The URL of a database is `postgres://user:password@host:port/database`. With `?sslmode=require` (or `verify-ca`, `verify-full`)
//! the connection is encrypted and the server's certificate is verified, by the certificates in the file that `sslrootcert`
//! names, or else by those that browsers trust.
//!
//! # Invariants
//! * Nothing is decided on the memory of this process: what a commit is settled on is read inside the transaction that writes
//!   it, under locks that are taken in the order of keys, or, for stock far from every border, is held to the bounds of
//!   [`UncontendedReservation`](commerce_core::stock::UncontendedReservation) as it is written. Any number of processes
//!   may use the database.
//! * No answer is given before the transaction it tells of is confirmed, or was looked for and found.

mod connection;
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
#[path = "network/writers.rs"]
mod writers;

use diesel_async::RunQueryDsl;

use self::connection::Conn;
use self::readers::{in_snapshot, in_statement, in_transaction};
use self::store::NetworkStore as Backend;
pub use self::store::NetworkStore as PostgresStore;

#[cfg(test)]
use test_servers::Postgres as Server;

#[cfg(test)]
const NAME: &str = "postgres";
