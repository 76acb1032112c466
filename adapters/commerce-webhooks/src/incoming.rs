//! Believing webhooks of other systems.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use commerce_core::inbox::{IncomingId, SourceName};
use commerce_core::port::{InboxVerifier, Webhook, WebhookRejection};
use commerce_outbound::signature::Refused;
use commerce_outbound::standard::Signed;
use thiserror::Error;

/// The fewest bytes of a secret, as Standard Webhooks say.
const MIN_SECRET: usize = 24;

/// The secrets with which a source signs. Each is valid. `Debug` does not show them.
#[derive(Clone)]
pub struct IncomingSecrets(Vec<Vec<u8>>);

/// Why the secrets of a source are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum IncomingSecretsError {
    #[error("there is no secret")]
    None,
    #[error("a secret is whsec_ and base64 of at least {MIN_SECRET} bytes")]
    Malformed,
}

impl IncomingSecrets {
    /// Secrets on lines of their own. While one is replaced, there are two. Empty lines are ignored.
    ///
    /// # Errors
    /// [`IncomingSecretsError`].
    pub fn parse(text: &str) -> Result<Self, IncomingSecretsError> {
        let secret = |line: &str| {
            let bytes = line.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok());
            bytes.filter(|bytes| bytes.len() >= MIN_SECRET).ok_or(IncomingSecretsError::Malformed)
        };
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let secrets: Vec<_> = lines.map(secret).collect::<Result<_, _>>()?;
        if secrets.is_empty() { Err(IncomingSecretsError::None) } else { Ok(Self(secrets)) }
    }
}

impl fmt::Debug for IncomingSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IncomingSecrets({})", self.0.len())
    }
}

/// Verifies webhooks by the secrets of their sources.
#[derive(Clone, Debug, Default)]
pub struct Incoming(BTreeMap<SourceName, IncomingSecrets>);

impl Incoming {
    /// Believes what these sources have signed.
    pub const fn new(sources: BTreeMap<SourceName, IncomingSecrets>) -> Self {
        Self(sources)
    }
}

impl InboxVerifier for Incoming {
    fn verify(&self, source: &SourceName, webhook: &Webhook<'_>) -> Result<IncomingId, WebhookRejection> {
        let IncomingSecrets(secrets) = self.0.get(source).ok_or(WebhookRejection::Unsupported)?;
        let header = |name| webhook.header(name).ok_or(WebhookRejection::Forged);
        let signed = Signed {
            id: header("webhook-id")?,
            timestamp: header("webhook-timestamp")?,
            signatures: header("webhook-signature")?,
        };
        let secrets = secrets.iter().map(Vec::as_slice);
        signed.check(secrets, webhook.body, webhook.at.timestamp()).map_err(|refused| match refused {
            Refused::Forged => WebhookRejection::Forged,
            Refused::Stale { age_seconds } => WebhookRejection::Stale { age_seconds },
        })?;
        signed.id.parse().map_err(|_| {
            let detail = "webhook-id must have 1 to 127 characters";
            detail.parse().map_or(WebhookRejection::Forged, WebhookRejection::Malformed)
        })
    }
}
