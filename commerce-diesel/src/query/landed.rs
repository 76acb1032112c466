//! Whether a commit is in the database: asked when its transaction ended in a way that leaves it open.

use commerce_core::commit::{Commit, Settled};
use diesel::prelude::*;

use super::{Answer, Conn, RunQueryDsl, receipts};
use crate::id::Id;
use crate::rows::event::{ORDER, STOCK, order_stream};
use crate::rows::{counter, micros};
use crate::schema::{carts, events, products};

/// Whether a commit that was accepted has landed; none if it left nothing by which it could be told.
pub(super) async fn landed(conn: &mut Conn, commit: &Commit, settled: &Settled) -> Answer<Option<bool>> {
    if let Some(receipt) = &commit.receipt {
        return Ok(Some(receipts::get(conn, &receipt.key).await?.as_ref() == Some(receipt)));
    }
    if let Some(change) = commit.orders.first() {
        let event = change.events().first().map(|entry| (entry.sequence, Id(entry.id.uuid())));
        let Some((sequence, id)) = event else { return Ok(None) };
        return has_event(conn, ORDER, &order_stream(change.order().id), sequence, id).await.map(Some);
    }
    if let Some((sku, entry)) = settled.stock_events.first() {
        return has_event(conn, STOCK, sku.as_str(), entry.sequence, Id(entry.id.uuid())).await.map(Some);
    }
    has_document(conn, commit).await
}

async fn has_event(conn: &mut Conn, kind: &str, stream: &str, sequence: u64, id: Id) -> Answer<bool> {
    let query = events::table
        .filter(events::stream_id.eq(stream))
        .filter(events::stream_kind.eq(kind))
        .filter(events::sequence.eq(counter(sequence)))
        .select(events::event_id);
    let found: Option<Id> = query.get_result(conn).await.optional()?;
    Ok(found == Some(id))
}

async fn has_document(conn: &mut Conn, commit: &Commit) -> Answer<Option<bool>> {
    let found: Option<(i64, i64)>;
    let written;
    if let Some(change) = commit.carts.first() {
        let query = carts::table.filter(carts::id.eq(Id(change.cart.id.uuid())));
        found = query.select((carts::version, carts::updated_at)).get_result(conn).await.optional()?;
        written = (change.cart.version, change.cart.updated_at);
    } else if let Some(change) = commit.products.first() {
        let query = products::table.filter(products::id.eq(change.product.id.as_str()));
        found = query.select((products::version, products::updated_at)).get_result(conn).await.optional()?;
        written = (change.product.version, change.product.updated_at);
    } else {
        return Ok(None);
    }
    Ok(Some(found == Some((counter(written.0), micros(written.1)))))
}
