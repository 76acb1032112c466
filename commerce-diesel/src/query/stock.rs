//! Levels and reservations.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use commerce_core::ids::{OrderId, Sku};
use commerce_core::port::{Page, PageRequest};
use commerce_core::stock::{Reservation, SkuStock, StockLevel};
use diesel::dsl::min;
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::loaded_state::Rows;
use super::{Answer, Conn, Fault, RunQueryDsl, dialect, listing, one_more};
use crate::rows::stock::{LevelRow, ReservationRow};
use crate::rows::{micros, read, read_instant_option};
use crate::schema::{reservations, stock};

type Reservations = BTreeMap<OrderId, Reservation>;

/// The level of a SKU at an instant.
pub(in super::super) async fn level(conn: &mut Conn, sku: &Sku, at: DateTime<Utc>) -> Answer<Option<StockLevel>> {
    let query = stock::table.filter(stock::sku.eq(sku.as_str())).select(LevelRow::as_select());
    let row: Option<LevelRow<'static>> = query.get_result(conn).await.optional()?;
    let Some(row) = row else { return Ok(None) };
    Ok(without_expired(conn, vec![row.into_level()?], at).await?.pop())
}

/// Levels at an instant, by SKU.
pub(in super::super) async fn list(
    conn: &mut Conn,
    low_only: bool,
    at: DateTime<Utc>,
    page: &PageRequest<Sku>,
) -> Answer<Page<StockLevel, Sku>> {
    let wanted = usize::from(page.limit.max(1)).saturating_add(1);
    let mut after = page.after.clone();
    let mut items = Vec::new();
    loop {
        let found = part(conn, low_only, after.as_ref(), page.limit).await?;
        let complete = found.len() < wanted;
        after = found.last().map(|level| level.sku.clone()).or(after);
        // Expired reservations may have lifted a level above its threshold.
        items.extend(without_expired(conn, found, at).await?.into_iter().filter(|level| !low_only || level.is_low()));
        if complete || items.len() >= wanted {
            return Ok(listing(items, page.limit, |level| level.sku.clone()));
        }
    }
}

async fn part(conn: &mut Conn, low_only: bool, after: Option<&Sku>, limit: u16) -> Answer<Vec<StockLevel>> {
    let mut query = stock::table.select(LevelRow::as_select()).into_boxed::<dialect::Db>();
    if low_only {
        query = query.filter(stock::reorder_threshold.ge((stock::on_hand - stock::reserved).nullable()));
    }
    if let Some(sku) = after {
        query = query.filter(stock::sku.gt(sku.as_str()));
    }
    let rows: Vec<LevelRow<'static>> = query.order(stock::sku).limit(one_more(limit)).load(conn).await?;
    rows.into_iter().map(LevelRow::into_level).collect()
}

/// Levels without expired reservations.
async fn without_expired(conn: &mut Conn, levels: Vec<StockLevel>, at: DateTime<Utc>) -> Answer<Vec<StockLevel>> {
    let mut sku_stocks = sku_stocks(conn, levels, BTreeMap::new(), at).await?;
    for sku_stock in &mut sku_stocks {
        sku_stock.expire_reservations(at);
    }
    Ok(sku_stocks.into_iter().map(|sku_stock| sku_stock.level().clone()).collect())
}

/// The stored reservations of a SKU, expired ones included.
pub(in super::super) async fn reservations(conn: &mut Conn, sku: &Sku) -> Answer<Vec<(OrderId, Reservation)>> {
    let query = reservations::table.filter(reservations::sku.eq(sku.as_str())).order(reservations::order_id);
    let rows: Vec<ReservationRow<'static>> = query.select(ReservationRow::as_select()).load(conn).await?;
    rows.iter().map(ReservationRow::reservation).collect()
}

