//! The attempts to deliver webhooks.

use commerce_core::ids::{DeliveryId, WebhookEndpointId};
use commerce_core::port::{Page, PageRequest};
use commerce_core::webhook::Delivery;
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::{Answer, Conn, RunQueryDsl, listing, one_more};
use crate::rows::delivery::DeliveryRow;
use crate::rows::read_stored;
use crate::schema::webhook_deliveries as table;

/// Adds rows, and removes all rows of the endpoint but the newest ones.
pub(in super::super) async fn note(
    conn: &mut Conn,
    endpoint: WebhookEndpointId,
    rows: &[DeliveryRow],
    keep: u32,
) -> Answer<()> {
    for row in rows {
        diesel::insert_into(table::table).values(row.clone()).execute(conn).await?;
    }
    let of_endpoint = table::endpoint_id.eq(DbUuid(endpoint.uuid()));
    let newest = table::table.filter(of_endpoint).order(table::id.desc());
    let first_old = newest.select(table::id).offset(keep.into()).limit(1).get_result(conn).await.optional()?;
    if let Some(old) = first_old {
        let old: DbUuid = old;
        diesel::delete(table::table.filter(of_endpoint).filter(table::id.le(old))).execute(conn).await?;
    }
    Ok(())
}

/// Newest first.
pub(in super::super) async fn list(
    conn: &mut Conn,
    endpoint: WebhookEndpointId,
    page: &PageRequest<DeliveryId>,
) -> Answer<Page<Delivery, DeliveryId>> {
    let of_endpoint = table::table.filter(table::endpoint_id.eq(DbUuid(endpoint.uuid()))).into_boxed();
    let older = match page.after {
        Some(after) => of_endpoint.filter(table::id.lt(DbUuid(after.uuid()))),
        None => of_endpoint,
    };
    let rows: Vec<String> =
        older.order(table::id.desc()).limit(one_more(page.limit)).select(table::body).load(conn).await?;
    let found = rows.iter().map(|body| read_stored("webhook_deliveries.body", body));
    let found = found.collect::<Answer<Vec<Delivery>>>()?;
    Ok(listing(found, page.limit, |delivery| delivery.id))
}
