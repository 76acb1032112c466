use commerce_core::inbox::{IncomingId, SourceName};
use commerce_core::port::{InboxVerifier, Webhook, WebhookRejection};

/// How long before or after a webhook its time may be, in seconds.
const TOLERANCE: i64 = 300;

/// Believes webhooks whose header `webhook-signature` is that of their source: `v1,NAME`.
#[derive(Clone, Copy, Debug, Default)]
pub struct FakeInbox;

impl InboxVerifier for FakeInbox {
    fn verify(&self, source: &SourceName, webhook: &Webhook<'_>) -> Result<IncomingId, WebhookRejection> {
        if webhook.header("webhook-signature") != Some(&*format!("v1,{source}")) {
            return Err(WebhookRejection::Forged);
        }
        let time = webhook.header("webhook-timestamp").and_then(|time| time.parse::<i64>().ok());
        let age_seconds = webhook.at.timestamp().saturating_sub(time.ok_or(WebhookRejection::Forged)?);
        if age_seconds.saturating_abs() > TOLERANCE {
            return Err(WebhookRejection::Stale { age_seconds });
        }
        let id = webhook.header("webhook-id").and_then(|id| id.parse().ok());
        id.ok_or(WebhookRejection::Forged)
    }
}
