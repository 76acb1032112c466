//! Levels and holds.

use commerce_core::commit::Facts;
use commerce_core::ids::Sku;
use commerce_core::stock::{HoldChange, Shelf, StockLevel};
use diesel::prelude::*;

use super::super::{Answer, Conn, RunQueryDsl, dialect};
use crate::id::Id;
use crate::rows::stock::{HoldRow, LevelRow};
use crate::schema::{reservations, stock};

/// Writes the shelves that changed, in the order of skus.
pub(super) async fn write(conn: &mut Conn, settled: &Facts) -> Answer<()> {
    for (sku, shelf) in settled.shelves.iter().filter(|(_, shelf)| shelf.is_changed()) {
        write_level(conn, shelf.level()).await?;
        write_holds(conn, sku, shelf).await?;
    }
    Ok(())
}

async fn write_level(conn: &mut Conn, level: &StockLevel) -> QueryResult<()> {
    let row = LevelRow::of(level);
    let columns = (
        stock::on_hand.eq(row.on_hand),
        stock::reserved.eq(row.reserved),
        stock::reorder_threshold.eq(row.reorder_threshold),
        stock::next_expiry.eq(row.next_expiry),
        stock::version.eq(row.version),
    );
    let known = stock::table.filter(stock::sku.eq(row.sku.as_ref()));
    if diesel::update(known).set(columns).execute(conn).await? == 0 {
        dialect::insert_all(conn, stock::table, [row]).await?;
    }
    Ok(())
}

async fn write_holds(conn: &mut Conn, sku: &Sku, shelf: &Shelf) -> QueryResult<()> {
    for change in shelf.hold_changes() {
        match change {
            HoldChange::Add(order, hold) => {
                dialect::insert_all(conn, reservations::table, [HoldRow::of(sku, order, hold)]).await?;
            }
            HoldChange::Update(order, hold) => {
                let row = HoldRow::of(sku, order, hold);
                let columns = (reservations::units.eq(row.units), reservations::held_until.eq(row.held_until));
                let known = reservations::table.find((sku.as_str(), row.order_id));
                diesel::update(known).set(columns).execute(conn).await?;
            }
            HoldChange::Remove(order) => {
                let gone = reservations::table.find((sku.as_str(), Id(order.uuid())));
                diesel::delete(gone).execute(conn).await?;
            }
        }
    }
    Ok(())
}
