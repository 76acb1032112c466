//! Limits in the memory of a process keep the contract of a rate limiter.

use std::future::{Ready, ready};
use std::sync::Arc;

use async_trait::async_trait;
use commerce_core::port::RateLimiter;
use commerce_http::ProcessLimits;
use commerce_testkit::suite::rate_limiter::Fixture;

struct OneProcess(Arc<ProcessLimits>);

#[async_trait]
impl Fixture for OneProcess {
    async fn limiter(&self) -> Arc<dyn RateLimiter> {
        self.0.clone()
    }
}

fn start() -> Ready<OneProcess> {
    ready(OneProcess(Arc::default()))
}

commerce_testkit::rate_limiter_suite!(start);
