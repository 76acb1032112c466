//! Endpoints of webhooks: URLs of others to which events of the shop are sent.
//!
//! # Invariants
//! * `WHK-1`: an endpoint contains no secret. It contains the versions of its secrets, from which a
//!   [`WebhookSender`](crate::port::WebhookSender) derives them.
//! * `WHK-2`: a deleted endpoint is in no list, and nothing is sent to it. It stays deleted.
//! * `WHK-3`: an endpoint has a current secret. A replaced one is valid until its end, and there are at most [`MAX_SECRETS`].

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::document::{Aggregate, Claim, ClaimKind, Versioned as _};
use crate::event::published_types;
use crate::ids::{DeliveryId, EventId, WebhookEndpointId};
use crate::publishing::MoveRefused;
use crate::text::{Name, named, shows_text};

/// The maximum number of endpoints.
pub const MAX_WEBHOOK_ENDPOINTS: u16 = 100;
/// The maximum number of valid secrets of an endpoint. If there were more, the oldest ends early.
pub const MAX_SECRETS: usize = 4;
/// The maximum length of a URL, in bytes.
pub const MAX_URL: usize = 2048;
/// The number of attempts that are kept in the log of an endpoint.
pub const MAX_DELIVERIES: u32 = 1_000;
/// The type of the event that a test sends. It is in no feed.
pub const TEST_EVENT: &str = "webhook_endpoint.test";

/// A URL to which events are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct WebhookEndpoint {
    pub id: WebhookEndpointId,
    #[serde(flatten)]
    pub details: WebhookEndpointDetails,
    /// `None`: it is enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Disabled>,
    /// The current one first.
    pub secrets: Vec<SecretVersion>,
    /// The position of the feed after which its events begin.
    pub begins_after: u64,
    /// The place among those of the shop, below [`MAX_WEBHOOK_ENDPOINTS`]. A claim, so that there are no more.
    pub slot: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<DateTime<Utc>>,
    /// Grows by one with every change.
    pub version: u64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What a caller sets of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEndpointDetails {
    /// Where events are sent.
    pub url: WebhookUrl,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Name>,
    /// The types of events that are sent; empty for all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub types: BTreeSet<EventType>,
}

/// The type of an event that leaves the shop, such as `order.paid`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventType(String);

shows_text!(EventType);

/// The shop has no such events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is not an event type")]
pub struct UnknownEventType;

impl FromStr for EventType {
    type Err = UnknownEventType;

    fn from_str(text: &str) -> Result<Self, UnknownEventType> {
        if published_types().any(|known| known == text) { Ok(Self(text.into())) } else { Err(UnknownEventType) }
    }
}

/// An address such as `https://shop.example.com/events?shop=1`, without credentials and without a fragment.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WebhookUrl(String);

shows_text!(WebhookUrl);

/// Why a text is no URL for webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum WebhookUrlError {
    #[error("is longer than {MAX_URL} bytes")]
    TooLong,
    #[error("must start with https:// or http:// and name a host")]
    NoHost,
    #[error("has characters that a URL cannot have")]
    Characters,
    #[error("must not contain a user or a password")]
    Credentials,
    #[error("must have a port of 1 to 65535, or none")]
    Port,
    #[error("must not have a fragment")]
    Fragment,
}

impl WebhookUrl {
    /// Whether the connection is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl FromStr for WebhookUrl {
    type Err = WebhookUrlError;

    fn from_str(text: &str) -> Result<Self, WebhookUrlError> {
        if text.len() > MAX_URL {
            return Err(WebhookUrlError::TooLong);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'`')) {
            return Err(WebhookUrlError::Characters);
        }
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest = rest.ok_or(WebhookUrlError::NoHost)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        match authority {
            "" => Err(WebhookUrlError::NoHost),
            _ if authority.contains('@') => Err(WebhookUrlError::Credentials),
            _ if !is_port_valid(authority) => Err(WebhookUrlError::Port),
            _ if text.contains('#') => Err(WebhookUrlError::Fragment),
            _ => Ok(Self(text.into())),
        }
    }
}

/// Whether a host is followed by a port that there is, or by none.
fn is_port_valid(authority: &str) -> bool {
    let after_address = authority.rsplit_once(']').map_or(authority, |(_, rest)| rest);
    let Some((_, port)) = after_address.rsplit_once(':') else { return true };
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// That an endpoint gets nothing, since when and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Disabled {
    pub reason: DisabledReason,
    pub at: DateTime<Utc>,
}