/// The levels of SKUs, by SKU.
#[allow(clippy::match_same_arms, reason = "the arms are equal if nothing has to be locked")]
pub(in super::super) async fn levels(
    conn: &mut Conn,
    skus: impl Iterator<Item = &Sku> + Clone,
    rows: Rows,
) -> Answer<Vec<StockLevel>> {
    let wanted = dialect::in_list(stock::sku, skus.clone().map(Sku::as_str));
    let query = stock::table.filter(wanted).order(stock::sku).select(LevelRow::as_select());
    let found: Vec<LevelRow<'static>> = match rows {
        Rows::Locked => dialect::for_update!(query).load(conn).await?,
        Rows::Read => query.load(conn).await?,
    };
    let level = |row: LevelRow<'static>| row.into_level().map(|level| (level.sku.clone(), level));
    let mut stocked: BTreeMap<Sku, StockLevel> = found.into_iter().map(level).collect::<Answer<_>>()?;
    Ok(skus.map(|sku| stocked.remove(sku).unwrap_or_else(|| StockLevel::empty(sku.clone()))).collect())
}

/// The reservations of some orders on some SKUs.
pub(super) async fn reservations_of(
    conn: &mut Conn,
    wanted: &BTreeMap<&Sku, BTreeSet<OrderId>>,
) -> Answer<BTreeMap<Sku, Reservations>> {
    if wanted.values().all(BTreeSet::is_empty) {
        return Ok(BTreeMap::new());
    }
    let pairs = wanted.iter().flat_map(|(sku, orders)| orders.iter().map(|order| (sku.as_str(), DbUuid(order.uuid()))));
    let columns = (reservations::sku, reservations::order_id);
    let query = reservations::table.filter(dialect::in_list(columns, pairs)).select(ReservationRow::as_select());
    let rows: Vec<ReservationRow<'static>> = query.load(conn).await?;
    by_sku(&rows)
}

/// The stock of some SKUs for decisions at an instant: with the given reservations, and those that have expired.
pub(super) async fn sku_stocks(
    conn: &mut Conn,
    levels: Vec<StockLevel>,
    mut known: BTreeMap<Sku, Reservations>,
    at: DateTime<Utc>,
) -> Answer<Vec<SkuStock>> {
    let is_due = |level: &StockLevel| level.next_expiry.is_some_and(|next| next <= at);
    let skus: Vec<_> = levels.iter().filter(|level| is_due(level)).map(|level| level.sku.clone()).collect();
    let (mut due, later) = due(conn, &skus, at).await?;
    let sku_stock = |level: StockLevel| {
        let mut reservations = known.remove(&level.sku).unwrap_or_default();
        reservations.extend(due.remove(&level.sku).unwrap_or_default());
        let next = if is_due(&level) { later.get(&level.sku).copied() } else { level.next_expiry };
        SkuStock::new(level, reservations, next)
    };
    Ok(levels.into_iter().map(sku_stock).collect())
}

/// The expired reservations of some SKUs, and the next expiry of the others.
async fn due(
    conn: &mut Conn,
    skus: &[Sku],
    at: DateTime<Utc>,
) -> Answer<(BTreeMap<Sku, Reservations>, BTreeMap<Sku, DateTime<Utc>>)> {
    if skus.is_empty() {
        return Ok((BTreeMap::new(), BTreeMap::new()));
    }
    let of = || reservations::table.filter(dialect::in_list(reservations::sku, skus.iter().map(Sku::as_str)));
    let ended = of().filter(reservations::held_until.le(micros(at))).select(ReservationRow::as_select());
    let later = of().filter(reservations::held_until.gt(micros(at))).group_by(reservations::sku);
    let later = later.select((reservations::sku, min(reservations::held_until)));
    dialect::pipeline!(conn;
        ended = ended.load::<ReservationRow<'static>>(conn),
        later = later.load::<(String, Option<i64>)>(conn),
    );
    let mut nexts = BTreeMap::new();
    for (sku, until) in later {
        let until = read_instant_option("reservations.held_until", until)?;
        nexts.extend(until.map(|until| Ok::<_, Fault>((read("reservations.sku", &sku)?, until))).transpose()?);
    }
    Ok((by_sku(&ended)?, nexts))
}

fn by_sku(rows: &[ReservationRow<'_>]) -> Answer<BTreeMap<Sku, Reservations>> {
    rows.iter().try_fold(BTreeMap::new(), |mut reservations: BTreeMap<Sku, Reservations>, row| {
        let (order, reservation) = row.reservation()?;
        reservations.entry(read("reservations.sku", &row.sku)?).or_default().insert(order, reservation);
        Ok(reservations)
    })
}
