//! Tests of the contracts of the ports, for the doubles and all adapters.

pub mod deliveries;
pub mod processor;
pub mod publisher;
pub mod rate_limiter;
pub mod store;
pub mod subscription;
pub mod targets;
