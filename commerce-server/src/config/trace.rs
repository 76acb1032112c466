//! Where spans are sent.

use std::path::{Path, PathBuf};

use clap::Args;
use commerce_otlp::{Exporter, Queue, TIME_OUT};
use commerce_outbound::tls::Tls;
use commerce_outbound::{Outbound, Service, is_protected};
use serde::Deserialize;

use super::{ConfigError, Secret, refused};

/// A token that the collector wants. It has no flag, because flags are visible to all users of the machine.
pub(super) const TOKEN: &str = "COMMERCE_OTLP_TOKEN";
const SERVICE_NAME: &str = "commerce";
const MAX_NAME: usize = 100;

/// Traces.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Trace {
    /// The collector of OpenTelemetry that gets spans, by OTLP over HTTP as `POST URL/v1/traces` [default: none].
    #[arg(long = "otlp-url", id = "otlp_url", global = true, value_name = "URL", env = "COMMERCE_OTLP_URL")]
    otlp: Option<String>,
    #[arg(skip)]
    token_file: Option<PathBuf>,
    #[arg(skip)]
    service_name: Option<String>,
}

impl Trace {
    pub(super) fn stand_in(&mut self, directory: &Path) {
        self.token_file.iter_mut().for_each(|path| *path = directory.join(&*path));
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.url().is_none() && (self.token_file.is_some() || self.service_name.is_some()) {
            return Err(refused("trace", "token_file and service_name need otlp"));
        }
        if self.service_name.as_ref().is_some_and(|name| name.is_empty() || name.len() > MAX_NAME) {
            return Err(refused("trace.service_name", format!("must have 1 to {MAX_NAME} bytes")));
        }
        Ok(())
    }

    fn url(&self) -> Option<&str> {
        self.otlp.as_deref().filter(|url| !url.is_empty())
    }

    /// What sends spans, and what takes them, if there is a collector.
    ///
    /// # Errors
    /// The address or the token cannot be used.
    pub(crate) fn exporter(&self, tls: Option<&Tls>) -> Result<Option<(Exporter, Queue)>, ConfigError> {
        let Some(url) = self.url() else { return Ok(None) };
        let token = Secret::of(TOKEN, self.token_file.as_deref())?;
        if token.is_some() && !is_protected(url) {
            return Err(refused("trace.otlp", "a token is sent by https:// only, or to this machine"));
        }
        let refused = |error: &dyn std::fmt::Display| refused("trace.otlp", error.to_string());
        let client = tls.map_or_else(|| Outbound::new(TIME_OUT), |tls| Ok(Outbound::with_tls(tls, TIME_OUT)));
        let client = client.map_err(|error| refused(&error))?;
        let service =
            Service::over(client, url, token.as_ref().map(Secret::reveal)).map_err(|error| refused(&error))?;
        let name = self.service_name.clone().unwrap_or_else(|| SERVICE_NAME.to_owned());
        Exporter::new(service, name).map(Some).map_err(|error| refused(&error))
    }
}
