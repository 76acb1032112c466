//! Several processes on one `MariaDB` database, and what one of them must not do to another.

#![cfg(feature = "mysql")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests use more of it")]
#[path = "support/database.rs"]
mod database;
#[path = "support/mysql.rs"]
mod mysql;
#[path = "support/payments.rs"]
mod payments;
#[path = "support/sharing.rs"]
mod sharing;

use self::mysql::OnMariaDb;

sharing::sharing_tests!(OnMariaDb);
