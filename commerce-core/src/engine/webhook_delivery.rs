//! Delivering events to endpoints of webhooks.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, Utc};

use crate::actor::Actor;
use crate::document::{DocumentFilter, DocumentKind};
use crate::ids::{TargetName, WebhookEndpointId};
use crate::port::{PageRequest, StoreError};
use crate::publishing::{Skipping, TargetState};
use crate::webhook::{
    Delivery, DeliveryOutcome, DeliveryVerdict, DisabledReason, MAX_DELIVERIES, WebhookEndpoint,
    WebhookEndpointRejection, WebhookEvent, is_given_up,
};

use super::{Engine, EngineError, Result, Target};

/// How often a position that others change is moved again.
const MOVES: u32 = 20;

/// The failures of an endpoint since its last success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct FailedAttempts {
    pub count: u32,
    /// The time of the first one.
    pub since: Option<DateTime<Utc>>,
}

/// How far events were delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The number of events, from the first one on, that the endpoint has or does not want.
    pub confirmed: usize,
    /// Why the others were not delivered. `None`: there are no others.
    pub stopped: Option<DeliveryStop>,
}

/// Why events were not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryStop {
    /// The endpoint is disabled or deleted.
    NotEnabled,
    /// An attempt failed. It is tried again later, unless the endpoint is disabled now.
    Failed(DeliveryOutcome),
}

impl fmt::Display for DeliveryStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEnabled => f.write_str("the endpoint is not enabled"),
            Self::Failed(DeliveryOutcome::Answered(status)) => write!(f, "the endpoint answered {status}"),
            Self::Failed(DeliveryOutcome::Failed(failure)) => write!(f, "no answer: {failure}"),
        }
    }
}

impl WebhookEndpoint {
    /// The name under which its position in the feed is stored.
    #[expect(clippy::expect_used, reason = "a UUID with a prefix is a short and printable name")]
    #[expect(clippy::missing_panics_doc, reason = "it never panics")]
    pub fn target(id: WebhookEndpointId) -> TargetName {
        format!("webhook/{id}").parse().expect("it is a name")
    }
}

