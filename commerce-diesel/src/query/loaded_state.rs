//! The state that a batch is settled on, read inside the transaction that writes its outcome.

use std::collections::{BTreeMap, BTreeSet};

use commerce_core::commit::{Claims, IdempotencyKey, IdempotencyRecord, LoadedState, ReadSet};
use commerce_core::document::{Claim, DocumentId, DocumentKind};
use commerce_core::ids::{CartId, OrderId, Sku};
use commerce_core::stock::{SkuStock, StockLevel};
use diesel::prelude::*;

use super::{Answer, Conn, RunQueryDsl, dialect, idempotency, promotions, stock};
use crate::db_enum::DbEnum;
use crate::db_uuid::DbUuid;
use crate::rows::read_counter;
use crate::schema::{carts, claims, documents, orders, products};

/// Where the levels of stock are taken from. What is not locked may be old by the time it is written.
#[derive(Debug)]
pub(in super::super) enum Levels {
    /// They are read and locked.
    Locked,
    /// They are read.
    Read,
    /// They are known, in the order of skus.
    Known(Vec<StockLevel>),
}

/// Loads what a batch names. On databases where writers meet, what can move is locked in the order of keys.
pub(in super::super) async fn load(conn: &mut Conn, read_set: &ReadSet<'_>, levels: Levels) -> Answer<LoadedState> {
    dialect::pipeline!(conn;
        idempotency_records = known_idempotency_records(conn, &read_set.idempotency_keys),
        orders = order_versions(conn, &read_set.orders),
        documents = document_versions(conn, &read_set.documents),
        claims = held_claims(conn, &read_set.claims),
        sku_stocks = sku_stocks(conn, read_set, levels),
        usage_counters = promotions::usage_counters(conn, read_set),
    );
    Ok(LoadedState { idempotency_records, orders, documents, claims, sku_stocks, usage_counters })
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

async fn document_versions(conn: &mut Conn, ids: &BTreeSet<&DocumentId>) -> Answer<BTreeMap<DocumentId, u64>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let of = |kind: DocumentKind| ids.iter().filter(move |id| id.kind == kind).map(|id| id.id.as_str());
    let carts = of(DocumentKind::Cart).filter_map(|id| id.parse().ok()).map(DbUuid).collect();
    let products = of(DocumentKind::Product).collect();
    let has_table = |id: &DocumentId| matches!(id.kind, DocumentKind::Cart | DocumentKind::Product);
    let others = ids.iter().filter(|id| !has_table(id)).map(|id| (id.kind.name(), id.id.as_str())).collect();
    dialect::pipeline!(conn;
        carts = cart_versions(conn, carts),
        products = product_versions(conn, products),
        others = other_versions(conn, others),
    );
    let carts = carts.into_iter().map(|(id, version)| (DocumentId::cart(CartId::new(id.0)), version));
    let products = products.into_iter().map(|(id, version)| (DocumentId { kind: DocumentKind::Product, id }, version));
    let others =
        others.into_iter().map(|(kind, id, version)| Ok((DocumentId { kind: read_kind(&kind)?, id }, version)));
    let all = carts.chain(products).map(Ok).chain(others);
    all.map(|row: Answer<_>| row.and_then(|(id, version)| Ok((id, read_counter("documents.version", version)?))))
        .collect()
}

fn read_kind(kind: &str) -> Answer<DocumentKind> {
    DbEnum::read("documents.kind", kind)
}

async fn cart_versions(conn: &mut Conn, ids: Vec<DbUuid>) -> QueryResult<Vec<(DbUuid, i64)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let query =
        carts::table.filter(dialect::in_list(carts::id, ids)).order(carts::id).select((carts::id, carts::version));
    dialect::for_update!(query).load(conn).await
}

async fn product_versions(conn: &mut Conn, ids: Vec<&str>) -> QueryResult<Vec<(String, i64)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let query = products::table.filter(dialect::in_list(products::id, ids));
    dialect::for_update!(query.order(products::id).select((products::id, products::version))).load(conn).await
}

async fn other_versions(conn: &mut Conn, ids: Vec<(&str, &str)>) -> QueryResult<Vec<(String, String, i64)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let key = (documents::kind, documents::id);
    let query = documents::table.filter(dialect::in_list(key, ids)).order(key);
    dialect::for_update!(query.select((documents::kind, documents::id, documents::version))).load(conn).await
}

/// Who holds the claims; whoever changes one waits for who has it locked.
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
