//! Statements on many rows under [Diesel](diesel), each prepared once per connection.
//!
//! An internal part of `commerce-diesel`: it is published because that crate needs it, and may change with each of its
//! releases. It knows nothing of commerce.
//!
//! Diesel prepares an insert of many rows and every update anew, because their text depends on the rows. The statements here
//! have a text that depends on the type of the row alone, or come in few lengths:
//!
//! | | SQLite | PostgreSQL | MySQL, MariaDB |
//! |---|---|---|---|
//! | [`Insert`], [`InsertMissing`], [`InsertBehind`] | one row per statement | an array per column, unnested | `VALUES` of few lengths |
//! | [`Update`] | one row per statement | a join with unnested arrays | `CASE key WHEN … END` of few lengths |
//! | [`InList`] | a JSON array | an array per column | a list of few lengths |
//!
//! The texts are in `tests/golden`, one file per database.
//!
//! # Map
//! * [`rows!`] says which table a row type is written to; [`Row`] is what it implements.
//! * [`Write`] is what each database does with rows: `postgres` binds arrays, `sqlite` and `mysql` bind values (`values`).
//! * [`InList`] is the condition `columns IN (keys)`; [`Key`] is what a key may be.
//! * [`DbUuid`] is a UUID in a column.
//!
//! # Invariants
//! * No text holds a value: all values are bound.
//! * A statement of a database with [`Bulk::STATIC`] has the same text for any number of rows.
//!
//! # Example
//! ```
//! use diesel::sqlite::Sqlite;
//! use diesel_bulk::{Insert, Update};
//!
//! diesel::table! {
//!     prices (sku) {
//!         sku -> Text,
//!         amount -> BigInt,
//!     }
//! }
//!
//! #[derive(Debug)]
//! struct PriceRow<'a> {
//!     sku: &'a str,
//!     amount: i64,
//! }
//!
//! diesel_bulk::rows! {
//!     prices: PriceRow<'a> (sku) { amount }
//! }
//!
//! let rows = [PriceRow { sku: "CUP", amount: 1250 }, PriceRow { sku: "POT", amount: 4900 }];
//! let inserts: Vec<Insert<'_, PriceRow<'_>, Sqlite>> = Insert::pieces(&rows).collect();
//! assert_eq!(inserts.len(), 2, "SQLite writes one row per statement");
//! let text = diesel::debug_query::<Sqlite, _>(&inserts[0]).to_string();
//! assert!(text.starts_with("INSERT INTO prices (sku, amount) VALUES (?, ?)"), "{text}");
//! for update in Update::<PriceRow<'_>, Sqlite>::pieces(&rows) {
//!     let text = diesel::debug_query::<Sqlite, _>(&update).to_string();
//!     assert!(text.starts_with("UPDATE prices SET amount = ? WHERE sku = ?"), "{text}");
//! }
//! ```

#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(dead_code, reason = "without a database no statement is written")
)]

mod key;
mod list;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statement;
mod uuid;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
mod values;

pub use self::key::{Key, Keys, List};
pub use self::list::InList;
#[cfg(feature = "postgres")]
pub use self::postgres::{ArrayOf, Arrays, Element, Field};
pub use self::row::{Row, Rows};
pub use self::statement::{Bulk, Insert, InsertBehind, InsertMissing, Update, Write};
pub use self::uuid::{DbUuid, sql_types};
#[cfg(any(feature = "sqlite", feature = "mysql"))]
pub use self::values::Bind;
#[doc(hidden)]
pub use diesel;
