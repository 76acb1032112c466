//! A shop of the first version on each database. The code of the day opens it, verifies it and sells from it.
//!
//! `UPDATE_FIXTURES=1 cargo test -p commerce-diesel --features postgres,mysql --test fixtures` makes the fixtures anew, which needs
//! `pg_dump` and `mariadb-dump` on the path. Only a change of the schema may need that; see `migrations/README.md`.

#![cfg(all(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/trade.rs"]
mod trade;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use commerce_core::customer::{Customer, CustomerDetails, Groups};
use commerce_core::document::{Document, DocumentId, DocumentKind};
use commerce_core::order::{PaymentStatus, RefundStatus};
use commerce_core::port::{OrderFilter, PageRequest, ReturnFilter, Store};
use commerce_core::replay::verify;
use commerce_diesel::DatabaseOptions;
use commerce_diesel::mysql::MysqlStore;
use commerce_diesel::postgres::PostgresStore;
use commerce_diesel::sqlite::{SqliteOptions, SqliteStore};
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::parse;
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use tempfile::TempDir;
use test_servers::{MariaDb, Postgres};
use tokio::sync::OnceCell;
use trade::{LATER, Trade};

/// The columns that hold stored forms.
const STORED: [(&str, &str); 7] = [
    ("events", "body"),
    ("documents", "body"),
    ("carts", "body"),
    ("customers", "body"),
    ("payments", "body"),
    ("products", "body"),
    ("orders", "state"),
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn is_updating() -> bool {
    env::var_os("UPDATE_FIXTURES").is_some()
}

async fn fill(store: &dyn Store) {
    let shop = CommitBuilder::new(1);
    let trade = Trade { shop: &shop, store };
    trade.everything().await;
    let mut details = CustomerDetails::default();
    details.groups = Groups::new([parse("vip")]).unwrap();
    details.tax_number = Some(parse("DE 1"));
    trade.accept(shop.create(&Customer::new(&parse("ann"), None, details, shop.at(1)))).await;
}

/// What stands in the fixture is read as it was written.
async fn is_whole(store: &dyn Store) {
    let report = verify(store, CommitBuilder::new(1).at(LATER), |_| {}).await.unwrap();
    assert_eq!(report.differences, []);
    assert_eq!((report.orders, report.documents, report.skus, report.promotions), (5, 5, 4, 1));
    let orders = store.orders(&OrderFilter::default(), &PageRequest { limit: 10, after: None }).await.unwrap().items;
    let totals: Vec<_> = orders.iter().map(|order| (order.status.as_str(), order.quote.total.to_string())).collect();
    assert_eq!(totals.iter().map(|(status, _)| *status).collect::<Vec<_>>(), STATES);
    assert!(totals.iter().all(|(_, total)| total.ends_with(" USD") && total != "0.00 USD"), "{totals:?}");
    let returned = &orders[1];
    assert_eq!(
        (returned.payment.status, returned.refunds[0].status),
        (PaymentStatus::Succeeded, RefundStatus::Requested)
    );
    assert_eq!(returned.quote.explanation.len(), orders[4].quote.explanation.len());
    let returns = store.returns(&ReturnFilter::default(), &PageRequest { limit: 10, after: None }).await.unwrap().items;
    assert_eq!(returns.iter().map(|(order, _)| *order).collect::<Vec<_>>(), [returned.id]);
    assert!(store.active_cart(&parse("bob")).await.unwrap().is_some());
    assert_eq!(store.offers(&[parse("MUG")]).await.unwrap().len(), 1);
    assert_eq!(store.categories().await.unwrap().len(), 1);
}

/// The states of the orders of the fixture, the newest order first.
const STATES: [&str; 5] = ["paid", "returned", "pending", "cancelled", "pending"];

/// What the code of the day writes fits to what stands in the fixture.
async fn can_be_sold_from(store: &dyn Store) {
    let shop = CommitBuilder::new(2);
    let trade = Trade { shop: &shop, store };
    let at = shop.at(LATER);
    let before = store.stock(&parse("MUG"), at).await.unwrap().unwrap();
    let order = trade.placed(&[("MUG", 2)]).await;
    trade.accept(shop.pay(&order, at)).await;
    let after = store.stock(&parse("MUG"), at).await.unwrap().unwrap();
    assert_eq!(after.reserved, before.reserved + 2);
    let id = DocumentId::new(DocumentKind::Product, &"mugs");
    let Some(Document::Product(product)) = store.document(&id).await.unwrap() else { panic!("no product") };
    let mut renamed = product.clone();
    (renamed.name, renamed.version) = (parse("Mugs"), product.version + 1);
    trade.accept(shop.update(&product, &renamed)).await;
    assert!(store.commit(shop.create(&shop.product("more mugs", &["MUG"]))).await.is_err());
    let report = verify(store, at, |_| {}).await.unwrap();
    assert_eq!((report.differences.as_slice(), report.orders), ([].as_slice(), 6));
}

async fn opens(store: &dyn Store) {
    is_whole(store).await;
    can_be_sold_from(store).await;
}

/// Every row is as the code of the day makes it from the history, JSON that it does not know apart.
macro_rules! opens {
    ($store:expr) => {{
        let store = $store;
        opens(&store).await;
        let compared = store.compare(CommitBuilder::new(1).at(LATER), |_| {}).await.unwrap();
        assert_eq!((compared.differences, compared.orders), (Vec::new(), 6));
    }};
}

async fn make_sqlite() {
    if !is_updating() {
        return;
    }
    fs::remove_file(fixture("sqlite.db")).unwrap_or_default();
    fill(&SqliteStore::open(&fixture("sqlite.db"), SqliteOptions::default()).await.unwrap()).await;
    let mut raw = SqliteConnection::establish(fixture("sqlite.db").to_str().unwrap()).unwrap();
    raw.batch_execute("PRAGMA journal_mode = DELETE; VACUUM").unwrap();
}

/// A copy of the SQLite file.
struct Copy(TempDir);

impl Copy {
    async fn new() -> Self {
        static MADE: OnceCell<()> = OnceCell::const_new();
        MADE.get_or_init(make_sqlite).await;
        let copy = Self(tempfile::tempdir().unwrap());
        fs::copy(fixture("sqlite.db"), copy.path()).unwrap();
        copy
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("shop.db")
    }

    fn execute(&self, sql: &str) {
        SqliteConnection::establish(self.path().to_str().unwrap()).unwrap().batch_execute(sql).unwrap();
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.path(), SqliteOptions::default()).await.unwrap()
    }
}

