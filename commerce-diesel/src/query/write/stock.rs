//! Levels and holds.

use commerce_core::commit::Facts;
use commerce_core::ids::Sku;
use commerce_core::stock::{HoldChange, Shelf};
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::super::facts::Writable;
use super::super::{Answer, Conn, RunQueryDsl, dialect};
use crate::rows::micros;
use crate::rows::stock::{HoldRow, LevelRow, TakenRow};
use crate::schema::reservations;

/// Writes the shelves that changed, in the order of skus. Where levels are not locked yet they come last.
pub(super) async fn write(conn: &mut Conn, settled: &Writable) -> Answer<()> {
    let rows = Rows::of(settled.facts());
    dialect::together!(conn;
        () = dialect::insert_each(conn, rows.new_levels),
        () = dialect::insert_each(conn, rows.new_holds),
        () = dialect::update_each(conn, rows.holds),
        () = remove(conn, rows.gone),
        () = write_levels(conn, rows.levels, settled),
    );
    Ok(())
}

async fn write_levels(conn: &mut Conn, levels: Vec<LevelRow<'_>>, settled: &Writable) -> Answer<()> {
    match settled {
        Writable::Locked(_) => Ok(dialect::update_each(conn, levels).await?),
        Writable::Uncontended(_, at, taken) => {
            let rows: Vec<_> = taken.iter().map(|(sku, taken)| TakenRow::of(sku, taken)).collect();
            dialect::take_each(conn, &rows, micros(*at)).await
        }
    }
}

#[derive(Default)]
struct Rows<'a> {
    new_levels: Vec<LevelRow<'a>>,
    levels: Vec<LevelRow<'a>>,
    new_holds: Vec<HoldRow<'a>>,
    holds: Vec<HoldRow<'a>>,
    gone: Vec<(&'a str, DbUuid)>,
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
                HoldChange::Remove(order) => self.gone.push((sku.as_str(), DbUuid(order.uuid()))),
            }
        }
    }
}

async fn remove(conn: &mut Conn, gone: Vec<(&str, DbUuid)>) -> QueryResult<()> {
    if gone.is_empty() {
        return Ok(());
    }
    let of = reservations::table.filter(dialect::among((reservations::sku, reservations::order_id), gone));
    diesel::delete(of).execute(conn).await.map(drop)
}
