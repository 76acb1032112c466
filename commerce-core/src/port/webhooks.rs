//! Sending webhooks, and the log of attempts.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Page, PageRequest, StoreResult};
use crate::ids::{DeliveryId, EventId, WebhookEndpointId};
use crate::webhook::{Delivery, DeliveryOutcome, SecretVersion, UrlRefusal, WebhookEndpoint, WebhookUrl};

/// The secret of an endpoint, in the form of Standard Webhooks: `whsec_` and base64. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(String);

impl WebhookSecret {
    /// Wraps a secret.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret")
    }
}

/// An event for an endpoint.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct WebhookRequest<'a> {
    pub endpoint: &'a WebhookEndpoint,
    pub event_id: EventId,
    /// Now: it is signed, and decides which secrets are valid.
    pub at: DateTime<Utc>,
    pub body: &'a [u8],
}

/// Signs webhooks and sends them. It keeps the signing keys that secrets are derived from.
///
/// # Contract
/// * The secret of an endpoint and a version is always the same. Secrets of others tell nothing about it.
/// * [`send`](Self::send) ends in a limited time and reads a limited answer. It follows no redirects, and sends nothing to
///   addresses that are not allowed, whatever a name resolves to.
#[async_trait]
pub trait WebhookSender: Send + Sync + fmt::Debug {
    /// Whether webhooks may be sent to a URL, as far as the URL tells.
    ///
    /// # Errors
    /// [`UrlRefusal`].
    fn check(&self, url: &WebhookUrl) -> Result<(), UrlRefusal>;

    /// The name of the signing key of new secrets.
    fn signing_key(&self) -> String;

    /// The secret of an endpoint. `None` if its signing key is not configured any more.
    fn secret(&self, endpoint: WebhookEndpointId, version: &SecretVersion) -> Option<WebhookSecret>;

    /// Sends an event once, with a signature of every valid secret. Returns what came of it, and how many milliseconds it took.
    async fn send(&self, request: &WebhookRequest<'_>) -> (DeliveryOutcome, u64);
}

/// The attempts to deliver webhooks. A loss of entries, such as in a crash, has no effect on what is delivered.
#[async_trait]
pub trait DeliveryLog: Send + Sync + fmt::Debug {
    /// Adds attempts of an endpoint, and removes all but its `keep` newest.
    async fn note(&self, endpoint: WebhookEndpointId, deliveries: &[Delivery], keep: u32) -> StoreResult<()>;

    /// The attempts of an endpoint, newest first (by id; ids grow with time).
    async fn deliveries(
        &self,
        endpoint: WebhookEndpointId,
        page: &PageRequest<DeliveryId>,
    ) -> StoreResult<Page<Delivery, DeliveryId>>;
}
