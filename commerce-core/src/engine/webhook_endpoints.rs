//! Use cases of endpoints of webhooks.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use crate::actor::Actor;
use crate::document::{DocumentFilter, DocumentId, DocumentKind};
use crate::ids::{DeliveryId, EventId, WebhookEndpointId};
use crate::permission::Permission;
use crate::port::{News, Page, PageRequest, StoreError, WebhookRequest, WebhookSecret};
use crate::publishing::Skipping;
use crate::text::Name;
use crate::webhook::{
    Delivery, EventType, MAX_DELIVERIES, MAX_WEBHOOK_ENDPOINTS, TEST_EVENT, WebhookEndpoint, WebhookEndpointDetails,
    WebhookEndpointRejection, WebhookEvent, WebhookUrl,
};

use super::builder::WebhookPorts;
use super::{Answer, Decided, Decision, Engine, EngineError, Key, Resource, Result, Target};

const NOT_FOUND: EngineError = EngineError::NotFound(Resource::Document(DocumentKind::WebhookEndpoint));

/// A change of an endpoint. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookEndpointPatch {
    /// Where events are sent.
    pub url: Option<WebhookUrl>,
    /// `Some(None)` removes it.
    pub description: Option<Option<Name>>,
    /// The types of events that are sent; empty for all.
    pub types: Option<BTreeSet<EventType>>,
    /// Whether events are sent.
    pub enabled: Option<bool>,
    /// With `enabled`: the events since it was disabled are not sent.
    pub skips_missed: bool,
}

impl WebhookEndpointPatch {
    fn applied(&self, details: &WebhookEndpointDetails) -> WebhookEndpointDetails {
        WebhookEndpointDetails {
            url: self.url.as_ref().unwrap_or(&details.url).clone(),
            description: self.description.as_ref().unwrap_or(&details.description).clone(),
            types: self.types.as_ref().unwrap_or(&details.types).clone(),
        }
    }
}

impl Engine {
    /// An endpoint.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], also for a deleted one; [`EngineError::Forbidden`].
    pub async fn webhook_endpoint(&self, caller: &Actor, id: WebhookEndpointId) -> Result<WebhookEndpoint> {
        caller.require(Permission::ManageWebhooks)?;
        let stored = self.ports.store.document(&DocumentId::new(DocumentKind::WebhookEndpoint, &id)).await?;
        let known = stored.map(WebhookEndpoint::try_from).transpose().map_err(StoreError::from)?;
        known.filter(WebhookEndpoint::is_present).ok_or(NOT_FOUND)
    }

    /// The endpoints by id, so the oldest first.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::Store`].
    pub async fn webhook_endpoints(
        &self,
        caller: &Actor,
        page: &PageRequest<String>,
    ) -> Result<Page<WebhookEndpoint, String>> {
        caller.require(Permission::ManageWebhooks)?;
        let filter = DocumentFilter::all_of([WebhookEndpoint::LISTED.into()].into());
        let Page { items, next } = self.ports.store.documents(DocumentKind::WebhookEndpoint, &filter, page).await?;
        let items = items.into_iter().map(WebhookEndpoint::try_from);
        Ok(Page { items: items.collect::<Result<_, _>>().map_err(StoreError::from)?, next })
    }

    /// Creates an endpoint. Events are sent to it from now on.
    ///
    /// # Errors
    /// [`EngineError::WebhookEndpoint`], [`EngineError::Forbidden`].
    pub async fn add_webhook_endpoint(
        &self,
        caller: &Actor,
        details: &WebhookEndpointDetails,
        key: Key<'_, WebhookEndpoint>,
    ) -> Answer<WebhookEndpoint> {
        caller.require(Permission::ManageWebhooks)?;
        let signing_key = self.webhook_ports()?.sender.signing_key();
        self.check_url(&details.url)?;
        let decide = async |_| {
            let mut commit = self.commit_by(caller, self.now());
            let place = (WebhookEndpointId::new(self.ports.ids.next()), self.free_endpoint_slot(caller).await?);
            let end = self.ports.store.last_position().await?;
            let outcome = WebhookEndpoint::new(place, details.clone(), signing_key.clone(), end, commit.at);
            commit.change(None, outcome.clone());
            Ok(Decision { commit, outcome })
        };
        self.decide_and_commit(key, decide).await
    }

