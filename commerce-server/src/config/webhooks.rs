//! The settings of webhooks that the shop sends.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use commerce_core::port::WebhookSender;
use commerce_outbound::Network;
use commerce_webhooks::{Config, HttpWebhooks, SigningKeys};
use serde::Deserialize;

use super::{ConfigError, DurationText, Secret, read, refused};

/// The signing keys, separated by line breaks.
pub(super) const SIGNING_KEYS: &str = "COMMERCE_WEBHOOK_SIGNING_KEY";
/// The time for an attempt.
const TIME_OUT: DurationText = DurationText::seconds(10);
/// The longest time for an attempt, in seconds.
const MAX_TIME_OUT: u32 = 30;

/// Webhooks that the shop sends.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Webhooks {
    signing_key_file: Option<PathBuf>,
    allowed_networks: Vec<Network>,
    allow_http: bool,
    ca_file: Option<PathBuf>,
    time_out: Option<DurationText>,
    /// How long webhooks are signed with a secret after it was replaced.
    pub(super) secret_overlap: Option<DurationText>,
    /// How long an endpoint may fail before it is disabled.
    pub(super) give_up_after: Option<DurationText>,
}

impl Webhooks {
    pub(super) fn stand_in(&mut self, directory: &Path) {
        let files = self.signing_key_file.iter_mut().chain(&mut self.ca_file);
        files.for_each(|path| *path = directory.join(&*path));
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.time_out.is_some_and(|time_out| !(1..=MAX_TIME_OUT).contains(&time_out.whole_seconds())) {
            return Err(refused("webhooks.time_out", format!("must be 1s to {MAX_TIME_OUT}s")));
        }
        if self.give_up_after.is_some_and(|span| span.whole_seconds() == 0) {
            return Err(refused("webhooks.give_up_after", "must be at least 1s"));
        }
        Ok(())
    }

    /// The limit of an attempt.
    pub(crate) fn time_out(&self) -> Duration {
        self.time_out.unwrap_or(TIME_OUT).duration()
    }

    /// What sends webhooks. `None` without a signing key. `development` is the key of a shop without any configured key.
    ///
    /// # Errors
    /// A key or a certificate cannot be read or used.
    pub(crate) fn sender(&self, development: Option<&Secret>) -> Result<Option<Arc<dyn WebhookSender>>, ConfigError> {
        let configured = Secret::of(SIGNING_KEYS, self.signing_key_file.as_deref())?;
        let Some(keys) = configured.as_ref().or(development) else { return Ok(None) };
        let keys = SigningKeys::parse(keys.reveal());
        let keys = keys.map_err(|error| refused("webhooks.signing_key_file", error.to_string()))?;
        let usual = Config::new(keys);
        let config = Config {
            allowed_networks: self.allowed_networks.clone(),
            allow_http: self.allow_http,
            authorities: self.ca_file.as_deref().map(read).transpose()?,
            time_out: self.time_out(),
            ..usual
        };
        let sender = HttpWebhooks::new(config).map_err(|error| refused("webhooks", error.to_string()))?;
        Ok(Some(Arc::new(sender)))
    }
}
