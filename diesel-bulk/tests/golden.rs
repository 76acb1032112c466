//! The SQL of every kind of statement, per database, as `tests/golden` has it. `UPDATE_GOLDEN=1` writes the files anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(missing_docs, reason = "the tables are examples")]

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use diesel::backend::Backend;
use diesel::mysql::Mysql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{QueryBuilder, QueryFragment};
use diesel::sqlite::Sqlite;
use diesel_bulk::{Bulk, DbUuid, Find, InList, Insert, InsertBehind, InsertMissing, Together, Update, Write};
use uuid::Uuid;

diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Nullable, Text};
    use diesel_bulk::sql_types::Id;

    items (order_id, position) {
        order_id -> Id,
        position -> BigInt,
        name -> Nullable<Text>,
        gift -> Bool,
    }
}

diesel::table! {
    levels (sku) {
        sku -> Text,
        on_hand -> BigInt,
    }
}

#[derive(Debug)]
struct ItemRow<'a> {
    order_id: DbUuid,
    position: i64,
    name: Option<&'a str>,
    gift: bool,
}

#[derive(Debug)]
struct LevelRow {
    sku: &'static str,
    on_hand: i64,
}

diesel_bulk::rows! {
    items: ItemRow<'a> (order_id, position) { name, gift }
    levels: LevelRow (sku) { on_hand }
}

fn id(number: u128) -> DbUuid {
    DbUuid(Uuid::from_u128(number))
}

fn items() -> Vec<ItemRow<'static>> {
    (0..3).map(|position| ItemRow { order_id: id(1), position, name: None, gift: false }).collect()
}

fn levels() -> Vec<LevelRow> {
    ["CUP", "MUG", "POT"].map(|sku| LevelRow { sku, on_hand: 1 }).into()
}

/// The texts of statements, each under what it is.
#[derive(Default)]
struct Golden(String);

impl Golden {
    fn add<DB: Backend<QueryBuilder: Default> + Default>(&mut self, what: &str, statement: &impl QueryFragment<DB>) {
        let mut builder = DB::QueryBuilder::default();
        statement.to_sql(&mut builder, &DB::default()).unwrap();
        writeln!(self.0, "-- {what}\n{};\n", builder.finish()).unwrap();
    }

    fn add_all<DB: Bulk<QueryBuilder: Default> + Default>(&mut self, behind: &'static str)
    where
        for<'r> ItemRow<'r>: Write<DB>,
        LevelRow: Write<DB>,
    {
        let (items, levels) = (items(), levels());
        let first = |count| if count == 1 { "three rows" } else { "the first of three rows" };
        let inserts: Vec<_> = Insert::<_, DB>::pieces(&items).collect();
        self.add(&format!("insert {}", first(inserts.len())), &inserts[0]);
        let missing: Vec<_> = InsertMissing::<_, DB>::pieces(&items).collect();
        self.add(&format!("insert what is missing of {}", first(missing.len())), &missing[0]);
        let counted: Vec<_> = InsertBehind::<_, DB>::pieces(&levels, behind).collect();
        self.add(&format!("insert {} behind an expression", first(counted.len())), &counted[0]);
        let updates: Vec<_> = Update::<_, DB>::pieces(&levels).collect();
        self.add(&format!("update {}", first(updates.len())), &updates[0]);
        let updates: Vec<_> = Update::<_, DB>::pieces(&items).collect();
        self.add(&format!("update {} with a key of two columns", first(updates.len())), &updates[0]);
        let found: Vec<_> = Find::<_, DB>::pieces(&items).collect();
        self.add(&format!("find {}", first(found.len())), &found[0]);
        self.add("update one row", &Update::<_, DB>::pieces(&levels[..1]).next().unwrap());
    }

    fn compare(&self, name: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &self.0).unwrap();
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        assert!(golden == self.0, "{name} is not as golden; UPDATE_GOLDEN=1 accepts:\n{}", self.0);
    }
}

macro_rules! lists {
    ($golden:ident, $db:ty) => {
        let texts = || InList::<_, $db>::new(levels::sku, ["CUP", "MUG", "POT"]);
        $golden.add::<$db>("keys of one text", &levels::table.filter(texts()).select(levels::on_hand));
        let ids = InList::<_, $db>::new(items::order_id, [id(1), id(2)]);
        $golden.add::<$db>("keys of one UUID", &diesel::delete(items::table.filter(ids)));
        let pairs = InList::<_, $db>::new((items::order_id, items::name), [(id(1), "CUP"), (id(2), "POT")]);
        $golden.add::<$db>("keys of two columns", &items::table.filter(pairs).select(items::gift));
        let pair = InList::<_, $db>::new((items::order_id, items::name), [(id(1), "CUP")]);
        $golden.add::<$db>("a single key", &items::table.filter(pair).select(items::gift));
        let none = InList::<_, $db>::new(levels::sku, [""; 0]);
        $golden.add::<$db>("no keys", &levels::table.filter(none).select(levels::on_hand));
    };
}

#[test]
fn sqlite() {
    let mut golden = Golden::default();
    golden.add_all::<Sqlite>("(SELECT last FROM counter) + ");
    lists!(golden, Sqlite);
    golden.compare("sqlite.sql");
}

#[test]
fn postgres() {
    let mut golden = Golden::default();
    golden.add_all::<Pg>("(SELECT last FROM counter) + ");
    lists!(golden, Pg);
    golden.add("an insert, an update and an insert of what is missing together", &together());
    let mut alone = Together::default();
    alone.update(&levels()).unwrap();
    golden.add("an update alone", &alone);
    golden.compare("postgres.sql");
}

/// Rows of a table that has none need no statement.
fn together() -> Together {
    let mut together = Together::default();
    together.insert::<ItemRow<'_>>(&[]).unwrap();
    together.insert(&items()).unwrap();
    together.update(&levels()).unwrap();
    together.insert_missing(&levels()).unwrap();
    together
}

#[test]
fn what_is_written_together_has_the_names_of_its_statements() {
    let mut other = Together::default();
    other.update(&levels()).unwrap();
    other.insert(&items()).unwrap();
    assert_ne!(together().names(), other.names());
    assert_eq!(together().names(), together().names());
    assert!(Together::default().is_empty() && !other.is_empty());
}

#[test]
fn mysql() {
    let mut golden = Golden::default();
    golden.add_all::<Mysql>("LAST_INSERT_ID() + ");
    lists!(golden, Mysql);
    golden.compare("mysql.sql");
}
