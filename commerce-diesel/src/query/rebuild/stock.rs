//! Rebuilding levels and reservations from the whole history.
//!
//! A level that agrees with the history stays as it is. Its expired reservations may have been removed earlier or later than in
//! the replay; both are correct.

use chrono::{DateTime, Utc};
use commerce_core::event::HistoryEntry;
use commerce_core::ids::{OrderId, Sku};
use commerce_core::order::fold;
use commerce_core::port::{PageRequest, StoreErrorKind};
use commerce_core::replay::{RebuiltStock, Replay, ReplayError};
use diesel::prelude::*;

use super::super::stock as stored;
use super::{Answer, Conn, PAGE, Progress, RunQueryDsl, dialect, history, size};
use crate::rows::stock::{LevelRow, ReservationRow};
use crate::schema::{reservations, stock};

/// The most orders in memory. Others are read again from their own history.
const MAX_OPEN: usize = 4096;

/// Rebuilds the stock. Returns the numbers of events and skus.
pub(super) async fn rebuild(
    conn: &mut Conn,
    at: DateTime<Utc>,
    progress: &mut Progress<impl FnMut(u64)>,
) -> Answer<(u64, u64)> {
    let (replay, events) = follow(conn, progress).await?;
    remove_unknown(conn, &replay).await?;
    let mut skus: u64 = 0;
    for sku in replay.skus() {
        if let Some(rebuilt) = replay.stock(sku)?
            && !is_sound(conn, &replay, sku, at).await?
        {
            remove(conn, sku.as_str()).await?;
            write(conn, sku, &rebuilt).await?;
        }
        skus = skus.saturating_add(1);
        progress.add(1);
    }
    Ok((events, skus))
}

async fn follow(conn: &mut Conn, progress: &mut Progress<impl FnMut(u64)>) -> Answer<(Replay, u64)> {
    let (mut replay, mut events) = (Replay::new(), 0_u64);
    let mut page = PageRequest { limit: PAGE, after: None };
    loop {
        let listing = history::all(conn, &page).await?;
        for entry in &listing.items {
            bring_back(conn, &mut replay, entry).await?;
            replay.apply(entry)?;
            replay.take_finished(entry);
        }
        events = events.saturating_add(size(listing.items.len()));
        if replay.orders().count() > MAX_OPEN {
            replay.take_all();
        }
        progress.add(listing.items.len());
        let Some(next) = listing.next else { return Ok((replay, events)) };
        page.after = Some(next);
    }
}

async fn bring_back(conn: &mut Conn, replay: &mut Replay, entry: &HistoryEntry) -> Answer<()> {
    let (Some(order), HistoryEntry::Order(_, event)) = (replay.wants(entry), entry) else { return Ok(()) };
    let history = history::of_order(conn, order).await?;
    let earlier = history.iter().take_while(|earlier| earlier.sequence < event.sequence);
    let brought = fold(earlier).map_err(|source| ReplayError::Order { order, source })?;
    replay.resume(brought);
    Ok(())
}

/// Whether a sku agrees with the history. An unreadable one does not.
async fn is_sound(conn: &mut Conn, replay: &Replay, sku: &Sku, at: DateTime<Utc>) -> Answer<bool> {
    let read = match stored::level(conn, sku, at).await {
        Ok(level) => stored::reservations(conn, sku).await.map(|reservations| (level, reservations)),
        Err(fault) => Err(fault),
    };
    match read {
        Ok((level, reservations)) => Ok(replay.compare(sku, level, reservations, at).is_empty()),
        Err(fault) if dialect::kind(&fault) == StoreErrorKind::Corrupt => Ok(false),
        Err(fault) => Err(fault),
    }
}

async fn write(conn: &mut Conn, sku: &Sku, rebuilt: &RebuiltStock<'_>) -> QueryResult<()> {
    dialect::insert_each(conn, [LevelRow::of(&rebuilt.level)]).await?;
    let reservation = |(order, reservation): (&OrderId, &_)| ReservationRow::of(sku, *order, *reservation);
    dialect::insert_each(conn, rebuilt.reservations.iter().map(reservation)).await
}

async fn remove(conn: &mut Conn, sku: &str) -> QueryResult<()> {
    diesel::delete(reservations::table.filter(reservations::sku.eq(sku))).execute(conn).await?;
    diesel::delete(stock::table.find(sku)).execute(conn).await?;
    Ok(())
}

/// Removes rows of skus that are not in the history.
async fn remove_unknown(conn: &mut Conn, replay: &Replay) -> QueryResult<()> {
    let is_known = |sku: &String| sku.parse::<Sku>().is_ok_and(|sku| replay.knows(&sku));
    let mut after = String::new();
    loop {
        let levels = stock::table.filter(stock::sku.gt(&after)).order(stock::sku).limit(PAGE.into());
        let levels: Vec<String> = levels.select(stock::sku).load(conn).await?;
        let held = reservations::table.filter(reservations::sku.gt(&after)).order(reservations::sku);
        let held: Vec<String> = held.select(reservations::sku).distinct().limit(PAGE.into()).load(conn).await?;
        for sku in levels.iter().chain(&held).filter(|sku| !is_known(sku)) {
            remove(conn, sku).await?;
        }
        // Only up to the end of the shorter full page: the rest of the other is read again.
        let ends = [&levels, &held].map(|page| page.last().filter(|_| page.len() >= usize::from(PAGE)));
        let Some(end) = ends.into_iter().flatten().min() else { return Ok(()) };
        after.clone_from(end);
    }
}
