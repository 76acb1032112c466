//! Whatever is changed in a table that follows from the history is named, and repaired.
//!
//! Tables and columns come from the catalog of each database, so a new one is either compared, or an exception here and in
//! `docs/databases.md`.

#![cfg(all(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests use more of it")]
#[path = "support/database.rs"]
mod database;
#[path = "support/mysql.rs"]
mod mysql;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/trade.rs"]
mod trade;

use std::collections::BTreeSet;
use std::path::PathBuf;

use commerce_core::actor::Actor;
use commerce_core::customer::{Customer, CustomerDetails};
use commerce_core::event::Recorded;
use commerce_core::ids::{EventId, OperationId};
use commerce_core::metadata::Metadata;
use commerce_core::payment::{CaptureMode, NewOperation, OperationKind, Payment};
use commerce_core::port::Store;
use commerce_core::task::{TaskEvent, TaskKey};
use commerce_diesel::sqlite::{SqliteOptions, SqliteStore};
use commerce_diesel::{DifferenceKind, Rebuilt};
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::parse;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use serde_json::json;

use self::database::Database;
use self::mysql::OnMariaDb;
use self::postgres::OnPostgres;
use self::trade::{LATER, Trade};

/// Tables that do not follow from the history.
const OTHERS: [&str; 6] = [
    "__diesel_schema_migrations",
    "events",
    "idempotency_keys",
    "publish_targets",
    "sandbox_books",
    "webhook_deliveries",
];

/// Columns of other tables that do not.
const ATTEMPTS: [&str; 2] = ["failures", "last_error"];

/// The tables that do, with the last column of the key.
const TABLES: [(&str, &str); 15] = [
    ("carts", "id"),
    ("claims", "claim"),
    ("customers", "id"),
    ("document_keys", "lookup"),
    ("documents", "id"),
    ("feed", "id"),
    ("orders", "id"),
    ("payments", "id"),
    ("products", "id"),
    ("promotion_redemptions", "order_id"),
    ("promotion_uses", "promotion_id"),
    ("reservations", "order_id"),
    ("returns", "id"),
    ("stock", "sku"),
    ("tasks", "subject"),
];

/// Columns that contain JSON.
const JSON: [&str; 3] = ["body", "payload", "state"];

/// What a database calls the things that the damage is made of.
struct Dialect {
    /// The columns of all tables as `table column kind`: `text`, `number` or `id`.
    catalog: &'static str,
    random_id: &'static str,
}

const SQLITE: Dialect = Dialect {
    catalog: "SELECT m.name || ' ' || p.name || ' ' || CASE p.type WHEN 'BLOB' THEN 'id' WHEN 'INTEGER' THEN 'number'
                 ELSE 'text' END AS line
              FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table' ORDER BY m.name, p.cid",
    random_id: "randomblob(16)",
};
const POSTGRES: Dialect = Dialect {
    catalog: "SELECT table_name || ' ' || column_name || ' ' || CASE data_type WHEN 'uuid' THEN 'id'
                 WHEN 'bigint' THEN 'number' ELSE 'text' END
              FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
    random_id: "gen_random_uuid()",
};
const MARIADB: Dialect = Dialect {
    catalog: "SELECT CONCAT(table_name, ' ', column_name, ' ', CASE data_type WHEN 'binary' THEN 'id'
                 WHEN 'bigint' THEN 'number' ELSE 'text' END)
              FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position",
    random_id: "RANDOM_BYTES(16)",
};

struct Column {
    table: String,
    name: String,
    kind: String,
}

impl Dialect {
    /// Another value for a column.
    fn other(&self, Column { name, kind, .. }: &Column) -> String {
        match kind.as_str() {
            "id" => self.random_id.to_owned(),
            "number" => format!("COALESCE({name}, 0) + 1"),
            _ => format!("CONCAT(SUBSTR(COALESCE({name}, ''), 2), 'x')"),
        }
    }
}

macro_rules! place {
    ($test:ident, $dialect:ident, $open:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            let (store, sql) = $open.await;
            let shop = CommitBuilder::new(1);
            fill(&shop, &store).await;
            let at = shop.at(LATER);
            let place = Place { dialect: $dialect, sql: Box::new(sql) };
            let compare = || store.compare(at, |_| {});
            let repair = || store.rebuild(at, |_| {});
            let columns = place.columns();
            assert_eq!(compare().await.unwrap().differences, []);
            for column in columns.iter().filter(|column| JSON.contains(&column.name.as_str())) {
                let Column { table, name, .. } = column;
                (place.sql)(&format!("UPDATE {table} SET {name} = CONCAT(' ', {name}) WHERE {name} IS NOT NULL"));
            }
            assert_eq!(compare().await.unwrap().differences, [], "JSON is compared as a value");
            (place.sql)("UPDATE tasks SET failures = 1, last_error = 'down', ready_at = ready_at + 1, due = due + 1");
            assert_eq!(compare().await.unwrap().differences, [], "attempts and leases are not compared");
            (place.sql)("UPDATE tasks SET failures = 0, last_error = NULL, ready_at = ready_at - 1, due = due - 1");
            for damage in place.damages(&columns) {
                (place.sql)(&damage.statement);
                let found = compare().await.unwrap();
                damage.assert_named(&found);
                let repaired = repair().await.unwrap();
                assert!(repaired.different >= found.different, "{damage:?}");
                let left = compare().await.unwrap().differences;
                assert_eq!(left, [], "{damage:?}");
            }
        }
    };
}