/// A database that a dump was loaded into.
async fn postgres(name: &str) -> String {
    let server = Postgres::shared();
    let url = |name: &str| server.url(name);
    if is_updating() && !name.ends_with("newer") {
        server.create_database("fixture").unwrap();
        fill(&PostgresStore::open(&url("fixture"), DatabaseOptions::default()).await.unwrap()).await;
        let flags = ["--inserts", "--no-owner", "--no-privileges", "--no-comments", &url("fixture")];
        dump("pg_dump", &flags, "postgres.sql");
    }
    server.create_database(name).unwrap();
    server.sql(name, &fs::read_to_string(fixture("postgres.sql")).unwrap()).unwrap();
    url(name)
}

async fn mariadb(name: &str) -> String {
    let server = MariaDb::shared();
    let url = |name: &str| server.url(name);
    if is_updating() && !name.ends_with("newer") {
        server.create_database("fixture").unwrap();
        fill(&MysqlStore::open(&url("fixture"), DatabaseOptions::default()).await.unwrap()).await;
        let whole = url("fixture");
        let (user, _) = whole.trim_start_matches("mysql://").split_once('@').unwrap();
        let (user, password) = user.split_once(':').unwrap();
        let account = [format!("--user={user}"), format!("--password={password}"), format!("--port={}", server.port())];
        let how = ["--host=127.0.0.1", "--hex-blob", "--compact", "--single-transaction", "fixture"];
        dump("mariadb-dump", &account.iter().map(String::as_str).chain(how).collect::<Vec<_>>(), "mariadb.sql");
    }
    server.create_database(name).unwrap();
    server.sql(name, &fs::read_to_string(fixture("mariadb.sql")).unwrap()).unwrap();
    url(name)
}

