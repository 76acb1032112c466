//! Loading the state that a batch is settled on, in the transaction that writes its outcome.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use commerce_core::commit::{Claims, IdempotencyKey, IdempotencyRecord, LoadedState, ReadSet, Refusal};
use commerce_core::document::Claim;
use commerce_core::ids::{OrderId, PromotionId, Sku};
use commerce_core::promotion::{UncontendedUses, UsageCounter};
use commerce_core::stock::{SkuStock, UncontendedReservation};
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::{Answer, Conn, RunQueryDsl, dialect, documents, idempotency, promotions, stock};
use crate::db_enum::DbEnum;
use crate::rows::read_counter;
use crate::schema::{claims, orders};

/// Whether rows are locked when they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Rows {
    Locked,
    Read,
}

/// Which rows of a read set are locked when they are read. All others are.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Locks {
    pub(super) stock: Rows,
    pub(super) uses: Rows,
}

impl Locks {
    pub(in super::super) const ALL: Self = Self { stock: Rows::Locked, uses: Rows::Locked };
}

/// State that was loaded, with what of it nobody else changes until the transaction ends.
#[derive(Debug)]
pub(in super::super) struct Loaded {
    pub(in super::super) state: LoadedState,
    locks: Locks,
}

/// Settled state that may be written.
#[derive(Debug)]
pub(super) struct Writable {
    pub(super) state: LoadedState,
    pub(super) reservations: Late<(DateTime<Utc>, BTreeMap<Sku, UncontendedReservation>)>,
    pub(super) uses: Late<BTreeMap<PromotionId, UncontendedUses>>,
}

/// How changed rows are written.
#[derive(Debug)]
pub(super) enum Late<T> {
    /// As they are: they are locked.
    Never,
    /// By adding to rows that are not locked, if these still fit.
    Adding(T),
}

impl Loaded {
    /// The settled state. `None` if the outcomes depend on rows that are not locked: a commit was refused for them, or a level
    /// is near a limit.
    pub(super) fn writable<'r>(
        self,
        refusals: impl IntoIterator<Item = &'r Refusal>,
        at: DateTime<Utc>,
    ) -> Option<Writable> {
        let Self { state, locks } = self;
        let depends = |refusal: &Refusal| {
            matches!(refusal, Refusal::Stock(_)) && locks.stock == Rows::Read
                || matches!(refusal, Refusal::PromotionExhausted(_)) && locks.uses == Rows::Read
        };
        if refusals.into_iter().any(depends) {
            return None;
        }
        let reservations = match locks.stock {
            Rows::Locked => Late::Never,
            Rows::Read => Late::Adding((at, uncontended(&state.sku_stocks, at)?)),
        };
        let uses = match locks.uses {
            Rows::Locked => Late::Never,
            Rows::Read => Late::Adding(added(&state.usage_counters)),
        };
        Some(Writable { state, reservations, uses })
    }
}

fn uncontended(
    sku_stocks: &BTreeMap<Sku, SkuStock>,
    at: DateTime<Utc>,
) -> Option<BTreeMap<Sku, UncontendedReservation>> {
    let moved = sku_stocks.iter().filter(|(_, sku_stock)| sku_stock.is_changed());
    moved.map(|(sku, sku_stock)| Some((sku.clone(), sku_stock.uncontended(at)?))).collect()
}

/// The uses that were added to stored counters.
fn added(usage_counters: &BTreeMap<PromotionId, UsageCounter>) -> BTreeMap<PromotionId, UncontendedUses> {
    let stored = usage_counters.iter().filter(|(_, counter)| !counter.is_new() && !counter.changes().is_empty());
    stored.map(|(id, counter)| (id.clone(), counter.uncontended())).collect()
}

/// Loads a read set, and locks what the batch may change, in the order of keys.
pub(in super::super) async fn load(conn: &mut Conn, read_set: &ReadSet<'_>, locks: Locks) -> Answer<Loaded> {
    dialect::pipeline!(conn;
        idempotency_records = known_idempotency_records(conn, &read_set.idempotency_keys),
        orders = order_versions(conn, &read_set.orders),
        documents = documents::lock_versions(conn, read_set.documents.iter().copied()),
        claims = held_claims(conn, &read_set.claims),
        sku_stocks = sku_stocks(conn, read_set, locks.stock),
        usage_counters = promotions::usage_counters(conn, read_set, locks.uses),
        unpaid = super::orders::unpaid(conn, &read_set.unpaid),
    );
    let state = LoadedState { idempotency_records, orders, documents, claims, sku_stocks, usage_counters, unpaid };
    Ok(Loaded { state, locks })
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

async fn sku_stocks(conn: &mut Conn, read_set: &ReadSet<'_>, rows: Rows) -> Answer<BTreeMap<Sku, SkuStock>> {
    if read_set.sku_stocks.is_empty() {
        return Ok(BTreeMap::new());
    }
    dialect::pipeline!(conn;
        levels = stock::levels(conn, read_set.sku_stocks.keys().copied(), rows),
        reservations = stock::reservations_of(conn, &read_set.sku_stocks),
    );
    let sku_stocks = stock::sku_stocks(conn, levels, reservations, read_set.at).await?;
    Ok(sku_stocks.into_iter().map(|sku_stock| (sku_stock.level().sku.clone(), sku_stock)).collect())
}
