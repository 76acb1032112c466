//! The options of the service.

use std::sync::Arc;
use std::time::Duration;

use commerce_core::port::RateLimiter;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::auth::Auth;
use crate::contract::Contract;
use crate::cors::Cors;
use crate::drain::Drain;
use crate::dto::event::DEFAULT_SOURCE;
use crate::process_limits::ProcessLimits;

/// The options of the service.
#[derive(Clone, Debug)]
pub struct Options {
    /// The keys and claims that tokens are checked with.
    pub auth: Auth,
    /// The maximum number of orders per customer and minute; 0 for no limit. Admins and services are exempt.
    pub orders_per_minute: u32,
    /// The maximum number of promotion codes that do not apply per customer and minute; 0 for no limit. Admins and services
    /// are exempt.
    pub codes_per_minute: u32,
    /// The maximum number of invalid tokens per [client](crate::ClientAddress) and minute, and of webhooks with an invalid signature; 0
    /// for no limit.
    pub bad_tokens_per_minute: u32,
    /// Counts for these three limits.
    pub limiter: Arc<dyn RateLimiter>,
    /// The metrics of [`telemetry::install`](crate::telemetry::install). Without them, `/metrics` is not found, for example
    /// because they are served on another listener.
    pub metrics: Option<PrometheusHandle>,
    /// The time-out for receiving a body.
    pub body_timeout: Duration,
    /// The time-out of a handler.
    pub handler_timeout: Duration,
    /// The `source` of events: a URI that identifies the shop.
    pub event_source: String,
    /// Ends requests that wait for events.
    pub drain: Drain,
    /// The outer form of the API. Without one it is that of the `OpenAPI` document.
    pub contract: Option<Contract>,
    /// Which pages of other origins may call the API. `None`: browsers refuse all.
    pub cors: Option<Cors>,
}

impl Options {
    /// 120 orders, 30 futile codes and 120 invalid tokens a minute, counted by this process, no metrics, ten seconds for a body and ten for a handler.
    pub fn new(auth: Auth) -> Self {
        Self {
            auth,
            orders_per_minute: 120,
            codes_per_minute: 30,
            bad_tokens_per_minute: 120,
            limiter: Arc::new(ProcessLimits::default()),
            metrics: None,
            body_timeout: Duration::from_secs(10),
            handler_timeout: Duration::from_secs(10),
            event_source: DEFAULT_SOURCE.to_owned(),
            drain: Drain::default(),
            contract: None,
            cors: None,
        }
    }
}