named! {
    /// Why an endpoint is disabled.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum DisabledReason {
        /// A person did it.
        Requested = "requested",
        /// It answered 410.
        Gone = "gone",
        /// It failed for longer than the shop is patient.
        Failing = "failing",
    }
}

/// A version of the secret of an endpoint. The secret follows from the endpoint, the number and the signing key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretVersion {
    /// Counts from 1.
    pub number: u32,
    /// The name of the signing key that it is derived from.
    pub key: String,
    /// When it ends, if it was replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<DateTime<Utc>>,
}

impl SecretVersion {
    fn is_valid(&self, at: DateTime<Utc>) -> bool {
        self.valid_until.is_none_or(|end| at < end)
    }
}

/// Why an endpoint cannot be made or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum WebhookEndpointRejection {
    /// The shop has no [`WebhookSender`](crate::port::WebhookSender).
    #[error("the shop sends no webhooks")]
    NotConfigured,
    #[error("a shop has at most {MAX_WEBHOOK_ENDPOINTS} webhook endpoints")]
    TooMany,
    #[error("{0}")]
    Url(UrlRefusal),
    /// It cannot go on there.
    #[error("{0}")]
    Position(MoveRefused),
    /// Its position in the feed changes too often.
    #[error("the endpoint is busy: try again")]
    Busy,
}

/// Why nothing is sent to a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum UrlRefusal {
    #[error("is not a URL such as https://shop.example.com/events")]
    Malformed,
    #[error("must start with https://")]
    NotEncrypted,
    #[error("is not an address of the public internet")]
    NotPublic,
}

impl WebhookEndpoint {
    /// The key of all endpoints that are not deleted.
    pub const LISTED: &'static str = "listed";
    /// The key of those that events are sent to.
    pub const ENABLED: &'static str = "enabled";

    /// A new endpoint, with a secret derived from a signing key, for the events after a position of the feed.
    pub fn new(
        (id, slot): (WebhookEndpointId, u16),
        details: WebhookEndpointDetails,
        key: String,
        begins_after: u64,
        at: DateTime<Utc>,
    ) -> Self {
        let secrets = Vec::from([SecretVersion { number: 1, key, valid_until: None }]);
        Self {
            id,
            details,
            disabled: None,
            secrets,
            begins_after,
            slot,
            deleted_at: None,
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }

    /// Whether it is not deleted.
    pub const fn is_present(&self) -> bool {
        self.deleted_at.is_none()
    }

    /// Whether events are sent to it.
    pub const fn is_enabled(&self) -> bool {
        self.is_present() && self.disabled.is_none()
    }

    /// Whether events of a type are sent to it.
    pub fn wants(&self, event_type: &str) -> bool {
        self.details.types.is_empty() || self.details.types.iter().any(|wanted| wanted.as_str() == event_type)
    }

    /// The version of the secret that receivers should use. `None` only if the stored endpoint is damaged.
    pub fn secret(&self) -> Option<&SecretVersion> {
        self.secrets.first()
    }

    /// The versions that a webhook is signed with, the current one first.
    pub fn secrets_at(&self, at: DateTime<Utc>) -> impl Iterator<Item = &SecretVersion> {
        self.secrets.iter().filter(move |secret| secret.is_valid(at)).take(MAX_SECRETS)
    }

    /// With other details, and enabled or disabled by a person. The same if it is so already.
    #[must_use]
    pub fn changed(&self, details: WebhookEndpointDetails, enabled: Option<bool>, at: DateTime<Utc>) -> Self {
        let disabled = match enabled {
            None => self.disabled,
            Some(true) => None,
            Some(false) => self.disabled.or(Some(Disabled { reason: DisabledReason::Requested, at })),
        };
        if details == self.details && disabled == self.disabled {
            return self.clone();
        }
        Self { details, disabled, ..self.next(at) }
    }

    /// Disabled because of what it answered. The same if it is disabled already.
    #[must_use]
    pub fn disabled(&self, reason: DisabledReason, at: DateTime<Utc>) -> Self {
        if self.disabled.is_some() {
            return self.clone();
        }
        Self { disabled: Some(Disabled { reason, at }), ..self.next(at) }
    }

    /// With a new secret. The ones before stay valid for a time, so that receivers can be changed one after the other.
    #[must_use]
    pub fn rotated(&self, key: String, overlap: TimeDelta, at: DateTime<Utc>) -> Self {
        let end = at.checked_add_signed(overlap).unwrap_or(at);
        let number = self.secret().map_or(0, |current| current.number).saturating_add(1);
        let replaced = self.secrets_at(at).map(|secret| SecretVersion {
            valid_until: Some(secret.valid_until.map_or(end, |known| known.min(end))),
            ..secret.clone()
        });
        let current = SecretVersion { number, key, valid_until: None };
        let secrets = core::iter::once(current).chain(replaced).take(MAX_SECRETS).collect();
        Self { secrets, ..self.next(at) }
    }

    /// Deleted.
    #[must_use]
    pub fn deleted(&self, at: DateTime<Utc>) -> Self {
        Self { deleted_at: Some(at), ..self.next(at) }
    }

    fn next(&self, at: DateTime<Utc>) -> Self {
        Self { version: self.version.saturating_add(1), updated_at: at, ..self.clone() }
    }
}

impl Aggregate for WebhookEndpoint {
    const EVENT_TYPES: &[&str] = &[
        Self::CREATED,
        Self::UPDATED,
        "webhook_endpoint.enabled",
        "webhook_endpoint.disabled",
        "webhook_endpoint.deleted",
    ];

