//! The attempts to deliver webhooks.

use commerce_core::ids::WebhookEndpointId;
use commerce_core::webhook::Delivery;
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::stored;
use crate::fault::Answer;
use crate::schema::webhook_deliveries;

#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = webhook_deliveries)]
pub(crate) struct DeliveryRow {
    endpoint_id: DbUuid,
    id: DbUuid,
    body: String,
}

impl DeliveryRow {
    /// # Errors
    /// Serialization fails, which no delivery causes.
    pub(crate) fn of(endpoint: WebhookEndpointId, delivery: &Delivery) -> Answer<Self> {
        let body = stored("webhook_deliveries.body", delivery)?;
        Ok(Self { endpoint_id: DbUuid(endpoint.uuid()), id: DbUuid(delivery.id.uuid()), body })
    }
}
