//! Believing events of other systems.

use core::fmt;

use super::{Webhook, WebhookRejection};
use crate::inbox::{IncomingId, SourceName};

/// Verifies webhooks of other systems.
pub trait InboxVerifier: Send + Sync + fmt::Debug {
    /// The id of a webhook that its source has signed. It is pure: equal input gives an equal result.
    ///
    /// # Errors
    /// [`WebhookRejection`]; nothing in the body may be believed then. [`WebhookRejection::Unsupported`] if the source sends none.
    fn verify(&self, source: &SourceName, webhook: &Webhook<'_>) -> Result<IncomingId, WebhookRejection>;
}