    fn claims(&self) -> Vec<Claim> {
        let place = || Claim::new(ClaimKind::WebhookEndpoint, &self.slot);
        self.is_present().then(place).into_iter().collect()
    }

    fn keys(&self) -> Vec<String> {
        let listed = self.is_present().then_some(Self::LISTED);
        listed.into_iter().chain(self.is_enabled().then_some(Self::ENABLED)).map(String::from).collect()
    }

    fn event_type(&self, before: Option<&Self>) -> &'static str {
        match before {
            None => Self::CREATED,
            Some(_) if !self.is_present() => "webhook_endpoint.deleted",
            Some(before) if before.disabled.is_none() && self.disabled.is_some() => "webhook_endpoint.disabled",
            Some(before) if before.disabled.is_some() && self.disabled.is_none() => "webhook_endpoint.enabled",
            Some(_) => Self::UPDATED,
        }
    }
}

/// An event in the form in which it is sent.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct WebhookEvent<'a> {
    pub id: EventId,
    pub event_type: &'a str,
    pub body: &'a [u8],
}

/// An attempt to deliver an event to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Grows with time.
    pub id: DeliveryId,
    /// The event; the `webhook-id`.
    pub event_id: EventId,
    /// Its type.
    pub event_type: String,
    /// Counts from 1.
    pub attempt: u32,
    /// When it began.
    pub at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What came of it.
    pub outcome: DeliveryOutcome,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryOutcome {
    /// The endpoint answered with a status of HTTP.
    Answered(u16),
    /// It did not.
    Failed(DeliveryFailure),
}

named! {
    /// Why there was no answer.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum DeliveryFailure {
        /// The host has an address to which nothing is sent.
        AddressRefused = "address_refused",
        /// The host has no address.
        NotResolved = "not_resolved",
        /// There was no connection.
        NotConnected = "not_connected",
        /// The certificate is not trusted, or TLS failed otherwise.
        TlsFailed = "tls_failed",
        /// There was no answer in time. The webhook may have arrived.
        TimedOut = "timed_out",
        /// The connection broke, or the answer is not HTTP. The webhook may have arrived.
        Broken = "broken",
        /// The signing key of the secret is not configured.
        NoSigningKey = "no_signing_key",
        /// The URL cannot be used any more, because of a changed setting.
        UrlRefused = "url_refused",
    }
}

/// What follows from an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryVerdict {
    /// The endpoint has the event.
    Delivered,
    /// It is tried again.
    Retry,
    /// The endpoint wants nothing any more.
    Gone,
}

impl DeliveryOutcome {
    /// 2xx confirms, 410 ends, and all others are tried again. A redirect is not followed, so it confirms nothing.
    pub const fn verdict(self) -> DeliveryVerdict {
        match self {
            Self::Answered(200..=299) => DeliveryVerdict::Delivered,
            Self::Answered(410) => DeliveryVerdict::Gone,
            Self::Answered(_) | Self::Failed(_) => DeliveryVerdict::Retry,
        }
    }
}

/// Whether an endpoint that has failed without a success since an instant is disabled.
pub fn is_given_up(failing_since: DateTime<Utc>, patience: TimeDelta, now: DateTime<Utc>) -> bool {
    now.signed_duration_since(failing_since) >= patience
}

#[cfg(test)]
#[path = "../tests/unit/webhook.rs"]
mod tests;
