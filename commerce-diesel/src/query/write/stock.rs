//! Levels and holds.

use chrono::{DateTime, Utc};
use commerce_core::commit::Facts;
use commerce_core::ids::Sku;
use commerce_core::stock::{HoldChange, Shelf};
use diesel::prelude::*;

use super::super::{Answer, Conn, RunQueryDsl, dialect};
use crate::id::Id;
use crate::rows::micros;
use crate::rows::stock::{HoldRow, LevelRow, TakenRow};
use crate::schema::reservations;

/// Writes the shelves that changed, in the order of skus. Where levels are not locked yet they come last.
pub(super) async fn write(conn: &mut Conn, settled: &Facts, taken_at: Option<DateTime<Utc>>) -> Answer<()> {
    let rows = Rows::of(settled);
    dialect::together!(conn;
        () = dialect::insert_each(conn, rows.new_levels),
        () = dialect::insert_each(conn, rows.new_holds),
        () = dialect::update_each(conn, rows.holds),
        () = remove(conn, rows.gone),
        () = write_levels(conn, rows.levels, settled, taken_at),
    );
    Ok(())
}

async fn write_levels(
    conn: &mut Conn,
    levels: Vec<LevelRow<'_>>,
    settled: &Facts,
    taken_at: Option<DateTime<Utc>>,
) -> Answer<()> {
    let Some(at) = taken_at else { return Ok(dialect::update_each(conn, levels).await?) };
    let taken = settled.shelves.iter().filter(|(_, shelf)| shelf.is_changed());
    let rows = taken.filter_map(|(sku, shelf)| Some(TakenRow::of(sku, shelf.taken(at)?)));
    Ok(dialect::take_each(conn, levels, rows.collect(), micros(at)).await?)
}

#[derive(Default)]
struct Rows<'a> {
    new_levels: Vec<LevelRow<'a>>,
    levels: Vec<LevelRow<'a>>,
    new_holds: Vec<HoldRow<'a>>,
    holds: Vec<HoldRow<'a>>,
    gone: Vec<(&'a str, Id)>,
}

impl<'a> Rows<'a> {
    fn of(settled: &'a Facts) -> Self {
        let changed = settled.shelves.iter().filter(|(_, shelf)| shelf.is_changed());
        changed.fold(Self::default(), |mut rows, (sku, shelf)| {
            rows.add(sku, shelf);
            rows
        })
    }

    fn add(&mut self, sku: &'a Sku, shelf: &'a Shelf) {
        let levels = if shelf.loaded_version() == 0 { &mut self.new_levels } else { &mut self.levels };
        levels.push(LevelRow::of(shelf.level()));
        for change in shelf.hold_changes() {
            match change {
                HoldChange::Add(order, hold) => self.new_holds.push(HoldRow::of(sku, order, hold)),
                HoldChange::Update(order, hold) => self.holds.push(HoldRow::of(sku, order, hold)),
                HoldChange::Remove(order) => self.gone.push((sku.as_str(), Id(order.uuid()))),
            }
        }
    }
}

async fn remove(conn: &mut Conn, gone: Vec<(&str, Id)>) -> QueryResult<()> {
    if gone.is_empty() {
        return Ok(());
    }
    let of = reservations::table.filter(dialect::among((reservations::sku, reservations::order_id), gone));
    diesel::delete(of).execute(conn).await.map(drop)
}