    /// A free place: any of them, so that requests at the same time seldom meet.
    async fn free_endpoint_slot(&self, caller: &Actor) -> Result<u16> {
        let all = PageRequest::first(MAX_WEBHOOK_ENDPOINTS);
        let taken = self.webhook_endpoints(caller, &all).await?.items;
        let taken: BTreeSet<_> = taken.iter().map(|endpoint| endpoint.slot).collect();
        let free: Vec<_> = (0..MAX_WEBHOOK_ENDPOINTS).filter(|slot| !taken.contains(slot)).collect();
        let [.., draw] = self.ports.ids.next().into_bytes();
        Ok(*free.iter().cycle().nth(draw.into()).ok_or(WebhookEndpointRejection::TooMany)?)
    }

    /// Changes an endpoint. One that is enabled again gets the events since it was disabled, unless they are skipped.
    ///
    /// # Errors
    /// [`EngineError::WebhookEndpoint`], [`EngineError::NotFound`], [`EngineError::VersionMismatch`],
    /// [`EngineError::Forbidden`].
    pub async fn patch_webhook_endpoint(
        &self,
        caller: &Actor,
        target: Target<WebhookEndpointId>,
        patch: &WebhookEndpointPatch,
    ) -> Answer<WebhookEndpoint> {
        caller.require(Permission::ManageWebhooks)?;
        patch.url.as_ref().map_or(Ok(()), |url| self.check_url(url))?;
        if patch.enabled == Some(true) {
            self.resume_webhooks(caller, target).await?;
        }
        let changed = |known: &WebhookEndpoint, at| known.changed(patch.applied(&known.details), patch.enabled, at);
        let answer = self.change_webhook_endpoint(caller, target, None, changed).await?;
        if patch.skips_missed {
            // Only now: what was skipped for a change that failed would be lost.
            let known = self.webhook_endpoint(caller, target.id).await?;
            self.move_webhooks(&known, Some(self.ports.store.last_position().await?), Skipping::Allowed).await?;
        }
        Ok(answer)
    }

    /// Forgets the failures of a disabled endpoint, before it is enabled.
    async fn resume_webhooks(&self, caller: &Actor, target: Target<WebhookEndpointId>) -> Result<()> {
        let known = self.webhook_endpoint(caller, target.id).await?;
        target.expected.check(known.version)?;
        if known.is_enabled() {
            return Ok(());
        }
        self.move_webhooks(&known, None, Skipping::Allowed).await
    }

    /// Sends the events after a position of the feed to an endpoint, again if it has them.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::WebhookEndpoint`], [`EngineError::Forbidden`].
    pub async fn replay_webhooks(&self, caller: &Actor, id: WebhookEndpointId, after: u64) -> Result<()> {
        let known = self.webhook_endpoint(caller, id).await?;
        self.move_webhooks(&known, Some(after), Skipping::Refused).await
    }

    /// Gives an endpoint a new secret. The ones before stay valid for [`webhook_secret_overlap`](crate::settings::Settings).
    ///
    /// # Errors
    /// [`EngineError::WebhookEndpoint`], [`EngineError::NotFound`], [`EngineError::VersionMismatch`],
    /// [`EngineError::Forbidden`].
    pub async fn rotate_webhook_secret(
        &self,
        caller: &Actor,
        target: Target<WebhookEndpointId>,
        key: Key<'_, WebhookEndpoint>,
    ) -> Answer<WebhookEndpoint> {
        caller.require(Permission::ManageWebhooks)?;
        let signing_key = self.webhook_ports()?.sender.signing_key();
        let overlap = self.settings.webhook_secret_overlap;
        let rotated = |known: &WebhookEndpoint, at| known.rotated(signing_key.clone(), overlap, at);
        self.change_webhook_endpoint(caller, target, key, rotated).await
    }

    /// Deletes an endpoint, with its position in the feed and the log of its attempts.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::VersionMismatch`], [`EngineError::Forbidden`].
    pub async fn delete_webhook_endpoint(
        &self,
        caller: &Actor,
        target: Target<WebhookEndpointId>,
    ) -> Answer<WebhookEndpoint> {
        let id = target.id;
        let reply = self.change_webhook_endpoint(caller, target, None, WebhookEndpoint::deleted).await?;
        self.forget_webhooks(id).await?;
        Ok(reply)
    }

