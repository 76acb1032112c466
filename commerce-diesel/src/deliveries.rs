//! The attempts to deliver webhooks: a table that no commit writes and no history makes.
//!
//! Included by each backend, like `ports`.

#![allow(clippy::needless_borrow, reason = "some databases run a query on another thread, which needs owned values")]

use async_trait::async_trait;
use commerce_core::ids::{DeliveryId, WebhookEndpointId};
use commerce_core::port::{DeliveryLog, Page, PageRequest, StoreError, StoreErrorKind};
use commerce_core::webhook::Delivery;

use super::query::deliveries;
use super::{Backend, in_listing, in_transaction};
use crate::fault::Fault;
use crate::rows::delivery::DeliveryRow;

#[async_trait]
impl DeliveryLog for Backend {
    async fn note(&self, endpoint: WebhookEndpointId, given: &[Delivery], keep: u32) -> Result<(), StoreError> {
        let failed = |fault: Fault| StoreError::new(StoreErrorKind::Corrupt, fault.to_string());
        let rows = given.iter().map(|delivery| DeliveryRow::of(endpoint, delivery));
        let rows = rows.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        in_transaction!(self, [rows]; conn => deliveries::note(conn, endpoint, &rows, keep))
    }

    async fn deliveries(
        &self,
        endpoint: WebhookEndpointId,
        page: &PageRequest<DeliveryId>,
    ) -> Result<Page<Delivery, DeliveryId>, StoreError> {
        in_listing!(self, [page]; conn => deliveries::list(conn, endpoint, &page))
    }
}
