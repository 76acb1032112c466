//! Connections to `PostgreSQL` that break.

#![cfg(feature = "postgres")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/connection.rs"]
mod connection;
#[expect(dead_code, reason = "other tests use more of it")]
#[path = "support/database.rs"]
mod database;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/proxy.rs"]
mod proxy;

use self::postgres::OnPostgres;

connection::connection_tests!(OnPostgres);

/// Who asks without a key, and is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_comes_late_counts_once() {
    connection::cut::a_delivery_that_comes_late_counts_once::<OnPostgres>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_still_come_is_not_said_to_be_lost() {
    connection::cut::what_may_still_come_is_not_said_to_be_lost::<OnPostgres>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_true_whenever_connections_break() {
    connection::wild::answers_are_true_whenever_connections_break::<OnPostgres>().await;
}
