//! Tests of the contracts of the ports, for the doubles and all adapters.

pub mod deliveries;
pub mod processor;
pub mod publisher;
pub mod rate_limiter;
pub mod store;
pub mod subscription;
pub mod targets;

use std::fmt;
use std::pin::Pin;

/// A test of a contract, for programs that run tests themselves.
pub struct Case<F> {
    /// `store::commits::what_is_committed_is_read`.
    pub name: &'static str,
    /// Runs it on a fixture, on one thread. It fails by panicking.
    pub run: fn(F) -> Pin<Box<dyn Future<Output = ()>>>,
}

impl<F> fmt::Debug for Case<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).finish_non_exhaustive()
    }
}