place!(on_sqlite, SQLITE, sqlite());
place!(on_postgres, POSTGRES, server::<OnPostgres>());
place!(on_mariadb, MARIADB, server::<OnMariaDb>());

async fn server<D: Database>() -> (D::Store, impl Fn(&str) -> Vec<String> + Send) {
    let database = D::create();
    let store = database.open().await;
    (store, move |script: &str| database.sql(script).lines().map(str::to_owned).collect())
}

async fn sqlite() -> (SqliteStore, impl Fn(&str) -> Vec<String> + Send) {
    let directory = tempfile::tempdir().unwrap();
    let path: PathBuf = directory.path().join("shop.db");
    let store = SqliteStore::open(&path, SqliteOptions::default()).await.unwrap();
    let sql = move |script: &str| {
        #[derive(QueryableByName)]
        struct Line {
            #[diesel(sql_type = Text)]
            line: String,
        }
        let _kept = &directory;
        let mut raw = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        raw.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
        if script.starts_with("SELECT") {
            return sql_query(script).load::<Line>(&mut raw).unwrap().into_iter().map(|line| line.line).collect();
        }
        raw.batch_execute(script).unwrap();
        Vec::new()
    };
    (store, sql)
}

/// A shop with every noun, and every row kind.
async fn fill(shop: &CommitBuilder, store: &dyn Store) {
    let trade = Trade { shop, store };
    trade.everything().await;
    let metadata = || Metadata::new([("channel".to_owned(), json!("app")), ("rank".to_owned(), json!(2))]).unwrap();
    trade.accept(shop.create(&Customer::new(&parse("ann"), None, CustomerDetails::default(), shop.at(1)))).await;
    let mut product = shop.product("cups", &["CUP", "PEN"]);
    (product.active, product.metadata, product.categories) = (false, metadata(), vec![parse("crockery")]);
    trade.accept(shop.create(&product)).await;
    let mut renamed = product.clone();
    (renamed.name, renamed.version) = (parse("Cups"), 2);
    trade.accept(shop.update(&product, &renamed)).await;
    let mut cart = shop.cart(parse("cleo"), shop.at(1));
    cart.metadata = metadata();
    trade.accept(shop.create(&cart)).await;
    let mut new_order = shop.new_order(&[("MUG", 1)], shop.at(1));
    new_order.details.metadata = metadata();
    trade.accept(shop.place(new_order, shop.at(1))).await;
    let order = trade.placed(&[("MUG", 1)]).await;
    let mut payment = Payment::new(&order, parse("fake"), CaptureMode::Automatic, shop.at(1));
    let authorize = NewOperation::new(OperationId::new(shop.uuid()), OperationKind::Authorize, order.payment.amount);
    payment.request(authorize, shop.at(1)).unwrap();
    payment.version = 1;
    trade.accept(shop.create(&payment)).await;
    for event in [TaskEvent::GivenUp, TaskEvent::Dropped] {
        let order = trade.placed(&[("MUG", 1)]).await;
        let task = store.task(&TaskKey::expire_order(order.id)).await.unwrap().unwrap();
        let id = EventId::new(shop.uuid());
        let entry = Recorded { id, sequence: 0, at: shop.at(2), actor: Actor::SYSTEM, trace: None, event };
        assert!(store.replace_task(&task, entry.evolve(&task).as_ref(), Some(&entry)).await.unwrap());
    }
}

/// The reader of the documentation finds each column of each table, or the table among those that are not compared.
#[test]
fn the_documentation_names_every_column() {
    let docs = include_str!("../../docs/databases.md");
    let schema = include_str!("../migrations/sqlite/00000000000001_shop/up.sql");
    let (mut table, mut columns) = (String::new(), 0);
    for line in schema.lines() {
        if let Some(name) = line.strip_prefix("CREATE TABLE ") {
            table = format!("| `{}` |", name.trim_end_matches(" ("));
        }
        let Some(column) = line.strip_prefix("    ").and_then(|line| line.split(' ').next()) else { continue };
        if column.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            let row = docs.lines().find(|line| line.starts_with(&table)).unwrap_or_else(|| panic!("{table}"));
            assert!(row.contains(&format!("`{column}`")) || row.contains("| not compared |"), "{table} {column}");
            columns += 1;
        }
    }
    assert!(columns > 60, "{columns}");
}