    /// Commits a change, unless it changes nothing.
    pub(super) async fn change_webhook_endpoint(
        &self,
        caller: &Actor,
        target: Target<WebhookEndpointId>,
        key: Key<'_, WebhookEndpoint>,
        change: impl Fn(&WebhookEndpoint, chrono::DateTime<chrono::Utc>) -> WebhookEndpoint,
    ) -> Answer<WebhookEndpoint> {
        let decide = async |_| -> Decided<WebhookEndpoint> {
            let known = self.webhook_endpoint(caller, target.id).await?;
            target.expected.check(known.version)?;
            let mut commit = self.commit_by(caller, self.now());
            let outcome = change(&known, commit.at);
            if outcome != known {
                commit.change(Some(&known), outcome.clone());
            }
            Ok(Decision { commit, outcome })
        };
        self.decide_and_commit(key, decide).await
    }

    /// The secret that receivers of an endpoint should use. It is for the answers that create or rotate it alone.
    ///
    /// # Errors
    /// [`EngineError::WebhookEndpoint`], [`EngineError::Forbidden`].
    pub fn webhook_secret(&self, caller: &Actor, endpoint: &WebhookEndpoint) -> Result<Option<WebhookSecret>> {
        caller.require(Permission::ManageWebhooks)?;
        let ports = self.webhook_ports()?;
        Ok(endpoint.secret().and_then(|version| ports.sender.secret(endpoint.id, version)))
    }

    /// Sends a test event to an endpoint, also to a disabled one, and tells what came of it. `body` makes its body from the id of the
    /// event.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::WebhookEndpoint`], [`EngineError::Forbidden`].
    pub async fn test_webhook_endpoint(
        &self,
        caller: &Actor,
        id: WebhookEndpointId,
        body: impl FnOnce(EventId, &WebhookEndpoint) -> Vec<u8> + Send,
    ) -> Result<Delivery> {
        let endpoint = self.webhook_endpoint(caller, id).await?;
        let event_id = EventId::new(self.ports.ids.next());
        let body = body(event_id, &endpoint);
        let event = WebhookEvent { id: event_id, event_type: TEST_EVENT, body: &body };
        let delivery = self.attempt(&endpoint, event, 1).await?;
        self.webhook_ports()?.log.note(id, core::slice::from_ref(&delivery), MAX_DELIVERIES).await?;
        Ok(delivery)
    }

    /// The log of the attempts of an endpoint, newest first.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::WebhookEndpoint`], [`EngineError::Forbidden`].
    pub async fn webhook_deliveries(
        &self,
        caller: &Actor,
        id: WebhookEndpointId,
        page: &PageRequest<DeliveryId>,
    ) -> Result<Page<Delivery, DeliveryId>> {
        self.webhook_endpoint(caller, id).await?;
        Ok(self.webhook_ports()?.log.deliveries(id, page).await?)
    }

    pub(super) async fn attempt(
        &self,
        endpoint: &WebhookEndpoint,
        event: WebhookEvent<'_>,
        attempt: u32,
    ) -> Result<Delivery> {
        let at = self.now();
        let request = WebhookRequest { endpoint, event_id: event.id, at, body: event.body };
        let (outcome, took_ms) = self.webhook_ports()?.sender.send(&request).await;
        self.tell(&[News::Webhook { outcome, took_ms }]);
        let id = DeliveryId::new(self.ports.ids.next());
        Ok(Delivery { id, event_id: event.id, event_type: event.event_type.into(), attempt, at, took_ms, outcome })
    }

    pub(super) fn webhook_ports(&self) -> Result<&WebhookPorts> {
        Ok(self.ports.webhooks.as_ref().ok_or(WebhookEndpointRejection::NotConfigured)?)
    }

    fn check_url(&self, url: &WebhookUrl) -> Result<()> {
        Ok(self.webhook_ports()?.sender.check(url).map_err(WebhookEndpointRejection::Url)?)
    }
}
