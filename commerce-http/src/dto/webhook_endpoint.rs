//! Endpoints of webhooks.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use commerce_core::engine::WebhookEndpointPatch;
use commerce_core::ids::{DeliveryId, EventId, WebhookEndpointId};
use commerce_core::problem::{Findings, Read};
use commerce_core::text::Name;
use commerce_core::webhook::{
    Delivery, DeliveryFailure, DeliveryOutcome, DeliveryVerdict, DisabledReason, EventType, TEST_EVENT,
    WebhookEndpoint, WebhookEndpointDetails, WebhookUrl,
};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::leaf::{optional, required};
use super::shape::shape;

/// The maximum number of types in a filter; there are fewer.
const MAX_TYPES: usize = 200;

shape! {
    /// A URL to which events are sent.
    #[schema(as = WebhookEndpoint)]
    pub(crate) struct WebhookEndpointShape<'a> from endpoint: &'a WebhookEndpoint {
        id: WebhookEndpointId = endpoint.id,
        #[schema(value_type = String, example = "https://erp.example.com/events")]
        url: &'a WebhookUrl = &endpoint.details.url,
        description: Option<&'a Name> = endpoint.details.description.as_ref(),
        /// The types of events that are sent; empty for all.
        #[schema(value_type = Vec<String>, example = json!(["order.paid"]))]
        types: &'a BTreeSet<EventType> = &endpoint.details.types,
        enabled: bool = endpoint.disabled.is_none(),
        /// Why nothing is sent to it: a person disabled it, it answered 410, or it failed for too long.
        disabled_reason: Option<DisabledReason> = endpoint.disabled.map(|disabled| disabled.reason),
        disabled_at: Option<DateTime<Utc>> = endpoint.disabled.map(|disabled| disabled.at),
        /// The number of the current secret. Counts from 1.
        secret_number: u32 = endpoint.secret().map_or(0, |secret| secret.number),
        /// When the last of the replaced secrets ends, with which webhooks are signed, too.
        replaced_secret_until: Option<DateTime<Utc>> = endpoint.secrets.iter().filter_map(|secret| secret.valid_until).max(),
        /// The secret that webhooks are verified with. Only the answer that makes it shows it.
        #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
        secret: Option<&'a str> = None,
        version: u64 = endpoint.version,
        created_at: DateTime<Utc> = endpoint.created_at,
        updated_at: DateTime<Utc> = endpoint.updated_at,
    }
}

/// An endpoint to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWebhookEndpoint {
    /// Where events are sent, by POST. It must be public, and encrypted unless the shop allows others.
    #[schema(required = true, max_length = 2048, example = "https://erp.example.com/events")]
    url: Option<String>,
    /// For people.
    #[schema(min_length = 1, max_length = 255)]
    description: Option<String>,
    /// The types of events that are sent. Default: all.
    #[schema(max_items = 200)]
    types: Option<Vec<String>>,
}

impl NewWebhookEndpoint {
    pub(crate) fn read(self, f: &mut Findings) -> Read<WebhookEndpointDetails> {
        let url = required(f, "url", self.url, |url, f| f.parse("", &url));
        let description = f.parse_option("description", self.description);
        let types = optional(f, "types", self.types, read_types);
        Some(WebhookEndpointDetails { url: url?, description: description?, types: types?.unwrap_or_default() })
    }
}

/// A change of an endpoint: a JSON merge patch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookEndpointChange {
    #[schema(max_length = 2048)]
    url: Option<String>,
    /// Null removes it.
    #[expect(clippy::option_option, reason = "a member that is null is not one that is absent")]
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    description: Option<Option<String>>,
    /// The types of events that are sent; empty for all.
    #[schema(max_items = 200)]
    types: Option<Vec<String>>,
    /// Whether events are sent. An endpoint that is enabled again gets the events since it was disabled.
    enabled: Option<bool>,
    /// With `enabled`: the events since it was disabled are not sent.
    #[serde(default)]
    skip_missed: bool,
}

/// Which events are sent again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookReplay {
    /// Those after this `next_cursor` of `GET /v1/events`. Default: all events of the shop.
    pub(crate) after: Option<String>,
}

impl WebhookEndpointChange {
    pub(crate) fn read(self, f: &mut Findings) -> Read<WebhookEndpointPatch> {
        let url = f.parse_option("url", self.url);
        let description = match self.description {
            Some(given) => f.parse_option("description", given).map(Some),
            None => Some(None),
        };
        let types = optional(f, "types", self.types, read_types);
        let (enabled, skips_missed) = (self.enabled, self.skip_missed);
        if skips_missed && enabled != Some(true) {
            return f.refuse("skip_missed", "invalid", "needs `enabled`: true");
        }
        Some(WebhookEndpointPatch { url: url?, description: description?, types: types?, enabled, skips_missed })
    }
}

fn read_types(types: Vec<String>, f: &mut Findings) -> Read<BTreeSet<EventType>> {
    if types.len() > MAX_TYPES {
        return f.refuse("", "too_many", format_args!("has more than {MAX_TYPES} entries"));
    }
    Some(f.list(types, |name, f| f.parse("", &name))?.into_iter().collect())
}

/// A member that is null is present.
#[expect(clippy::option_option, reason = "a member that is null is not one that is absent")]
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

shape! {
    /// An attempt to deliver an event.
    #[schema(as = Delivery)]
    pub(crate) struct DeliveryShape<'a> from delivery: &'a Delivery {
        id: DeliveryId = delivery.id,
        /// The id of the event, in the header `webhook-id`.
        event_id: EventId = delivery.event_id,
        #[schema(example = "order.paid")]
        event_type: &'a str = &delivery.event_type,
        /// Counts from 1.
        attempt: u32 = delivery.attempt,
        /// When it began.
        at: DateTime<Utc> = delivery.at,
        /// How long it took, in milliseconds.
        took_ms: u64 = delivery.took_ms,
        /// Whether the endpoint confirmed it, with a status from 200 to 299.
        delivered: bool = delivery.outcome.verdict() == DeliveryVerdict::Delivered,
        /// What the endpoint answered.
        status_code: Option<u16> = match delivery.outcome {
            DeliveryOutcome::Answered(status) => Some(status),
            DeliveryOutcome::Failed(_) => None,
        },
        /// Why there was no answer.
        error: Option<DeliveryFailure> = match delivery.outcome {
            DeliveryOutcome::Answered(_) => None,
            DeliveryOutcome::Failed(failure) => Some(failure),
        },
    }
}

/// The event that a test sends, in the form of the others.
#[derive(Debug, Serialize)]
struct TestEvent<'a> {
    specversion: &'static str,
    id: EventId,
    source: &'a str,
    #[serde(rename = "type")]
    event_type: &'static str,
    subject: String,
    time: DateTime<Utc>,
    datacontenttype: &'static str,
    data: TestData,
}

#[derive(Debug, Serialize)]
struct TestData {
    id: WebhookEndpointId,
}

/// The body of a test event.
pub(crate) fn test_event(id: EventId, endpoint: &WebhookEndpoint, time: DateTime<Utc>, source: &str) -> Vec<u8> {
    let event = TestEvent {
        specversion: "1.0",
        id,
        source,
        event_type: TEST_EVENT,
        subject: format!("webhook_endpoint/{}", endpoint.id),
        time,
        datacontenttype: "application/json",
        data: TestData { id: endpoint.id },
    };
    serde_json::to_vec(&event).unwrap_or_default()
}
