use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commerce_core::ids::{EventId, WebhookEndpointId};
use commerce_core::port::{WebhookRequest, WebhookSecret, WebhookSender};
use commerce_core::webhook::{DeliveryOutcome, SecretVersion, UrlRefusal, WebhookUrl};

/// The milliseconds that every attempt takes.
const TOOK_MS: u64 = 12;

/// Endpoints of webhooks that keep what they get and answer as they are told; 200 at first. Only encrypted ones exist.
#[derive(Debug, Default)]
pub struct FakeWebhooks(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    answer: Option<DeliveryOutcome>,
    received: Vec<ReceivedWebhook>,
}

/// What an endpoint got.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ReceivedWebhook {
    pub endpoint: WebhookEndpointId,
    pub event_id: EventId,
    pub at: DateTime<Utc>,
    /// The secrets that it is signed with.
    pub secrets: Vec<WebhookSecret>,
    pub body: Vec<u8>,
}

impl FakeWebhooks {
    /// Endpoints that answer 200.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes the answer.
    pub fn answer(&self, outcome: DeliveryOutcome) {
        self.state().answer = Some(outcome);
    }

    /// What was received since the last call.
    pub fn received(&self) -> Vec<ReceivedWebhook> {
        std::mem::take(&mut self.state().received)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl WebhookSender for FakeWebhooks {
    fn check(&self, url: &WebhookUrl) -> Result<(), UrlRefusal> {
        if url.is_encrypted() { Ok(()) } else { Err(UrlRefusal::NotEncrypted) }
    }

    fn signing_key(&self) -> String {
        "key".to_owned()
    }

    fn secret(&self, endpoint: WebhookEndpointId, version: &SecretVersion) -> Option<WebhookSecret> {
        Some(WebhookSecret::new(format!("whsec_{}{:08}", endpoint.uuid().simple(), version.number)))
    }

    async fn send(&self, request: &WebhookRequest<'_>) -> (DeliveryOutcome, u64) {
        let endpoint = request.endpoint.id;
        let secrets = request.endpoint.secrets_at(request.at).filter_map(|version| self.secret(endpoint, version));
        let received = ReceivedWebhook {
            endpoint,
            event_id: request.event_id,
            at: request.at,
            secrets: secrets.collect(),
            body: request.body.to_vec(),
        };
        let mut state = self.state();
        state.received.push(received);
        (state.answer.unwrap_or(DeliveryOutcome::Answered(200)), TOOK_MS)
    }
}
