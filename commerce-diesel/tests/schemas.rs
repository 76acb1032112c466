//! The migrations of the three databases make the same tables.
//!
//! Each catalog is told in sentences of one form; where one database has a sentence that another has not, both are shown.
//! Names of keys are left out, because databases choose them; so are types below what the engine tells apart, and checks. Text
//! is text only where it compares by its bytes.

#![cfg(all(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use commerce_diesel::DatabaseOptions;
use commerce_diesel::mysql::MysqlStore;
use commerce_diesel::postgres::PostgresStore;
use commerce_diesel::sqlite::{SqliteOptions, SqliteStore};
use diesel::prelude::*;
use diesel::sql_types::Text;
use test_servers::{MariaDb, Postgres};

const DATABASE: &str = "schemas";
const SQLITE: &str = include_str!("schemas/sqlite.sql");
const POSTGRES: &str = include_str!("schemas/postgres.sql");
const MARIADB: &str = include_str!("schemas/mariadb.sql");

/// What a catalog says.
type Schema = BTreeSet<String>;

#[tokio::test]
async fn the_three_databases_have_the_same_tables() {
    let (sqlite, postgres, mariadb) = (of_sqlite().await, of_postgres().await, of_mariadb().await);
    assert!(postgres.len() > 100, "the catalog was not read: {postgres:?}");
    compare(("PostgreSQL", &postgres), ("MariaDB", &mariadb));
    // SQLite has no booleans but numbers.
    let numbers = postgres.iter().map(|line| line.replace(" boolean", " number")).collect();
    compare(("PostgreSQL", &numbers), ("SQLite", &sqlite));
}

#[test]
fn the_three_databases_have_the_same_migrations() {
    let [sqlite, postgres, mysql] = ["sqlite", "postgres", "mysql"].map(migrations);
    assert!(!sqlite.is_empty());
    compare(("PostgreSQL", &postgres), ("SQLite", &sqlite));
    compare(("PostgreSQL", &postgres), ("MySQL", &mysql));
}

#[track_caller]
fn compare((one, left): (&str, &Schema), (other, right): (&str, &Schema)) {
    let only = |name, here: &Schema, there| -> Vec<String> {
        here.difference(there).map(|line| format!("only in {name}: {line}")).collect()
    };
    let differences = [only(one, left, right), only(other, right, left)].concat();
    assert!(differences.is_empty(), "{one} and {other} differ:\n{}", differences.join("\n"));
}

fn lines(text: &str) -> Schema {
    text.lines().map(str::to_owned).collect()
}

async fn of_sqlite() -> Schema {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text)]
        line: String,
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.db");
    drop(SqliteStore::open(&path, SqliteOptions::default()).await.unwrap());
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let lines: Vec<Line> = diesel::sql_query(SQLITE).load(&mut conn).unwrap();
    lines.into_iter().map(|line| line.line).collect()
}

async fn of_postgres() -> Schema {
    let server = Postgres::shared();
    server.create_database(DATABASE).unwrap();
    drop(PostgresStore::open(&server.url(DATABASE), DatabaseOptions::default()).await.unwrap());
    lines(&server.sql(DATABASE, POSTGRES).unwrap())
}

async fn of_mariadb() -> Schema {
    let server = MariaDb::shared();
    server.create_database(DATABASE).unwrap();
    drop(MysqlStore::open(&server.url(DATABASE), DatabaseOptions::default()).await.unwrap());
    lines(&server.sql(DATABASE, MARIADB).unwrap())
}

/// The files below the migrations of a database.
fn migrations(database: &str) -> Schema {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
    let entries = |directory: &PathBuf| fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = entries(&root).flat_map(|migration| entries(&migration).collect::<Vec<_>>());
    files.map(|file| file.strip_prefix(&root).unwrap().display().to_string()).collect()
}