impl Engine {
    /// The endpoints that events are sent to.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn enabled_webhook_endpoints(&self) -> Result<Vec<WebhookEndpoint>> {
        let filter = &DocumentFilter::all_of([WebhookEndpoint::ENABLED.into()].into());
        let read = |page: PageRequest<String>| async move {
            self.ports.store.documents(DocumentKind::WebhookEndpoint, filter, &page).await
        };
        let found = PageRequest::read_all(read).await?.into_iter().map(WebhookEndpoint::try_from);
        Ok(found.collect::<Result<_, _>>().map_err(StoreError::from)?)
    }

    /// Sends events to an endpoint in their order, until one is not confirmed. Notes the attempts. Disables the endpoint if it is gone, or
    /// has failed for too long; `failed` are its failures before.
    ///
    /// # Errors
    /// [`EngineError::Store`], [`EngineError::WebhookEndpoint`]. Some events may have been delivered.
    pub async fn deliver_webhooks(
        &self,
        id: WebhookEndpointId,
        events: &[WebhookEvent<'_>],
        failed: FailedAttempts,
    ) -> Result<Delivered> {
        let endpoint = match self.webhook_endpoint(&Actor::SYSTEM, id).await {
            Ok(endpoint) if endpoint.is_enabled() => endpoint,
            Ok(_) | Err(EngineError::NotFound(_)) => {
                return Ok(Delivered { confirmed: 0, stopped: Some(DeliveryStop::NotEnabled) });
            }
            Err(error) => return Err(error),
        };
        let mut failed = failed;
        let mut outcome = Delivered { confirmed: 0, stopped: None };
        for event in events {
            if endpoint.wants(event.event_type) {
                let delivery = self.attempt(&endpoint, *event, failed.count.saturating_add(1)).await?;
                let verdict = delivery.outcome.verdict();
                outcome.stopped =
                    (verdict != DeliveryVerdict::Delivered).then_some(DeliveryStop::Failed(delivery.outcome));
                self.note_delivery(id, delivery).await;
                if outcome.stopped.is_some() {
                    break;
                }
                failed = FailedAttempts::default();
            }
            outcome.confirmed = outcome.confirmed.saturating_add(1);
        }
        self.disable_if_hopeless(id, outcome.stopped, failed).await?;
        Ok(outcome)
    }

    /// The log is for people: what is delivered does not depend on it.
    async fn note_delivery(&self, id: WebhookEndpointId, delivery: Delivery) {
        if let Some(ports) = &self.ports.webhooks {
            ports.log.note(id, &[delivery], MAX_DELIVERIES).await.ok();
        }
    }

    async fn disable_if_hopeless(
        &self,
        id: WebhookEndpointId,
        stopped: Option<DeliveryStop>,
        failed: FailedAttempts,
    ) -> Result<()> {
        let Some(DeliveryStop::Failed(outcome)) = stopped else { return Ok(()) };
        let given_up = failed.since.is_some_and(|since| is_given_up(since, self.settings.webhook_patience, self.now()));
        let reason = match outcome.verdict() {
            DeliveryVerdict::Gone => DisabledReason::Gone,
            DeliveryVerdict::Retry if given_up => DisabledReason::Failing,
            DeliveryVerdict::Retry | DeliveryVerdict::Delivered => return Ok(()),
        };
        let disabled = |known: &WebhookEndpoint, at| known.disabled(reason, at);
        match self.change_webhook_endpoint(&Actor::SYSTEM, Target::any(id), None, disabled).await {
            Ok(_) | Err(EngineError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes sure that a position is stored for an endpoint. A new one begins with the events after its creation.
    ///
    /// # Errors
    /// [`EngineError::Store`], [`EngineError::WebhookEndpoint`].
    pub async fn begin_webhooks(&self, endpoint: &WebhookEndpoint) -> Result<()> {
        let (targets, name) = (&self.webhook_ports()?.targets, WebhookEndpoint::target(endpoint.id));
        if targets.target(&name).await?.is_none() {
            targets.replace_target(None, Some(&TargetState::new(name, endpoint.begins_after))).await?;
        }
        Ok(())
    }

    /// Moves the position of an endpoint: forgets its failures, and goes on after another event if one is given.
    pub(super) async fn move_webhooks(
        &self,
        endpoint: &WebhookEndpoint,
        after: Option<u64>,
        skipping: Skipping,
    ) -> Result<()> {
        let (targets, name) = (&self.webhook_ports()?.targets, WebhookEndpoint::target(endpoint.id));
        self.begin_webhooks(endpoint).await?;
        for _ in 0..MOVES {
            let (end, stored) = (self.ports.store.last_position().await?, targets.target(&name).await?);
            let Some(stored) = stored else { break };
            let moved = stored.moved_to(after.unwrap_or(stored.position), end, skipping);
            let moved = moved.map_err(WebhookEndpointRejection::Position)?;
            if targets.replace_target(Some(&stored), Some(&moved)).await? {
                return Ok(());
            }
        }
        Err(WebhookEndpointRejection::Busy.into())
    }

    /// Forgets what was stored about an endpoint that was deleted while events were sent to it.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn forget_deleted_webhooks(&self, id: WebhookEndpointId) -> Result<()> {
        match self.webhook_endpoint(&Actor::SYSTEM, id).await {
            Err(EngineError::NotFound(_)) => self.forget_webhooks(id).await,
            known => known.map(drop),
        }
    }

    /// Forgets the position of a deleted endpoint.
    pub(super) async fn forget_webhooks(&self, id: WebhookEndpointId) -> Result<()> {
        let Some(ports) = &self.ports.webhooks else { return Ok(()) };
        ports.log.note(id, &[], 0).await?;
        if let Some(state) = ports.targets.target(&WebhookEndpoint::target(id)).await? {
            ports.targets.replace_target(Some(&state), None).await?;
        }
        Ok(())
    }
}
