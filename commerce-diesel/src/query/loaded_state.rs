//! The state that a batch is settled on, read inside the transaction that writes its outcome.

use std::collections::{BTreeMap, BTreeSet};

use commerce_core::commit::{IdempotencyKey, IdempotencyRecord, LoadedState, ReadSet};
use commerce_core::ids::{CartId, OrderId, OrderNumber, ProductId, Sku, UserId};
use commerce_core::stock::{SkuStock, StockLevel};
use diesel::prelude::*;

use super::{Answer, Conn, RunQueryDsl, dialect, idempotency, promotions, stock};
use crate::db_uuid::DbUuid;
use crate::rows::{read, read_counter};
use crate::schema::{carts, orders, products, variants};

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
        numbers = taken_numbers(conn, &read_set.numbers),
        carts = cart_versions(conn, &read_set.carts),
        active_carts = active_carts(conn, &read_set.cart_owners),
        products = product_versions(conn, &read_set.products),
        sku_owners = sku_owners(conn, &read_set.sku_owners),
        sku_stocks = sku_stocks(conn, read_set, levels),
        promotions = promotions::versions(conn, read_set),
        usage_counters = promotions::usage_counters(conn, read_set),
    );
    Ok(LoadedState {
        idempotency_records,
        orders,
        numbers,
        carts,
        active_carts,
        products,
        sku_owners,
        sku_stocks,
        promotions,
        usage_counters,
    })
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

async fn taken_numbers(conn: &mut Conn, numbers: &BTreeSet<&OrderNumber>) -> Answer<BTreeSet<OrderNumber>> {
    if numbers.is_empty() {
        return Ok(BTreeSet::new());
    }
    let wanted = dialect::in_list(orders::number, numbers.iter().map(|number| number.as_str()));
    let rows: Vec<String> = orders::table.filter(wanted).select(orders::number).load(conn).await?;
    rows.iter().map(|number| read("orders.number", number)).collect()
}

async fn cart_versions(conn: &mut Conn, ids: &BTreeSet<CartId>) -> Answer<BTreeMap<CartId, u64>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = dialect::in_list(carts::id, ids.iter().map(|id| DbUuid(id.uuid())));
    let query = carts::table.filter(wanted).order(carts::id).select((carts::id, carts::version));
    let rows: Vec<(DbUuid, i64)> = dialect::for_update!(query).load(conn).await?;
    let known = |(id, version): (DbUuid, i64)| Ok((CartId::new(id.0), read_counter("carts.version", version)?));
    rows.into_iter().map(known).collect()
}

async fn active_carts(conn: &mut Conn, users: &BTreeSet<&UserId>) -> Answer<BTreeMap<UserId, CartId>> {
    if users.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = dialect::in_list(carts::active_user_id, users.iter().map(|user| user.as_str()));
    let rows: Vec<(String, DbUuid)> =
        carts::table.filter(wanted).select((carts::user_id, carts::id)).load(conn).await?;
    rows.into_iter().map(|(user, cart)| Ok((read("carts.user_id", &user)?, CartId::new(cart.0)))).collect()
}

async fn product_versions(conn: &mut Conn, ids: &BTreeSet<&ProductId>) -> Answer<BTreeMap<ProductId, u64>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = dialect::in_list(products::id, ids.iter().map(|id| id.as_str()));
    let query = products::table.filter(wanted).order(products::id).select((products::id, products::version));
    let rows: Vec<(String, i64)> = dialect::for_update!(query).load(conn).await?;
    let known =
        |(id, version): (String, i64)| Ok((read("products.id", &id)?, read_counter("products.version", version)?));
    rows.into_iter().map(known).collect()
}

async fn sku_owners(conn: &mut Conn, skus: &BTreeSet<&Sku>) -> Answer<BTreeMap<Sku, ProductId>> {
    if skus.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = dialect::in_list(variants::sku, skus.iter().map(|sku| sku.as_str()));
    let rows: Vec<(String, String)> =
        variants::table.filter(wanted).select((variants::sku, variants::product_id)).load(conn).await?;
    let owner =
        |(sku, product): (String, String)| Ok((read("variants.sku", &sku)?, read("variants.product_id", &product)?));
    rows.into_iter().map(owner).collect()
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
