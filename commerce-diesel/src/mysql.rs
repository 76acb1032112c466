//! The ports on `MySQL` 8 and `MariaDB` 10.11 or newer.
//!
//! Some connections write and some read. Commits that arrive while the writers are busy form one transaction and share its
//! flush to disk. One statement writes all rows of a table, so the number of round trips hardly depends on the number of
//! orders. A single commit is written at once.
//!
//! Writing transactions are `READ COMMITTED`. A server with a binary log therefore needs the format `ROW` (the default of
//! `MySQL`) or `MIXED` (the default of `MariaDB`).
//!
//! The URL of a database is `mysql://user:password@host:port/database`. The database must exist and contain no other tables.
//! With `?ssl-mode=REQUIRED` (or `VERIFY_CA`, `VERIFY_IDENTITY`) the connection is encrypted, and the certificate and name of
//! the server are verified with the certificates in the file `ssl-ca`, by default with those that browsers trust. `?socket=`
//! names a Unix socket. With several hosts (`a:3306,b:3306`), connections lead to the one that takes writes.
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
mod link;
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
pub use self::store::NetworkStore as MysqlStore;

#[cfg(test)]
pub(crate) use self::link::from_server;
#[cfg(test)]
use test_servers::MariaDb as Server;

#[cfg(test)]
const NAME: &str = "mysql";
