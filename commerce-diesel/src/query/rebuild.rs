//! Compares the tables that follow from the history with it, and repairs them.
//!
//! [`commerce_core::replay`] decides. The rows to expect are made by the functions that make the rows of a commit. Rows are
//! compared as texts, so a row that no value of the engine can be read from is a difference like others. The caller provides the
//! transaction. Memory holds a page of streams, the open orders, the stock, and the tasks.
//!
//! First each expected row is looked up by its key. Then each table that has more rows than were found is read for unknown ones.

#[path = "rebuild/counters.rs"]
mod counters;
#[path = "rebuild/facts.rs"]
mod facts;
#[path = "rebuild/stock.rs"]
mod stock;
#[path = "rebuild/tables.rs"]
mod tables;
#[path = "rebuild/tasks.rs"]
mod tasks;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use commerce_core::replay::Replay;
use diesel::prelude::*;
use diesel_bulk::Write;

use self::facts::Facts;
use self::tables::{Derived, Table};
use super::{Answer, Conn, RunQueryDsl, dialect, feed, history, write};
use crate::fault::Fault;
use crate::rebuilt::{DifferenceKind, Rebuilt, RowDifference};
use crate::rows::event::FeedRow;
use crate::schema::events;

/// The number of streams or rows in a page.
const PAGE: u16 = 250;
/// The most differences that are listed.
const MOST_LISTED: usize = 1000;

/// The values of a row as texts, in the order of its columns.
type Cells = Vec<Option<String>>;

/// What is done about differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Mode {
    /// They are listed.
    Compare,
    /// They are listed and removed. Other writers are locked out.
    Repair,
}

struct Rebuild<F> {
    mode: Mode,
    /// The instant at which reservations are compared.
    at: DateTime<Utc>,
    tell: F,
    done: u64,
    result: Rebuilt,
    /// The number of expected rows that each table has.
    present: BTreeMap<&'static str, usize>,
}

/// Compares or repairs all tables. `tell` receives the number of orders, documents, events and SKUs done so far.
pub(in super::super) async fn run(
    conn: &mut Conn,
    mode: Mode,
    at: DateTime<Utc>,
    tell: impl FnMut(u64) + Send,
) -> Answer<Rebuilt> {
    if mode == Mode::Repair {
        dialect::lock_out_writers(conn).await?;
    }
    let mut rebuild = Rebuild { mode, at, tell, done: 0, result: Rebuilt::default(), present: BTreeMap::new() };
    rebuild.check_streams(conn).await?;
    let replay = rebuild.check_stock(conn).await?;
    rebuild.check_tasks(conn, &replay).await?;
    for table in Table::all() {
        rebuild.check_unknown(conn, &table, &replay).await?;
    }
    rebuild.check_counters(conn).await?;
    rebuild.check_feed(conn).await?;
    feed::expire_promotions(conn, mode == Mode::Repair && rebuild.result.different > 0).await?;
    Ok(rebuild.result)
}

impl<F: FnMut(u64) + Send> Rebuild<F> {
    fn progress(&mut self, more: usize) {
        self.done = self.done.saturating_add(count(more));
        (self.tell)(self.done);
    }

    async fn check_streams(&mut self, conn: &mut Conn) -> Answer<()> {
        let mut after = String::new();
        loop {
            let ids = history::stream_ids(conn, &after, PAGE).await?;
            let Some(last) = ids.last() else { return Ok(()) };
            after.clone_from(last);
            let facts = Facts::of_streams(conn, ids.iter().map(String::as_str)).await?;
            self.check_facts(conn, &facts).await?;
            self.result.orders = self.result.orders.saturating_add(count(facts.orders.len()));
            self.result.documents = self.result.documents.saturating_add(count(facts.documents.len()));
            self.progress(facts.orders.len().saturating_add(facts.documents.len()));
        }
    }

    async fn check_feed(&mut self, conn: &mut Conn) -> Answer<()> {
        let last: Option<i64> = events::table.select(diesel::dsl::max(events::position)).get_result(conn).await?;
        self.check(conn, vec![FeedRow { id: 1, position: last.unwrap_or_default() }]).await
    }

