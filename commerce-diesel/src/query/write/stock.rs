//! Levels and holds.

use commerce_core::commit::Facts;
use commerce_core::ids::Sku;
use commerce_core::stock::{HoldChange, Shelf, StockLevel};
use diesel::prelude::*;

use super::super::{Answer, Conn, RunQueryDsl, dialect};
use crate::id::Id;
use crate::rows::stock::{HoldRow, LevelRow};
use crate::schema::{reservations, stock};
use crate::update::update_row;

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
    let known = stock::sku.eq(row.sku.as_ref());
    let update = update_row::<LevelRow<'static>, _, _, _>(stock::table, known, &row);
    if update.execute(conn).await? == 0 {
        dialect::insert_each(conn, [row]).await?;
    }
    Ok(())
}

async fn write_holds(conn: &mut Conn, sku: &Sku, shelf: &Shelf) -> QueryResult<()> {
    for change in shelf.hold_changes() {
        match change {
            HoldChange::Add(order, hold) => {
                dialect::insert_each(conn, [HoldRow::of(sku, order, hold)]).await?;
            }
            HoldChange::Update(order, hold) => {
                let row = HoldRow::of(sku, order, hold);
                let known = reservations::sku.eq(sku.as_str()).and(reservations::order_id.eq(row.order_id));
                let update = update_row::<HoldRow<'static>, _, _, _>(reservations::table, known, &row);
                update.execute(conn).await?;
            }
            HoldChange::Remove(order) => {
                let gone = reservations::table.find((sku.as_str(), Id(order.uuid())));
                diesel::delete(gone).execute(conn).await?;
            }
        }
    }
    Ok(())
}
