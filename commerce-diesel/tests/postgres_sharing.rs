//! Several processes on one `PostgreSQL` database, and what one of them must not do to another.

#![cfg(feature = "postgres")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests use more of it")]
#[path = "support/database.rs"]
mod database;
#[path = "support/payments.rs"]
mod payments;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/sharing.rs"]
mod sharing;

use self::postgres::OnPostgres;

sharing::sharing_tests!(OnPostgres);

/// The database takes every row and refuses the end of the transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_end_of_transaction_harms_nobody_else() {
    let poison = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                  'BEGIN RAISE EXCEPTION ''out of luck''; END';
                  CREATE CONSTRAINT TRIGGER poison AFTER INSERT ON reservations DEFERRABLE INITIALLY DEFERRED
                  FOR EACH ROW WHEN (NEW.units = 13) EXECUTE FUNCTION refuse();";
    sharing::poison::only_the_poison_fails::<OnPostgres>(poison, "DROP TRIGGER poison ON reservations;", 21).await;
}