    /// Compares rows with those of the table that have their keys.
    async fn check<'a, R: Derived<'a>>(&mut self, conn: &mut Conn, rows: Vec<R>) -> Answer<()> {
        let stored = find(conn, &rows).await?;
        let (mut missing, mut changed, mut present) = (Vec::new(), Vec::new(), 0_usize);
        for row in rows {
            let cells = row.texts();
            let key = cells.get(..R::KEY).unwrap_or_default();
            let Some(found) = stored.get(key) else {
                self.list(R::TABLE, key, DifferenceKind::Missing, R::COLUMNS.iter().take(R::KEY));
                missing.push(row);
                continue;
            };
            present = present.saturating_add(1);
            let columns: Vec<_> = differing(R::COLUMNS, &cells, found).collect();
            if !columns.is_empty() {
                self.list(R::TABLE, key, DifferenceKind::Changed, columns);
                changed.push(row);
            }
        }
        if self.mode == Mode::Repair {
            present = present.saturating_add(missing.len());
            dialect::insert_each(conn, missing).await?;
            dialect::update_each(conn, changed).await?;
        }
        let known = self.present.entry(R::TABLE).or_default();
        *known = known.saturating_add(present);
        Ok(())
    }

    /// Looks for rows of a table that the history does not make, if it has more than were expected.
    async fn check_unknown(&mut self, conn: &mut Conn, table: &Table, replay: &Replay) -> Answer<()> {
        let mut offset = 0_usize;
        if tables::rows_of(conn, table.name).await? == self.present.get(table.name).copied().unwrap_or_default() {
            return Ok(());
        }
        loop {
            let page = table.page(conn, offset).await?;
            if page.is_empty() {
                return Ok(());
            }
            let owners: BTreeSet<String> = page.iter().filter_map(|cells| table.owner(cells)).collect();
            let mut facts = Facts::of_streams(conn, owners.iter().map(String::as_str)).await?;
            facts.add_stock(replay, owners.iter().filter_map(|owner| owner.parse().ok()))?;
            facts.add_tasks(replay, &owners);
            let expected = (table.keys)(&facts);
            offset = offset.saturating_add(page.len());
            for cells in page {
                let key = cells.get(..table.key).unwrap_or_default();
                if expected.contains(key) {
                    continue;
                }
                self.list(table.name, key, DifferenceKind::Unknown, table.columns.iter().take(table.key));
                if self.mode == Mode::Repair {
                    table.remove(conn, key).await?;
                    offset = offset.saturating_sub(1);
                }
            }
        }
    }

    fn list<'c>(
        &mut self,
        table: &'static str,
        key: &[Option<String>],
        kind: DifferenceKind,
        columns: impl IntoIterator<Item = &'c &'static str>,
    ) {
        self.result.different = self.result.different.saturating_add(1);
        if self.result.differences.len() < MOST_LISTED {
            let key: Vec<_> = key.iter().take(2).flatten().map(String::as_str).collect();
            let (key, columns) = (key.join(" "), columns.into_iter().copied().collect());
            self.result.differences.push(RowDifference { table, key, kind, columns });
        }
    }
}

/// The columns in which a row differs. JSON is compared as a value.
fn differing<'c>(
    columns: &'c [&'static str],
    cells: &[Option<String>],
    found: &[Option<String>],
) -> impl Iterator<Item = &'c &'static str> {
    let same = |column: &str, (cell, found): (&Option<String>, &Option<String>)| {
        cell == found
            || cell.as_ref().zip(found.as_ref()).is_some_and(|(cell, found)| tables::is_same(column, cell, found))
    };
    let cells = cells.iter().zip(found);
    columns.iter().zip(cells).filter(move |(column, cells)| !same(column, *cells)).map(|(column, _)| column)
}

/// The rows of the table that have the keys of these, by key.
async fn find<R: Write<dialect::Db>>(conn: &mut Conn, rows: &[R]) -> Answer<BTreeMap<Cells, Cells>> {
    let found = dialect::find_each(conn, rows).await?;
    found.iter().map(|text| read(text).map(|cells| (cells.iter().take(R::KEY).cloned().collect(), cells))).collect()
}

fn read(text: &str) -> Answer<Cells> {
    serde_json::from_str(text).map_err(|_| Fault::Corrupt("a row"))
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}
