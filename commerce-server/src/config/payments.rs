//! The payment processor setting.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use commerce_core::payment::CaptureMode;
use commerce_core::port::Processor;
use commerce_core::settings::ExpiringHold;
use commerce_outbound::signature::Secrets;
use commerce_remote::{Remote, RemoteConfig};
use commerce_stripe::{Stripe, StripeConfig};
use serde::Deserialize;

use super::{ConfigError, DurationText, Outgoing, Secret, refused};

/// The secret key of Stripe, or the token of the payment service. It has no flag, because flags are visible to all users of the
/// machine.
pub(super) const KEY: &str = "COMMERCE_PROCESSOR_KEY";
/// The secrets of webhooks, separated by commas.
pub(super) const WEBHOOK_SECRETS: &str = "COMMERCE_WEBHOOK_SECRETS";

/// Payment processors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    /// Decides by the token and moves no money.
    #[default]
    Sandbox,
    /// Stripe.
    Stripe,
    /// A payment service of the house.
    Remote,
}

/// When the money of a payment is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Capture {
    Automatic,
    Manual,
}

impl From<Capture> for CaptureMode {
    fn from(capture: Capture) -> Self {
        match capture {
            Capture::Automatic => Self::Automatic,
            Capture::Manual => Self::Manual,
        }
    }
}

/// The payment processor. Secrets are in `COMMERCE_PROCESSOR_KEY` and `COMMERCE_WEBHOOK_SECRETS`, or in files.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Payments {
    /// The payment processor, with its key or token in `COMMERCE_PROCESSOR_KEY` [default: sandbox].
    #[arg(long, global = true, value_name = "NAME", env = "COMMERCE_PROCESSOR")]
    processor: Option<Name>,
    /// The payment service of `--processor remote`; see docs/remote-payments.md.
    #[arg(
        long = "processor-url",
        id = "processor_url",
        global = true,
        value_name = "URL",
        env = "COMMERCE_PROCESSOR_URL"
    )]
    url: Option<String>,
    /// When money is taken: `automatic`, when the customer pays; `manual`, when the goods are shipped [default: automatic].
    #[arg(long, global = true, value_name = "WHEN", env = "COMMERCE_CAPTURE")]
    pub(super) capture: Option<Capture>,
    #[arg(skip)]
    pub(super) expiring_hold: ExpiringHold,
    #[arg(skip)]
    key_file: Option<PathBuf>,
    #[arg(skip)]
    webhook_secrets_file: Option<PathBuf>,
    #[arg(skip)]
    account: Option<String>,
    #[arg(skip)]
    return_url: Option<String>,
    #[arg(skip)]
    time_out: Option<DurationText>,
    /// How long after its end the reservation of an unpaid order can be extended because the processor cannot be reached.
    #[arg(skip)]
    pub(super) outage_grace: Option<DurationText>,
    #[arg(skip)]
    pull_interval: Option<DurationText>,
}

/// How often a processor that sends webhooks is asked for events that were missed, and how often the sandbox, which sends none.
const PULL: DurationText = DurationText::seconds(3600);
const PULL_SANDBOX: DurationText = DurationText::seconds(1);

impl Payments {
    pub(super) fn stand_in(&mut self, directory: &Path) {
        let files = self.key_file.iter_mut().chain(&mut self.webhook_secrets_file);
        files.for_each(|path| *path = directory.join(&*path));
    }

    /// Refuses settings that the processor does not use. A shop with a key of Stripe must not pay its orders in the sandbox.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let name = self.processor.unwrap_or_default();
        if self.pull_interval.is_some_and(|interval| interval.whole_seconds() == 0) {
            return Err(refused("payments.pull_interval", "must be at least 1s"));
        }
        let (calls, is_stripe) = (name != Name::Sandbox, name == Name::Stripe);
        let is_set = |variable| env::var_os(variable).is_some_and(|value| !value.is_empty());
        let used = [
            ("payments.url, --processor-url", self.url.is_some(), calls),
            ("payments.key_file", self.key_file.is_some(), calls),
            (KEY, is_set(KEY), calls),
            ("payments.webhook_secrets_file", self.webhook_secrets_file.is_some(), calls),
            (WEBHOOK_SECRETS, is_set(WEBHOOK_SECRETS), calls),
            ("payments.account", self.account.is_some(), calls),
            ("payments.return_url", self.return_url.is_some(), is_stripe),
            ("payments.time_out", self.time_out.is_some(), calls),
        ];
        match used.into_iter().find(|(_, is_set, is_used)| *is_set && !is_used) {
            Some((key, ..)) if calls => Err(refused(key, "only --processor stripe uses it")),
            Some((key, ..)) => Err(refused(key, "the sandbox does not use it; choose --processor stripe or remote")),
            None => Ok(()),
        }
    }

    /// The interval between two readings of the processor's list of events.
    pub(crate) fn pull_interval(&self) -> Duration {
        let usual = if self.processor.unwrap_or_default() == Name::Sandbox { PULL_SANDBOX } else { PULL };
        self.pull_interval.unwrap_or(usual).duration()
    }

    /// The processor. `None` for the sandbox.
    ///
    /// # Errors
    /// A secret cannot be read, or a setting is missing or invalid.
    pub(crate) fn processor(&self, outgoing: &Outgoing) -> Result<Option<Arc<dyn Processor>>, ConfigError> {
        match self.processor.unwrap_or_default() {
            Name::Sandbox => Ok(None),
            Name::Stripe => Ok(Some(Arc::new(self.stripe()?))),
            Name::Remote => Ok(Some(Arc::new(self.remote(outgoing)?))),
        }
    }

    fn stripe(&self) -> Result<Stripe, ConfigError> {
        let key = Secret::of(KEY, self.key_file.as_deref())?;
        let key = key.ok_or_else(|| refused("payments.key_file", format!("Stripe needs a key there or in {KEY}")))?;
        let usual = StripeConfig::new(key.reveal().to_owned());
        let config = StripeConfig {
            webhook_secrets: self.webhook_secrets()?,
            account: self.account.clone(),
            return_url: self.return_url.clone(),
            base: self.url.clone().unwrap_or(usual.base),
            time_out: self.time_out.map_or(usual.time_out, DurationText::duration),
            ..usual
        };
        Stripe::new(config).map_err(|error| refused("payments", error.to_string()))
    }

    fn remote(&self, outgoing: &Outgoing) -> Result<Remote, ConfigError> {
        let url = self.url.clone().filter(|url| !url.is_empty());
        let url =
            url.ok_or_else(|| refused("payments.url, --processor-url", "the payment service needs an address"))?;
        let usual = RemoteConfig::new(url);
        let token = Secret::of(KEY, self.key_file.as_deref())?;
        let config = RemoteConfig {
            token: token.map(|token| token.reveal().to_owned()),
            webhook_secrets: self.webhook_secrets()?,
            account: self.account.clone(),
            time_out: self.time_out.map_or(usual.time_out, DurationText::duration),
            tls: outgoing.tls()?,
            ..usual
        };
        Remote::new(config).map_err(|error| refused("payments", error.to_string()))
    }

    fn webhook_secrets(&self) -> Result<Secrets, ConfigError> {
        let secrets = Secret::of(WEBHOOK_SECRETS, self.webhook_secrets_file.as_deref())?;
        Ok(secrets.map(|secrets| Secrets::parse(secrets.reveal())).unwrap_or_default())
    }
}
