//! How the service behaves.

use std::fmt;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;

use crate::auth::Auth;

/// How the service behaves.
#[derive(Clone)]
pub struct Options {
    /// Who is let in.
    pub auth: Auth,
    /// How many orders a customer may place in a minute; 0 for any number. Admins and services are exempt.
    pub orders_per_minute: u32,
    /// Where the metrics are read that [`telemetry::install`](crate::telemetry::install) keeps. Without it `/metrics` is
    /// not found, as is right where they are served on a listener of their own.
    pub metrics: Option<PrometheusHandle>,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long a handler may take.
    pub handler_timeout: Duration,
}

impl Options {
    /// 120 orders a minute, no metrics, ten seconds for a body and ten for a handler.
    pub const fn new(auth: Auth) -> Self {
        Self {
            auth,
            orders_per_minute: 120,
            metrics: None,
            body_timeout: Duration::from_secs(10),
            handler_timeout: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("auth", &self.auth)
            .field("orders_per_minute", &self.orders_per_minute)
            .field("metrics", &self.metrics.is_some())
            .field("body_timeout", &self.body_timeout)
            .field("handler_timeout", &self.handler_timeout)
            .finish()
    }
}
