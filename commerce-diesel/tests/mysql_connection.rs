//! Connections to `MariaDB` that break.

#![cfg(feature = "mysql")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/connection.rs"]
mod connection;
#[expect(dead_code, reason = "other tests use more of it")]
#[path = "support/database.rs"]
mod database;
#[path = "support/mysql.rs"]
mod mysql;
#[path = "support/proxy.rs"]
mod proxy;

use std::time::Duration;

use commerce_diesel::DatabaseOptions;

use self::database::Database;
use self::mysql::OnMariaDb;

connection::connection_tests!(OnMariaDb);

/// Who asks without a key, and is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_comes_late_counts_once() {
    connection::cut::a_delivery_that_comes_late_counts_once::<OnMariaDb>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_may_be_given_less_than_a_second() {
    let options = DatabaseOptions { statement_timeout: Duration::from_millis(500), ..DatabaseOptions::default() };
    let store = OnMariaDb::connect(&OnMariaDb::create().url(), options).await;
    assert!(store.is_ok(), "{:?}", store.err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_still_come_is_not_said_to_be_lost() {
    connection::cut::what_may_still_come_is_not_said_to_be_lost::<OnMariaDb>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_true_whenever_connections_break() {
    connection::wild::answers_are_true_whenever_connections_break::<OnMariaDb>().await;
}