/// Runs a script past the store; gives the rows.
type Sql = Box<dyn Fn(&str) -> Vec<String> + Send>;

struct Place {
    dialect: Dialect,
    sql: Sql,
}

/// A statement, and what has to be named.
#[derive(Debug)]
struct Damage {
    statement: String,
    table: String,
    /// The column; `None`: the key.
    column: Option<String>,
    kinds: &'static [DifferenceKind],
    /// How many rows have to be named.
    rows: usize,
}

impl Damage {
    #[track_caller]
    fn assert_named(&self, found: &Rebuilt) {
        for kind in self.kinds {
            let rows = found.differences.iter().filter(|row| row.table == self.table && row.kind == *kind);
            let names = |columns: &[&str]| self.column.as_ref().is_none_or(|column| columns.contains(&column.as_str()));
            let named = rows.filter(|row| names(&row.columns)).count();
            assert!(named >= self.rows, "{self:?} {kind:?}: {:?}", found.differences);
        }
    }
}

impl Place {
    /// All columns of the tables that follow from the history.
    fn columns(&self) -> Vec<Column> {
        let lines = (self.sql)(self.dialect.catalog);
        let columns = lines.iter().map(|line| {
            let [table, name, kind] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
            Column { table: table.to_owned(), name: name.to_owned(), kind: kind.to_owned() }
        });
        let columns: Vec<_> = columns.filter(|column| !OTHERS.contains(&column.table.as_str())).collect();
        let tables: BTreeSet<_> = columns.iter().map(|column| column.table.as_str()).collect();
        assert_eq!(tables, TABLES.map(|(table, _)| table).into());
        columns
    }

    fn count(&self, table: &str) -> usize {
        let count: usize = (self.sql)(&format!("SELECT CONCAT(COUNT(*), '') AS line FROM {table}"))[0].parse().unwrap();
        assert!(count > 0, "{table} shows nothing");
        count
    }

    fn damages(&self, columns: &[Column]) -> Vec<Damage> {
        // A row with another id would violate a constraint; the version of all promotions follows from nothing.
        let left_out = [("feed", "id"), ("feed", "promotions")];
        let changed = columns.iter().filter(|column| {
            let name = (column.table.as_str(), column.name.as_str());
            !left_out.contains(&name) && !ATTEMPTS.contains(&name.1)
        });
        let rows = TABLES.into_iter().flat_map(|(table, key)| self.rows(table, key, columns));
        changed.flat_map(|column| self.values(column)).chain(rows).collect()
    }

    /// Other values in a column.
    fn values(&self, column: &Column) -> Vec<Damage> {
        const KEYS: [&str; 9] =
            ["kind", "claim", "id", "lookup", "promotion_id", "user_id", "order_id", "sku", "subject"];
        let Column { table, name, .. } = column;
        let is_key = KEYS.contains(&name.as_str())
            && !matches!(
                (table.as_str(), name.as_str()),
                ("orders" | "promotion_redemptions", "user_id") | ("returns", "order_id")
            );
        let kinds: &[_] =
            if is_key { &[DifferenceKind::Missing, DifferenceKind::Unknown] } else { &[DifferenceKind::Changed] };
        let (all, rows) = match (table.as_str(), name.as_str()) {
            // A bound, which is exact where something is reserved; a lease, which is null where a task was given up.
            ("stock", "next_expiry") | ("tasks", "ready_at") => ("", 1),
            ("stock", "reserved") => (" WHERE reserved < on_hand", 1),
            _ => ("", self.count(table)),
        };
        let mut others = vec![self.dialect.other(column)];
        if JSON.contains(&name.as_str()) {
            others.push("'{}'".to_owned());
        }
        if name == "ready_at" {
            others.push("NULL".to_owned());
        }
        let damage = |other| Damage {
            statement: format!("UPDATE {table} SET {name} = {other}{all}"),
            table: table.clone(),
            column: Some(name.clone()),
            kinds,
            rows,
        };
        others.into_iter().map(damage).collect()
    }

    /// Rows that are missing, and rows that are too many.
    fn rows(&self, table: &str, key: &str, columns: &[Column]) -> Vec<Damage> {
        let damage = |statement, kinds| Damage {
            statement,
            table: table.to_owned(),
            column: None,
            kinds,
            rows: self.count(table),
        };
        let deleted = damage(format!("DELETE FROM {table}"), &[DifferenceKind::Missing]);
        let columns: Vec<_> = columns.iter().filter(|column| column.table == table).collect();
        let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
        let values = columns
            .iter()
            .map(|column| if column.name == key { self.dialect.other(column) } else { column.name.clone() });
        let (names, values) = (names.join(", "), values.collect::<Vec<_>>().join(", "));
        let added = format!("INSERT INTO {table} ({names}) SELECT {values} FROM {table}");
        let added = (table != "feed").then(|| damage(added, &[DifferenceKind::Unknown]));
        [deleted].into_iter().chain(added).collect()
    }
}
