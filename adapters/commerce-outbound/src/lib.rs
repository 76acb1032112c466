//! Internal: calls of commerce to other services over HTTP or HTTPS, and signatures of webhooks.
//!
//! # Invariants
//! * Every call has a limit of time and of size.
//! * Errors and `Debug` contain no token, no secret, no key and no body.

mod client;
mod network;
mod service;
pub mod signature;
pub mod standard;
pub mod tls;

pub use self::client::{Answer, Outbound, OutboundError};
pub use self::network::{Network, ParseNetworkError};
pub use self::service::{Service, ServiceError, is_protected};
