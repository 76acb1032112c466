//! Connections to PostgreSQL that break.

#![cfg(feature = "postgres")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/audit.rs"]
mod audit;
#[path = "support/connection.rs"]
mod connection;
#[path = "support/database.rs"]
mod database;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/proxy.rs"]
mod proxy;

use self::postgres::OnPostgres;

connection::connection_tests!(OnPostgres);

/// Who asks without a key, and is answered.
#[ignore = "what is tried again is not looked for once more under the locks, and an accepted second try counts twice"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_comes_late_counts_once() {
    connection::cut::a_delivery_that_comes_late_counts_once::<OnPostgres>().await;
}
