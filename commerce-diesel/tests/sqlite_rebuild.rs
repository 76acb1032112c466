//! Tables that follow from the history are made anew from it.

#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/trade.rs"]
mod trade;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use commerce_core::port::{Store, StoreError, StoreErrorKind};
use commerce_core::replay::verify;
use commerce_diesel::Rebuilt;
use commerce_diesel::sqlite::{SqliteOptions, SqliteStore};
use commerce_testkit::CommitBuilder;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tempfile::TempDir;

use trade::{LATER, Trade};

/// Every row of every table, as text.
type Dump = BTreeMap<String, Vec<String>>;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

struct Place {
    shop: CommitBuilder,
    store: SqliteStore,
    directory: TempDir,
}

impl Place {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("shop.db"), SqliteOptions::default()).await.unwrap();
        Self { shop: CommitBuilder::new(1), store, directory }
    }

    /// A shop in which a bit of everything has happened.
    async fn busy() -> Self {
        let place = Self::new().await;
        place.trade().everything().await;
        place
    }

    fn trade(&self) -> Trade<'_> {
        Trade { shop: &self.shop, store: &self.store }
    }

    async fn rebuild(&self) -> Result<Rebuilt, StoreError> {
        self.store.rebuild(self.shop.at(LATER), |_| {}).await
    }

    async fn is_identical(&self) -> bool {
        verify(&self.store, self.shop.at(LATER), |_| {}).await.unwrap().is_identical()
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("shop.db")
    }

    /// A connection past the store.
    fn raw(&self) -> SqliteConnection {
        let mut raw = SqliteConnection::establish(self.path().to_str().unwrap()).unwrap();
        raw.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA ignore_check_constraints = 1").unwrap();
        raw
    }

    fn execute(&self, sql: &str) {
        self.raw().batch_execute(sql).unwrap();
    }

    /// All columns, but for the version of all promotions, which a repair raises.
    fn dump(&self) -> Dump {
        let mut raw = self.raw();
        let mut lines = |sql: String| -> Vec<String> {
            sql_query(sql).load::<Line>(&mut raw).unwrap().into_iter().map(|line| line.line).collect()
        };
        let tables = lines("SELECT name AS line FROM sqlite_master WHERE type = 'table'".to_owned());
        let dumped = tables.into_iter().map(|table| {
            let columns = format!(
                "SELECT group_concat(format('quote(%s)', name), '|| '' '' ||') AS line
                 FROM pragma_table_info('{table}') WHERE '{table}' <> 'feed' OR name <> 'promotions'"
            );
            let columns = lines(columns).remove(0);
            let rows = lines(format!("SELECT {columns} AS line FROM {table} ORDER BY 1"));
            (table, rows)
        });
        dumped.collect()
    }
}

/// What somebody does to the tables by hand is undone.
#[track_caller]
fn same(before: &Dump, after: &Dump) {
    for (table, rows) in before {
        assert_eq!(rows, &after[table], "{table}");
    }
}

async fn undone(damage: &str) {
    let place = Place::busy().await;
    let before = place.dump();
    place.execute(damage);
    assert!(before != place.dump(), "{damage}");
    place.rebuild().await.unwrap();
    same(&before, &place.dump());
    assert!(place.is_identical().await, "{damage}");
}

#[tokio::test]
async fn tables_that_are_sound_stay_as_they_are() {
    let place = Place::busy().await;
    let before = place.dump();
    for table in ["orders", "returns", "reservations", "promotion_redemptions"] {
        assert!(!before[table].is_empty(), "{table} shows nothing");
    }
    for _ in 0..2 {
        let rebuilt = place.rebuild().await.unwrap();
        assert_eq!((rebuilt.orders, rebuilt.skus, rebuilt.promotions), (5, 4, 1));
        same(&before, &place.dump());
    }
    assert!(place.is_identical().await);
}

/// A refused commit leaves no event, but what it swept is swept.
#[tokio::test]
async fn what_was_swept_stays_swept() {
    let place = Place::busy().await;
    let before = place.dump();
    let mut greedy = place.shop.order(&[("MUG", 99)]);
    greedy.at = place.shop.at(LATER);
    assert!(place.store.commit(greedy).await.is_err());
    let swept = place.dump();
    assert_ne!(swept["reservations"], before["reservations"]);
    place.rebuild().await.unwrap();
    same(&swept, &place.dump());
    assert!(place.is_identical().await);
}

#[tokio::test]
async fn an_empty_history_makes_empty_tables() {
    let place = Place::new().await;
    place.execute("INSERT INTO stock VALUES ('GHOST', 1, 0, NULL, NULL, 1)");
    place.execute("INSERT INTO reservations VALUES ('SPOOK', x'00', 1, NULL)");
    let rebuilt = place.rebuild().await.unwrap();
    assert_eq!((rebuilt.events, rebuilt.orders, rebuilt.skus, rebuilt.different), (0, 0, 0, 2));
    assert!(
        place
            .dump()
            .iter()
            .all(|(table, rows)| rows.is_empty() || ["__diesel_schema_migrations", "feed"].contains(&table.as_str()))
    );
}

#[tokio::test]
async fn what_was_done_to_orders_by_hand_is_undone() {
    undone(
        "UPDATE orders SET status = 'paid', version = version + 1, user_id = 'nobody';
         UPDATE orders SET state = '{}' WHERE state IS NULL; UPDATE orders SET state = NULL WHERE state <> '{}';
         DELETE FROM returns;",
    )
    .await;
    undone(
        "DELETE FROM orders WHERE id = (SELECT min(id) FROM orders);
         UPDATE orders SET payment_id = x'00' WHERE id = (SELECT max(id) FROM orders);
         UPDATE returns SET order_id = x'00';",
    )
    .await;
}

