//! The ports on `MySQL` 8 and `MariaDB` 10.11 or newer.
//!
//! Some connections write and some read. Commits that arrive while the writers are busy wait together and become one
//! transaction, whose durability they share: a statement writes all rows of a table, so the trips over the network are as
//! many for a hundred orders as for a few. A lone commit waits for nothing.
//!
//! Writing transactions are `READ COMMITTED`, so a server with a binary log needs the row format, which is the default of
//! `MySQL`; that of `MariaDB`, `MIXED`, serves as well.
//!
//! The URL of a database is `mysql://user:password@host:port/database`; the database has to be there, for the shop alone. With
//! `?ssl-mode=REQUIRED` (or `VERIFY_CA`, `VERIFY_IDENTITY`) the connection is encrypted and the server's certificate and name are
//! verified, by the certificates in the file that `ssl-ca` names, or else by those that browsers trust. `?socket=` names a Unix
//! socket.
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
pub use self::store::NetworkStore as MysqlStore;

#[cfg(test)]
use test_servers::MariaDb as Server;

#[cfg(test)]
const NAME: &str = "mysql";
