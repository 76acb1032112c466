//! The facts that a batch is settled on, read inside the transaction that writes its outcome.

use std::collections::{BTreeMap, BTreeSet};

use commerce_core::commit::{Facts, Needs, Receipt, ReceiptKey};
use commerce_core::ids::{CartId, OrderId, OrderNumber, ProductId, Sku, UserId};
use commerce_core::stock::{Shelf, StockLevel};
use diesel::prelude::*;

use super::{Answer, Conn, RunQueryDsl, dialect, promotions, receipts, stock};
use crate::id::Id;
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
pub(in super::super) async fn load(conn: &mut Conn, needs: &Needs<'_>, levels: Levels) -> Answer<Facts> {
    dialect::together!(conn;
        receipts = known_receipts(conn, &needs.receipts),
        orders = order_versions(conn, &needs.orders),
        numbers = taken_numbers(conn, &needs.numbers),
        carts = cart_versions(conn, &needs.carts),
        active_carts = active_carts(conn, &needs.cart_owners),
        products = product_versions(conn, &needs.products),
        sku_owners = sku_owners(conn, &needs.sku_owners),
        shelves = shelves(conn, needs, levels),
        campaigns = promotions::versions(conn, needs),
        tallies = promotions::tallies(conn, needs),
    );
    Ok(Facts { receipts, orders, numbers, carts, active_carts, products, sku_owners, shelves, campaigns, tallies })
}

async fn known_receipts(conn: &mut Conn, keys: &BTreeSet<&ReceiptKey>) -> Answer<BTreeMap<ReceiptKey, Receipt>> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let known = receipts::among(conn, keys.iter().copied()).await?;
    Ok(known.into_iter().map(|receipt| (receipt.key.clone(), receipt)).collect())
}

async fn order_versions(conn: &mut Conn, ids: &BTreeSet<OrderId>) -> Answer<BTreeMap<OrderId, u64>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = dialect::among(orders::id, ids.iter().map(|id| Id(id.uuid())));
    let query = orders::table.filter(wanted).order(orders::id).select((orders::id, orders::version));
    let rows: Vec<(Id, i64)> = dialect::for_update!(query).load(conn).await?;
    let known = |(id, version): (Id, i64)| Ok((OrderId::new(id.0), read_counter("orders.version", version)?));
    rows.into_iter().map(known).collect()
}

async fn taken_numbers(conn: &mut Conn, numbers: &BTreeSet<&OrderNumber>) -> Answer<BTreeSet<OrderNumber>> {
    if numbers.is_empty() {
        return Ok(BTreeSet::new());
    }
    let wanted = dialect::among(orders::number, numbers.iter().map(|number| number.as_str()));
    let rows: Vec<String> = orders::table.filter(wanted).select(orders::number).load(conn).await?;
    rows.iter().map(|number| read("orders.number", number)).collect()
}

async fn cart_versions(conn: &mut Conn, ids: &BTreeSet<CartId>) -> Answer<BTreeMap<CartId, u64>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = dialect::among(carts::id, ids.iter().map(|id| Id(id.uuid())));
    let query = carts::table.filter(wanted).order(carts::id).select((carts::id, carts::version));
    let rows: Vec<(Id, i64)> = dialect::for_update!(query).load(conn).await?;
    let known = |(id, version): (Id, i64)| Ok((CartId::new(id.0), read_counter("carts.version", version)?));
    rows.into_iter().map(known).collect()
}

async fn active_carts(conn: &mut Conn, users: &BTreeSet<&UserId>) -> Answer<BTreeMap<UserId, CartId>> {
    if users.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = dialect::among(carts::active_user_id, users.iter().map(|user| user.as_str()));
    let rows: Vec<(String, Id)> = carts::table.filter(wanted).select((carts::user_id, carts::id)).load(conn).await?;
    rows.into_iter().map(|(user, cart)| Ok((read("carts.user_id", &user)?, CartId::new(cart.0)))).collect()
}

async fn product_versions(conn: &mut Conn, ids: &BTreeSet<&ProductId>) -> Answer<BTreeMap<ProductId, u64>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = dialect::among(products::id, ids.iter().map(|id| id.as_str()));
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
    let wanted = dialect::among(variants::sku, skus.iter().map(|sku| sku.as_str()));
    let rows: Vec<(String, String)> =
        variants::table.filter(wanted).select((variants::sku, variants::product_id)).load(conn).await?;
    let owner =
        |(sku, product): (String, String)| Ok((read("variants.sku", &sku)?, read("variants.product_id", &product)?));
    rows.into_iter().map(owner).collect()
}

async fn shelves(conn: &mut Conn, needs: &Needs<'_>, levels: Levels) -> Answer<BTreeMap<Sku, Shelf>> {
    if needs.shelves.is_empty() {
        return Ok(BTreeMap::new());
    }
    dialect::together!(conn;
        levels = stock::levels(conn, needs.shelves.keys().copied(), levels),
        holds = stock::holds_of(conn, &needs.shelves),
    );
    let shelves = stock::shelves(conn, levels, holds, needs.at).await?;
    Ok(shelves.into_iter().map(|shelf| (shelf.level().sku.clone(), shelf)).collect())
}
