//! Statements on many rows under [Diesel](diesel), each prepared once per connection.
//!
//! An internal part of `commerce-diesel`. It may change with each release of that crate. It contains nothing specific to
//! commerce.
//!
//! Diesel prepares multi-row inserts and all updates anew, because their text depends on the rows. The text of the statements
//! here depends on the row type alone, or has few different lengths:
//!
//! | | SQLite | PostgreSQL | MySQL, MariaDB |
//! |---|---|---|---|
//! | [`Insert`], [`InsertMissing`], [`InsertBehind`] | one row per statement | an array per column, unnested | `VALUES` of few lengths |
//! | [`Update`] | one row per statement | a join with unnested arrays | `CASE key WHEN … END` of few lengths |
//! | [`Find`] | one row per statement | a query of unnested arrays | a list of few lengths |
//! | [`InList`] | a comparison with one key, or a JSON array | an array per column | a list of few lengths |
//!
//! `tests/golden` contains the texts, in one file per database.
//!
//! # Map
//! * [`rows!`] assigns a table to a row type and implements [`Row`].
//! * [`Write`] writes rows to a database: `postgres` binds arrays, `sqlite` and `mysql` bind each value (`values`).
//! * `Together` is several of these statements as one, on PostgreSQL.
//! * [`InList`] is the condition `columns IN (keys)`. [`Key`] is a key.
//! * [`DbUuid`] is a UUID in a column.
//!
//! # Invariants
//! * All values are bound. No text contains a value.
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
    allow(dead_code, reason = "statements are written only for a database")
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
#[cfg(feature = "postgres")]
mod together;
mod uuid;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
mod values;

pub use self::key::{Key, Keys, List};
pub use self::list::InList;
#[cfg(feature = "postgres")]
pub use self::postgres::{ArrayOf, Arrays, Element, Field};
#[doc(hidden)]
pub use self::row::is_id;
pub use self::row::{Cell, Row, Rows};
pub use self::statement::{Bulk, Find, Insert, InsertBehind, InsertMissing, Update, Write, select_texts};
#[cfg(feature = "postgres")]
pub use self::together::{Column, Kind, Together};
pub use self::uuid::{DbUuid, sql_types};
#[cfg(any(feature = "sqlite", feature = "mysql"))]
pub use self::values::Bind;
#[doc(hidden)]
pub use diesel;