#[tokio::test]
async fn what_was_done_to_stock_by_hand_is_undone() {
    undone("UPDATE stock SET on_hand = on_hand + 1, reorder_threshold = 3").await;
    undone("UPDATE stock SET reserved = -1, version = -1; UPDATE reservations SET units = units + 1").await;
    undone("DELETE FROM stock WHERE sku IN ('MUG', 'POT'); DELETE FROM reservations").await;
    undone("DELETE FROM reservations; UPDATE stock SET reserved = 0 WHERE sku = 'TEA'").await;
    undone("INSERT INTO stock VALUES ('ghost', 1, 0, NULL, NULL, 1), ('zz no sku', 1, 0, NULL, NULL, 1)").await;
    undone("INSERT INTO reservations SELECT sku, x'00', 1, NULL FROM stock UNION SELECT 'ghost', x'00', 1, 5").await;
}

#[tokio::test]
async fn what_was_done_to_uses_of_promotions_by_hand_is_undone() {
    undone(
        "UPDATE promotion_uses SET used = used + 5, spent = 0;
         UPDATE promotion_redemptions SET released_at = NULL, amount = 1;",
    )
    .await;
    undone("DELETE FROM promotion_uses; DELETE FROM promotion_redemptions").await;
    undone("INSERT INTO promotion_uses VALUES ('ghost', 1, 1)").await;
}

#[tokio::test]
async fn uses_that_differ_from_the_history_are_found() {
    for damage in ["UPDATE promotion_uses SET used = used + 1", "DELETE FROM promotion_redemptions"] {
        let place = Place::busy().await;
        assert!(place.is_identical().await);
        place.execute(damage);
        assert!(!place.is_identical().await, "{damage}");
        place.rebuild().await.unwrap();
        assert!(place.is_identical().await, "{damage}");
    }
}

#[tokio::test]
async fn a_long_history_is_followed_page_by_page() {
    let place = Place::busy().await;
    place.trade().accept(place.shop.stocked(&[("PEN", 10_000)])).await;
    for number in 0..600 {
        let order = place.trade().placed(&[("PEN", 1)]).await;
        if number % 3 == 0 {
            place.trade().accept(place.shop.pay(&order, place.shop.at(2))).await;
        }
    }
    let before = place.dump();
    place.execute("UPDATE stock SET on_hand = 9999; DELETE FROM returns; UPDATE orders SET version = 1");
    let done = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&done);
    let tell = move |done| assert!(told.swap(done, Ordering::Relaxed) < done);
    let rebuilt = place.store.rebuild(place.shop.at(LATER), tell).await.unwrap();
    assert_eq!((rebuilt.orders, rebuilt.skus), (605, 5));
    assert_eq!(done.load(Ordering::Relaxed), rebuilt.events + rebuilt.orders + rebuilt.documents + rebuilt.skus);
    same(&before, &place.dump());
}

async fn nothing_is_written(corruption: &str, place_named: &str) {
    let place = Place::busy().await;
    place.execute("UPDATE stock SET on_hand = 999; DELETE FROM promotion_uses; DELETE FROM returns");
    place.execute(corruption);
    let before = place.dump();
    let error = place.rebuild().await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Corrupt, "{error}");
    let order: String = sql_query("SELECT stream_id AS line FROM events WHERE position = 9")
        .get_result::<Line>(&mut place.raw())
        .map(|line| line.line)
        .unwrap_or_default();
    let named = place_named.replace("{order}", &order);
    assert!(error.to_string().contains(&named), "{error} does not name {named}");
    same(&before, &place.dump());
}

#[tokio::test]
async fn a_corrupt_history_changes_nothing_and_is_named() {
    nothing_is_written("UPDATE events SET body = '{' WHERE position = 12", "position 12").await;
    nothing_is_written("UPDATE events SET stream_kind = 'soup' WHERE position = 2", "position 2").await;
    let newer = "UPDATE events SET body = json_set(body, '$.v', 2) WHERE position = 12";
    nothing_is_written(newer, "position 12 cannot be read: events.body was written by a newer version").await;
    nothing_is_written("UPDATE events SET sequence = 7 WHERE position = 9", "order {order}").await;
    nothing_is_written("UPDATE events SET sequence = 9 WHERE stream_id = 'CUP'", "stock of CUP").await;
    nothing_is_written(
        "UPDATE events SET body = json_set(body, '$.on_hand', 0) WHERE stream_id = 'POT'",
        "stock of POT",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_waits_for_the_lock_and_gives_up_like_every_writer() {
    let place = Place::busy().await;
    let mut lock = place.raw();
    lock.batch_execute("BEGIN IMMEDIATE").unwrap();
    let (store, at) = (place.store.clone(), place.shop.at(LATER));
    let waiting = tokio::spawn(async move { store.rebuild(at, |_| {}).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished());
    lock.batch_execute("ROLLBACK").unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().orders, 5);
    lock.batch_execute("BEGIN IMMEDIATE").unwrap();
    let options = SqliteOptions { busy_timeout: Duration::from_millis(50), ..SqliteOptions::default() };
    let hasty = SqliteStore::open(&place.path(), options).await.unwrap();
    assert_eq!(hasty.rebuild(at, |_| {}).await.unwrap_err().kind, StoreErrorKind::Unavailable);
}