fn dump(program: &str, flags: &[&str], name: &str) {
    let output = Command::new(program).args(flags).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    // What newer clients write is not known to older ones.
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('\\') && !line.starts_with("--") && !line.starts_with("/*M!999999"));
    fs::write(fixture(name), lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
}

/// One statement per column.
fn for_each_stored(change: impl Fn(&str) -> String) -> String {
    let statement = |(table, column): (&str, &str)| {
        format!("UPDATE {table} SET {column} = {} WHERE {column} IS NOT NULL;", change(column))
    };
    STORED.map(statement).concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite() {
    let copy = Copy::new().await;
    opens!(copy.open().await);
    let copy = Copy::new().await;
    copy.execute(&for_each_stored(|column| {
        format!("json_set({column}, '$.of_a_newer_version', json('{{\"a\":[1]}}'))")
    }));
    opens!(copy.open().await);
    copy.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')");
    let refused = SqliteStore::open(&copy.path(), SqliteOptions::default()).await.unwrap_err().to_string();
    assert!(refused.ends_with(NEWER), "{refused}");
}

const NEWER: &str =
    "was written by a newer version: it has the migration 99990101000000, which this version does not know";

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql() {
    let options = DatabaseOptions::default;
    opens!(PostgresStore::open(&postgres("whole").await, options()).await.unwrap());
    let url = postgres("newer").await;
    let grown =
        for_each_stored(|column| format!("({column}::jsonb || '{{\"of_a_newer_version\":{{\"a\":[1]}}}}')::text"));
    Postgres::shared().sql("newer", &grown).unwrap();
    opens!(PostgresStore::open(&url, options()).await.unwrap());
    let migration = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
    Postgres::shared().sql("newer", migration).unwrap();
    let refused = PostgresStore::open(&url, options()).await.unwrap_err().to_string();
    assert!(refused.contains("99990101000000"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_mariadb() {
    let options = DatabaseOptions::default;
    opens!(MysqlStore::open(&mariadb("whole").await, options()).await.unwrap());
    let url = mariadb("newer").await;
    let grown = for_each_stored(|column| format!("JSON_SET({column}, '$.of_a_newer_version', JSON_OBJECT('a', 1))"));
    MariaDb::shared().sql("newer", &grown).unwrap();
    opens!(MysqlStore::open(&url, options()).await.unwrap());
    let migration = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
    MariaDb::shared().sql("newer", migration).unwrap();
    let refused = MysqlStore::open(&url, options()).await.unwrap_err().to_string();
    assert!(refused.contains("99990101000000"), "{refused}");
}

/// A value of a newer format is refused where it is read, and is told from a corrupt one.
#[tokio::test(flavor = "multi_thread")]
async fn values_of_a_newer_format_are_refused() {
    let copy = Copy::new().await;
    let store = copy.open().await;
    copy.execute(&for_each_stored(|column| format!("json_set({column}, '$.v', 2)")));
    let shop = CommitBuilder::new(1);
    let product = store.product(&parse("mugs")).await.unwrap_err().to_string();
    let orders = store.orders(&OrderFilter::default(), &PageRequest { limit: 10, after: None }).await.unwrap_err();
    for refused in [product, orders.to_string()] {
        assert!(refused.contains("newer version"), "{refused}");
    }
    assert!(store.stock(&parse("MUG"), shop.at(LATER)).await.unwrap().is_some());
}
