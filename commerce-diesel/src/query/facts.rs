//! The facts that a batch is settled on, read inside the transaction that writes its outcome.

use std::collections::{BTreeMap, BTreeSet};

use commerce_core::commit::{Claims, Facts, Needs, Receipt, ReceiptKey};
use commerce_core::document::{Claim, DocumentId, DocumentKind};
use commerce_core::ids::{CartId, OrderId, Sku};
use commerce_core::stock::{Shelf, StockLevel};
use diesel::prelude::*;

use super::{Answer, Conn, RunQueryDsl, dialect, promotions, receipts, stock};
use crate::id::Id;
use crate::rows::read_counter;
use crate::schema::{carts, claims, documents, orders, products};
use crate::word::Word;

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
        documents = document_versions(conn, &needs.documents),
        claims = held_claims(conn, &needs.claims),
        shelves = shelves(conn, needs, levels),
        tallies = promotions::tallies(conn, needs),
    );
    Ok(Facts { receipts, orders, documents, claims, shelves, tallies })
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

async fn document_versions(conn: &mut Conn, ids: &BTreeSet<&DocumentId>) -> Answer<BTreeMap<DocumentId, u64>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let of = |kind: DocumentKind| ids.iter().filter(move |id| id.kind == kind).map(|id| id.id.as_str());
    let carts = of(DocumentKind::Cart).filter_map(|id| id.parse().ok()).map(Id).collect();
    let products = of(DocumentKind::Product).collect();
    let has_table = |id: &DocumentId| matches!(id.kind, DocumentKind::Cart | DocumentKind::Product);
    let others = ids.iter().filter(|id| !has_table(id)).map(|id| (id.kind.name(), id.id.as_str())).collect();
    dialect::together!(conn;
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
    Word::read("documents.kind", kind)
}

async fn cart_versions(conn: &mut Conn, ids: Vec<Id>) -> QueryResult<Vec<(Id, i64)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let query =
        carts::table.filter(dialect::among(carts::id, ids)).order(carts::id).select((carts::id, carts::version));
    dialect::for_update!(query).load(conn).await
}

async fn product_versions(conn: &mut Conn, ids: Vec<&str>) -> QueryResult<Vec<(String, i64)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let query = products::table.filter(dialect::among(products::id, ids));
    dialect::for_update!(query.order(products::id).select((products::id, products::version))).load(conn).await
}

async fn other_versions(conn: &mut Conn, ids: Vec<(&str, &str)>) -> QueryResult<Vec<(String, String, i64)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let key = (documents::kind, documents::id);
    let query = documents::table.filter(dialect::among(key, ids)).order(key);
    dialect::for_update!(query.select((documents::kind, documents::id, documents::version))).load(conn).await
}

/// Who holds the claims; whoever changes one waits for who has it locked.
async fn held_claims(conn: &mut Conn, wanted: &BTreeSet<&Claim>) -> Answer<Claims> {
    if wanted.is_empty() {
        return Ok(Claims::default());
    }
    let key = (claims::kind, claims::claim);
    let names = wanted.iter().map(|claim| (claim.kind.name(), claim.key.as_str()));
    let query = claims::table.filter(dialect::among(key, names)).order(key);
    let rows: Vec<(String, String, String)> =
        dialect::for_update!(query.select((claims::kind, claims::claim, claims::owner))).load(conn).await?;
    let held = |(kind, claim, owner): (String, String, String)| {
        Ok((Claim { kind: Word::read("claims.kind", &kind)?, key: claim }, owner))
    };
    Ok(Claims::new(rows.into_iter().map(held).collect::<Answer<_>>()?))
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
