//! The facts that a batch is settled on, read inside the transaction that writes its outcome.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use commerce_core::commit::{Facts, Needs, Receipt, ReceiptKey, Refusal};
use commerce_core::ids::{CartId, OrderId, OrderNumber, ProductId, Sku, UserId};
use commerce_core::stock::{Shelf, Taken};
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::stock::{self, Levels};
use super::{Answer, Conn, RunQueryDsl, dialect, promotions, receipts};
use crate::rows::{read, read_counter};
use crate::schema::{carts, orders, products, variants};

/// Loads what a batch names, and locks, in the order of keys, what it can move.
pub(in super::super) async fn lock(conn: &mut Conn, needs: &Needs<'_>) -> Answer<Locked<Facts>> {
    load(conn, needs, Levels::Locked).await.map(Locked)
}

/// As [`lock`], but for the levels of stock, which others may move until they are written.
pub(super) async fn peek(conn: &mut Conn, needs: &Needs<'_>) -> Answer<Peeked<Facts>> {
    load(conn, needs, Levels::Read).await.map(Peeked)
}

/// What stays as it is until the transaction ends.
#[derive(Debug)]
pub(in super::super) struct Locked<T>(T);

/// What others may move.
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
    /// As they are.
    Locked(Locked<Facts>),
    /// What was taken of each level, if it still fits when it is written at this instant.
    Uncontended(Peeked<Facts>, DateTime<Utc>, BTreeMap<Sku, Taken>),
}

impl Writable {
    pub(super) const fn facts(&self) -> &Facts {
        match self {
            Self::Locked(Locked(facts)) | Self::Uncontended(Peeked(facts), ..) => facts,
        }
    }
}

impl Peeked<Facts> {
    /// Settled facts that hold on other levels, too: nobody was refused for stock, and everything that moved is far from every
    /// border.
    pub(super) fn uncontended<'r>(
        self,
        refusals: impl IntoIterator<Item = &'r Refusal>,
        at: DateTime<Utc>,
    ) -> Option<Writable> {
        if refusals.into_iter().any(|refusal| matches!(refusal, Refusal::Stock(_))) {
            return None;
        }
        let moved = self.0.shelves.iter().filter(|(_, shelf)| shelf.is_changed());
        let taken = moved.map(|(sku, shelf)| Some((sku.clone(), shelf.taken(at)?))).collect::<Option<_>>()?;
        Some(Writable::Uncontended(self, at, taken))
    }
}

async fn load(conn: &mut Conn, needs: &Needs<'_>, levels: Levels) -> Answer<Facts> {
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
    let wanted = dialect::among(orders::id, ids.iter().map(|id| DbUuid(id.uuid())));
    let query = orders::table.filter(wanted).order(orders::id).select((orders::id, orders::version));
    let rows: Vec<(DbUuid, i64)> = dialect::for_update!(query).load(conn).await?;
    let known = |(id, version): (DbUuid, i64)| Ok((OrderId::new(id.0), read_counter("orders.version", version)?));
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
    let wanted = dialect::among(carts::id, ids.iter().map(|id| DbUuid(id.uuid())));
    let query = carts::table.filter(wanted).order(carts::id).select((carts::id, carts::version));
    let rows: Vec<(DbUuid, i64)> = dialect::for_update!(query).load(conn).await?;
    let known = |(id, version): (DbUuid, i64)| Ok((CartId::new(id.0), read_counter("carts.version", version)?));
    rows.into_iter().map(known).collect()
}

async fn active_carts(conn: &mut Conn, users: &BTreeSet<&UserId>) -> Answer<BTreeMap<UserId, CartId>> {
    if users.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = dialect::among(carts::active_user_id, users.iter().map(|user| user.as_str()));
    let rows: Vec<(String, DbUuid)> =
        carts::table.filter(wanted).select((carts::user_id, carts::id)).load(conn).await?;
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
