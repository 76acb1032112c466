//! Loading the state that a batch is settled on, in the transaction that writes its outcome.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use commerce_core::commit::{Claims, IdempotencyKey, IdempotencyRecord, LoadedState, ReadSet, Refusal};
use commerce_core::document::Claim;
use commerce_core::ids::{OrderId, Sku};
use commerce_core::stock::{SkuStock, UncontendedReservation};
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::stock::{self, Levels};
use super::{Answer, Conn, RunQueryDsl, dialect, documents, idempotency, promotions};
use crate::db_enum::DbEnum;
use crate::rows::read_counter;
use crate::schema::{claims, orders};

/// Loads a read set, and locks what the batch may change, in the order of keys.
pub(in super::super) async fn lock(conn: &mut Conn, read_set: &ReadSet<'_>) -> Answer<Locked<LoadedState>> {
    load(conn, read_set, Levels::Locked).await.map(Locked)
}

/// Like [`lock`], but does not lock stock levels.
pub(super) async fn peek(conn: &mut Conn, read_set: &ReadSet<'_>) -> Answer<Peeked<LoadedState>> {
    load(conn, read_set, Levels::Read).await.map(Peeked)
}

/// State that nobody else changes until the transaction ends.
#[derive(Debug)]
pub(in super::super) struct Locked<T>(T);

/// State that others may change.
#[derive(Debug)]
pub(super) struct Peeked<T>(T);

impl<T> AsMut<T> for Locked<T> {
    fn as_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> AsMut<T> for Peeked<T> {
    fn as_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Settled facts that may be written.
#[derive(Debug)]
pub(super) enum Writable {
    /// Written as they are.
    Locked(Locked<LoadedState>),
    /// Uncontended reservations, written if they still fit at this instant.
    Uncontended(Peeked<LoadedState>, DateTime<Utc>, BTreeMap<Sku, UncontendedReservation>),
}

impl Writable {
    pub(super) const fn loaded(&self) -> &LoadedState {
        match self {
            Self::Locked(Locked(loaded)) | Self::Uncontended(Peeked(loaded), ..) => loaded,
        }
    }
}

impl Peeked<LoadedState> {
    /// Settled facts that also hold on other levels: no commit was refused for stock, and all changed levels are far from every
    /// limit.
    pub(super) fn uncontended<'r>(
        self,
        refusals: impl IntoIterator<Item = &'r Refusal>,
        at: DateTime<Utc>,
    ) -> Option<Writable> {
        if refusals.into_iter().any(|refusal| matches!(refusal, Refusal::Stock(_))) {
            return None;
        }
        let moved = self.0.sku_stocks.iter().filter(|(_, sku_stock)| sku_stock.is_changed());
        let taken =
            moved.map(|(sku, sku_stock)| Some((sku.clone(), sku_stock.uncontended(at)?))).collect::<Option<_>>()?;
        Some(Writable::Uncontended(self, at, taken))
    }
}

async fn load(conn: &mut Conn, read_set: &ReadSet<'_>, levels: Levels) -> Answer<LoadedState> {
    dialect::pipeline!(conn;
        idempotency_records = known_idempotency_records(conn, &read_set.idempotency_keys),
        orders = order_versions(conn, &read_set.orders),
        documents = documents::lock_versions(conn, read_set.documents.iter().copied()),
        claims = held_claims(conn, &read_set.claims),
        sku_stocks = sku_stocks(conn, read_set, levels),
        usage_counters = promotions::usage_counters(conn, read_set),
        unpaid = super::orders::unpaid(conn, &read_set.unpaid),
    );
    Ok(LoadedState { idempotency_records, orders, documents, claims, sku_stocks, usage_counters, unpaid })
}

async fn known_idempotency_records(
    conn: &mut Conn,
    keys: &BTreeSet<&IdempotencyKey>,
) -> Answer<BTreeMap<IdempotencyKey, IdempotencyRecord>> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let known = idempotency::in_list(conn, keys.iter().copied()).await?;
    Ok(known.into_iter().map(|record| (record.key.clone(), record)).collect())
}

async fn order_versions(conn: &mut Conn, ids: &BTreeSet<OrderId>) -> Answer<BTreeMap<OrderId, u64>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = dialect::in_list(orders::id, ids.iter().map(|id| DbUuid(id.uuid())));
    let query = orders::table.filter(wanted).order(orders::id).select((orders::id, orders::version));
    let rows: Vec<(DbUuid, i64)> = dialect::for_update!(query).load(conn).await?;
    let known = |(id, version): (DbUuid, i64)| Ok((OrderId::new(id.0), read_counter("orders.version", version)?));
    rows.into_iter().map(known).collect()
}

/// The owners of claims. Locks the rows.
async fn held_claims(conn: &mut Conn, wanted: &BTreeSet<&Claim>) -> Answer<Claims> {
    if wanted.is_empty() {
        return Ok(Claims::default());
    }
    let key = (claims::kind, claims::claim);
    let names = wanted.iter().map(|claim| (claim.kind.name(), claim.key.as_str()));
    let query = claims::table.filter(dialect::in_list(key, names)).order(key);
    let rows: Vec<(String, String, String)> =
        dialect::for_update!(query.select((claims::kind, claims::claim, claims::owner))).load(conn).await?;
    let held = |(kind, claim, owner): (String, String, String)| {
        Ok((Claim { kind: DbEnum::read("claims.kind", &kind)?, key: claim }, owner))
    };
    Ok(Claims::new(rows.into_iter().map(held).collect::<Answer<_>>()?))
}

async fn sku_stocks(conn: &mut Conn, read_set: &ReadSet<'_>, levels: Levels) -> Answer<BTreeMap<Sku, SkuStock>> {
    if read_set.sku_stocks.is_empty() {
        return Ok(BTreeMap::new());
    }
    dialect::pipeline!(conn;
        levels = stock::levels(conn, read_set.sku_stocks.keys().copied(), levels),
        reservations = stock::reservations_of(conn, &read_set.sku_stocks),
    );
    let sku_stocks = stock::sku_stocks(conn, levels, reservations, read_set.at).await?;
    Ok(sku_stocks.into_iter().map(|sku_stock| (sku_stock.level().sku.clone(), sku_stock)).collect())
}
