//! Levels and reservations, from the whole history.
//!
//! A store may remove expired reservations earlier or later than the replay, and the `next_expiry` of a level is a lower bound.
//! Both are left as they are found if the level agrees with them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use commerce_core::event::{HistoryEntry, Recorded};
use commerce_core::order::fold;
use commerce_core::port::PageRequest;
use commerce_core::replay::{Replay, ReplayError};
use diesel_bulk::Row;

use super::facts::{Facts, KnownStock};
use super::tables::Derived;
use super::{Answer, Cells, Conn, PAGE, Rebuild, count, find, history};
use crate::rows::read_instant;
use crate::rows::stock::{LevelRow, ReservationRow};

/// The most orders in memory. Others are read again from their own history.
const MAX_OPEN: usize = 4096;

impl<F: FnMut(u64) + Send> Rebuild<F> {
    /// Checks all SKUs. Returns the replay of the whole history.
    pub(super) async fn check_stock(&mut self, conn: &mut Conn) -> Answer<Replay> {
        let replay = self.follow(conn).await?;
        let skus: Vec<_> = replay.skus().cloned().collect();
        for page in skus.chunks(PAGE.into()) {
            let mut facts = Facts::default();
            facts.add_stock(&replay, page.iter().cloned())?;
            take_over(conn, &mut facts, self.at).await?;
            self.check_facts(conn, &facts).await?;
            self.progress(page.len());
        }
        self.result.skus = count(skus.len());
        Ok(replay)
    }

    async fn follow(&mut self, conn: &mut Conn) -> Answer<Replay> {
        let mut replay = Replay::new();
        let mut page = PageRequest { limit: PAGE, after: None };
        loop {
            let listing = history::all(conn, &page).await?;
            for entry in &listing.items {
                bring_back(conn, &mut replay, entry).await?;
                replay.apply(entry)?;
                replay.take_finished(entry);
                let (HistoryEntry::Order(_, Recorded { at, .. })
                | HistoryEntry::Stock(_, Recorded { at, .. })
                | HistoryEntry::Document(_, Recorded { at, .. })
                | HistoryEntry::Task(_, Recorded { at, .. })) = entry;
                self.at = self.at.max(*at);
            }
            self.result.events = self.result.events.saturating_add(count(listing.items.len()));
            if replay.orders().count() > MAX_OPEN {
                replay.take_all();
            }
            self.progress(listing.items.len());
            let Some(next) = listing.next else { return Ok(replay) };
            page.after = Some(next);
        }
    }
}

/// Keeps what the stored rows may have either way: expired reservations that are gone, and an earlier `next_expiry`.
async fn take_over(conn: &mut Conn, facts: &mut Facts, at: DateTime<Utc>) -> Answer<()> {
    let levels = find(conn, &LevelRow::follow(facts)).await?;
    let reservations = find(conn, &ReservationRow::follow(facts)).await?;
    for known in &mut facts.stock {
        let stored = levels.get(&[Some(known.level.sku.to_string())][..]);
        known.drop_expired(stored, &reservations, at);
        known.take_bound(stored);
    }
    Ok(())
}

impl KnownStock {
    /// Drops the expired reservations that the table does not have, if the level does not count them either.
    fn drop_expired(&mut self, stored: Option<&Cells>, reservations: &BTreeMap<Cells, Cells>, at: DateTime<Utc>) {
        let mut rest = self.reservations.clone();
        rest.retain(|order, reservation| {
            let key = ReservationRow::of(&self.level.sku, *order, *reservation).texts();
            reservation.counts(at) || reservations.contains_key(key.get(..ReservationRow::KEY).unwrap_or_default())
        });
        let reserved = rest.values().fold(0_i64, |sum, reservation| sum.saturating_add(reservation.units));
        if number(stored, "reserved") == Some(reserved) {
            (self.level.reserved, self.reservations) = (reserved, rest);
        }
    }

    fn take_bound(&mut self, stored: Option<&Cells>) {
        let first = self.reservations.values().filter_map(|reservation| reservation.until).min();
        let bound = number(stored, "next_expiry").and_then(|at| read_instant("stock.next_expiry", at).ok());
        let holds = first.is_none_or(|first| bound.is_some_and(|bound| bound <= first));
        self.level.next_expiry = if holds && stored.is_some() { bound } else { first };
    }
}

fn number(level: Option<&Cells>, column: &str) -> Option<i64> {
    let place = LevelRow::COLUMNS.iter().position(|known| *known == column)?;
    level?.get(place)?.as_ref()?.parse().ok()
}

async fn bring_back(conn: &mut Conn, replay: &mut Replay, entry: &HistoryEntry) -> Answer<()> {
    let (Some(order), HistoryEntry::Order(_, event)) = (replay.wants(entry), entry) else { return Ok(()) };
    let history = history::of_order(conn, order).await?;
    let earlier = history.iter().take_while(|earlier| earlier.sequence < event.sequence);
    let brought = fold(earlier).map_err(|source| ReplayError::Order { order, source })?;
    replay.resume(brought);
    Ok(())
}
