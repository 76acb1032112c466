//! The attempts to deliver webhooks.

use async_trait::async_trait;
use commerce_core::ids::{DeliveryId, WebhookEndpointId};
use commerce_core::port::{DeliveryLog, Page, PageRequest, StoreError};
use commerce_core::webhook::Delivery;

use super::MemoryStore;

#[async_trait]
impl DeliveryLog for MemoryStore {
    async fn note(&self, endpoint: WebhookEndpointId, given: &[Delivery], keep: u32) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let log = tables.deliveries.entry(endpoint).or_default();
        log.extend(given.iter().map(|delivery| (delivery.id, delivery.clone())));
        while log.len() > usize::try_from(keep).unwrap_or(usize::MAX) {
            log.pop_first();
        }
        Ok(())
    }

    async fn deliveries(
        &self,
        endpoint: WebhookEndpointId,
        page: &PageRequest<DeliveryId>,
    ) -> Result<Page<Delivery, DeliveryId>, StoreError> {
        let found: Vec<Delivery> =
            self.tables().deliveries.get(&endpoint).into_iter().flat_map(|log| log.values().cloned()).collect();
        Ok(Page::descending(found, page, |delivery| delivery.id))
    }
}
