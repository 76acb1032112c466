//! Levels and reservations.

use commerce_core::commit::LoadedState;
use commerce_core::ids::Sku;
use commerce_core::stock::{ReservationChange, SkuStock};
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::super::loaded_state::{Late, Writable};
use super::super::{Answer, Conn, RunQueryDsl, dialect};
use crate::rows::micros;
use crate::rows::stock::{LevelRow, ReservationRow, UncontendedReservationRow};
use crate::schema::reservations;

/// Writes the stock that changed, in the order of SKUs, except levels that exist.
pub(super) async fn write(conn: &mut Conn, settled: &LoadedState) -> Answer<()> {
    let rows = Rows::of(settled);
    dialect::pipeline!(conn;
        () = dialect::insert_together(conn, rows.new_levels),
        () = dialect::insert_together(conn, rows.new_reservations),
        () = dialect::update_together(conn, rows.reservations),
        () = remove(conn, rows.gone),
    );
    Ok(())
}

/// Writes the levels that exist and are locked.
pub(super) async fn write_locked(conn: &mut Conn, settled: &Writable) -> Answer<()> {
    match &settled.reservations {
        Late::Never => Ok(dialect::update_together(conn, Rows::of(&settled.state).levels).await?),
        Late::Adding(_) => Ok(()),
    }
}

/// Takes units on levels that are not locked yet.
pub(super) async fn take(conn: &mut Conn, settled: &Writable) -> Answer<()> {
    let Late::Adding((at, taken)) = &settled.reservations else { return Ok(()) };
    let rows: Vec<_> = taken.iter().map(|(sku, taken)| UncontendedReservationRow::of(sku, taken)).collect();
    dialect::take_each(conn, &rows, micros(*at)).await
}

#[derive(Default)]
struct Rows<'a> {
    new_levels: Vec<LevelRow<'a>>,
    levels: Vec<LevelRow<'a>>,
    new_reservations: Vec<ReservationRow<'a>>,
    reservations: Vec<ReservationRow<'a>>,
    gone: Vec<(&'a str, DbUuid)>,
}

impl<'a> Rows<'a> {
    fn of(settled: &'a LoadedState) -> Self {
        let changed = settled.sku_stocks.iter().filter(|(_, sku_stock)| sku_stock.is_changed());
        changed.fold(Self::default(), |mut rows, (sku, sku_stock)| {
            rows.add(sku, sku_stock);
            rows
        })
    }

    fn add(&mut self, sku: &'a Sku, sku_stock: &'a SkuStock) {
        let levels = if sku_stock.loaded_version() == 0 { &mut self.new_levels } else { &mut self.levels };
        levels.push(LevelRow::of(sku_stock.level()));
        for change in sku_stock.reservation_changes() {
            match change {
                ReservationChange::Add(order, reservation) => {
                    self.new_reservations.push(ReservationRow::of(sku, order, reservation));
                }
                ReservationChange::Update(order, reservation) => {
                    self.reservations.push(ReservationRow::of(sku, order, reservation));
                }
                ReservationChange::Remove(order) => self.gone.push((sku.as_str(), DbUuid(order.uuid()))),
            }
        }
    }
}

async fn remove(conn: &mut Conn, gone: Vec<(&str, DbUuid)>) -> QueryResult<()> {
    if gone.is_empty() {
        return Ok(());
    }
    let of = reservations::table.filter(dialect::in_list((reservations::sku, reservations::order_id), gone));
    diesel::delete(of).execute(conn).await.map(drop)
}
