//! Whether a commit is in the database: asked when its transaction ended in a way that leaves it open.

use chrono::{DateTime, Utc};
use commerce_core::commit::{Accepted, CartChange, Commit, ProductChange, PromotionChange};
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::{Answer, Conn, RunQueryDsl, idempotency};
use crate::rows::event::{ORDER, STOCK, order_stream};
use crate::rows::{counter, micros};
use crate::schema::{carts, events, products, promotions};

/// Whether a commit that was accepted has landed; none if it left nothing by which it could be told.
pub(in super::super) async fn is_committed(
    conn: &mut Conn,
    commit: &Commit,
    settled: &Accepted,
) -> Answer<Option<bool>> {
    if let Some(change) = commit.orders.as_slice().first() {
        let event = change.events().first().map(|entry| (entry.sequence, DbUuid(entry.id.uuid())));
        let Some((sequence, id)) = event else { return Ok(None) };
        return has_event(conn, ORDER, &order_stream(change.order().id), sequence, id).await.map(Some);
    }
    if let Some((sku, entry)) = settled.stock_events.as_slice().first() {
        return has_event(conn, STOCK, sku.as_str(), entry.sequence, DbUuid(entry.id.uuid())).await.map(Some);
    }
    // Only now: an idempotency record may be that of another attempt at the same request, which had the same effect on
    // documents.
    if let Some(record) = &commit.idempotency {
        return Ok(Some(idempotency::get(conn, &record.key).await?.as_ref() == Some(record)));
    }
    has_document(conn, commit).await
}

async fn has_event(conn: &mut Conn, kind: &str, stream: &str, sequence: u64, id: DbUuid) -> Answer<bool> {
    let query = events::table
        .filter(events::stream_id.eq(stream))
        .filter(events::stream_kind.eq(kind))
        .filter(events::sequence.eq(counter(sequence)))
        .select(events::event_id);
    let found: Option<DbUuid> = query.get_result(conn).await.optional()?;
    Ok(found == Some(id))
}

/// Whether a document stands as a commit wrote it: at that version, changed at that instant.
async fn has_document(conn: &mut Conn, commit: &Commit) -> Answer<Option<bool>> {
    if let Some(CartChange { cart, .. }) = commit.carts.as_slice().first() {
        let query = carts::table.filter(carts::id.eq(DbUuid(cart.id.uuid())));
        let found = query.select((carts::version, carts::updated_at)).get_result(conn).await.optional()?;
        return Ok(Some(found == Some(mark(cart.version, cart.updated_at))));
    }
    if let Some(ProductChange { product, .. }) = commit.products.as_slice().first() {
        let query = products::table.filter(products::id.eq(product.id.as_str()));
        let found = query.select((products::version, products::updated_at)).get_result(conn).await.optional()?;
        return Ok(Some(found == Some(mark(product.version, product.updated_at))));
    }
    if let Some(PromotionChange { record, .. }) = commit.promotions.as_slice().first() {
        let query = promotions::table.filter(promotions::id.eq(record.id().as_str()));
        let found = query.select((promotions::version, promotions::updated_at)).get_result(conn).await.optional()?;
        return Ok(Some(found == Some(mark(record.version, record.updated_at))));
    }
    Ok(None)
}

fn mark(version: u64, updated_at: DateTime<Utc>) -> (i64, i64) {
    (counter(version), micros(updated_at))
}
