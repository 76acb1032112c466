//! Levels and holds.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use commerce_core::ids::{OrderId, Sku};
use commerce_core::port::{Listing, Page};
use commerce_core::stock::{Hold, Shelf, StockLevel};
use diesel::dsl::min;
use diesel::prelude::*;

use super::{Answer, Conn, RunQueryDsl, dialect, listing, one_more};
use crate::rows::stock::{HoldRow, LevelRow};
use crate::rows::{micros, read, read_instant_option};
use crate::schema::{reservations, stock};

type Holds = BTreeMap<OrderId, Hold>;

/// The level of a sku at an instant.
pub(in super::super) async fn level(conn: &mut Conn, sku: &Sku, at: DateTime<Utc>) -> Answer<Option<StockLevel>> {
    let query = stock::table.filter(stock::sku.eq(sku.as_str())).select(LevelRow::as_select());
    let row: Option<LevelRow<'static>> = query.get_result(conn).await.optional()?;
    let Some(row) = row else { return Ok(None) };
    let level = row.into_level()?;
    Ok(Some(swept(conn, level, at).await?))
}

/// Levels at an instant, by sku.
pub(in super::super) async fn list(
    conn: &mut Conn,
    low_only: bool,
    at: DateTime<Utc>,
    page: &Page<Sku>,
) -> Answer<Listing<StockLevel, Sku>> {
    let wanted = usize::from(page.limit.max(1)).saturating_add(1);
    let mut after = page.after.clone();
    let mut items = Vec::new();
    loop {
        let found = part(conn, low_only, after.as_ref(), page.limit).await?;
        let complete = found.len() < wanted;
        after = found.last().map(|level| level.sku.clone()).or(after);
        for level in found {
            let level = swept(conn, level, at).await?;
            // Units that came free since may have lifted it above its threshold.
            if !low_only || level.is_low() {
                items.push(level);
            }
        }
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

async fn swept(conn: &mut Conn, level: StockLevel, at: DateTime<Utc>) -> Answer<StockLevel> {
    if level.next_expiry.is_none_or(|next| next > at) {
        return Ok(level);
    }
    let mut shelf = shelf(conn, level, Holds::new(), at).await?;
    shelf.sweep(at);
    Ok(shelf.level().clone())
}

/// The holds of a sku as they are written.
pub(in super::super) async fn holds(conn: &mut Conn, sku: &Sku) -> Answer<Vec<(OrderId, Hold)>> {
    let query = reservations::table.filter(reservations::sku.eq(sku.as_str())).order(reservations::order_id);
    let rows: Vec<HoldRow<'static>> = query.select(HoldRow::as_select()).load(conn).await?;
    rows.iter().map(HoldRow::hold).collect()
}

/// The levels of those skus that are stocked, locked.
pub(super) async fn levels(conn: &mut Conn, skus: impl Iterator<Item = &Sku>) -> Answer<BTreeMap<Sku, StockLevel>> {
    let wanted = dialect::texts_in(stock::sku, skus.map(Sku::as_str));
    let query = stock::table.filter(wanted).order(stock::sku).select(LevelRow::as_select());
    let rows: Vec<LevelRow<'static>> = dialect::for_update(query).load(conn).await?;
    let level = |row: LevelRow<'static>| row.into_level().map(|level| (level.sku.clone(), level));
    rows.into_iter().map(level).collect()
}

/// The holds of those orders on those skus.
pub(super) async fn holds_of(
    conn: &mut Conn,
    wanted: &BTreeMap<&Sku, BTreeSet<OrderId>>,
) -> Answer<BTreeMap<Sku, Holds>> {
    if wanted.values().all(BTreeSet::is_empty) {
        return Ok(BTreeMap::new());
    }
    let pairs = wanted.iter().flat_map(|(sku, orders)| orders.iter().map(|order| (sku.as_str(), order.uuid())));
    let columns = (reservations::sku, reservations::order_id);
    let query = reservations::table.filter(dialect::text_ids_in(columns, pairs)).select(HoldRow::as_select());
    let rows: Vec<HoldRow<'static>> = query.load(conn).await?;
    rows.iter().try_fold(BTreeMap::new(), |mut holds: BTreeMap<Sku, Holds>, row| {
        let (order, hold) = row.hold()?;
        holds.entry(read("reservations.sku", &row.sku)?).or_default().insert(order, hold);
        Ok(holds)
    })
}

/// A shelf for a decision at an instant: with the holds that are known and those that are due by then.
pub(super) async fn shelf(conn: &mut Conn, level: StockLevel, mut known: Holds, at: DateTime<Utc>) -> Answer<Shelf> {
    let Some(_) = level.next_expiry.filter(|next| *next <= at) else {
        let next = level.next_expiry;
        return Ok(Shelf::new(level, known, next));
    };
    let of_sku = reservations::table.filter(reservations::sku.eq(level.sku.as_str()));
    let due = of_sku.filter(reservations::held_until.le(micros(at))).select(HoldRow::as_select());
    let rows: Vec<HoldRow<'static>> = due.load(conn).await?;
    let later = of_sku.filter(reservations::held_until.gt(micros(at))).select(min(reservations::held_until));
    let next: Option<i64> = later.get_result(conn).await?;
    known.extend(rows.iter().map(HoldRow::hold).collect::<Answer<Holds>>()?);
    Ok(Shelf::new(level, known, read_instant_option("reservations.held_until", next)?))
}
