//! The commerce engine over HTTP: a tower service.
//!
//! [`Service`] answers any request. Mount it into your own program, or use the program `commerce` of the crate
//! `commerce-server`.
//!
//! # Where things are
//! | to find | look in |
//! |---|---|
//! | what a route does | `routes`: the table, and a file of handlers per noun |
//! | the form of a document | `dto`: a file per noun |
//! | the form and the code of an error | `problem`, `refusal` |
//! | authentication | [`auth`] (permissions are in the engine) |
//! | idempotency, conditional writes, pages of lists | `idempotency`, `precondition`, `page` |
//! | the outer form of the API that a shop may have | [`contract`] |
//! | the processing of every request | `service` |
//!
//! # Invariants
//! * It decides nothing: roles, ownership, prices and transitions are the engine's. It parses requests, calls the engine and
//!   formats answers.
//! * It contains no SQL; the store is a port.
//! * It does not expose internal errors to callers, and does not log bodies, tokens or keys.

mod answer;
mod app;
mod asyncapi;
pub mod auth;
mod body;
mod call;
mod compress;
pub mod contract;
pub mod cors;
mod drain;
pub mod dto;
mod idempotency;
mod json;
mod memory;
mod openapi;
mod options;
mod page;
mod precondition;
mod problem;
mod process_limits;
mod query;
mod quota;
mod readers;
mod refusal;
mod request_id;
mod response_body;
mod route;
mod routes;
mod service;
pub mod telemetry;
mod transport;
mod turns;

pub use self::asyncapi::asyncapi;
pub use self::drain::Drain;
pub use self::idempotency::is_of_carts;
pub use self::memory::Budget;
pub use self::openapi::openapi;
pub use self::options::Options;
pub use self::process_limits::ProcessLimits;
pub use self::quota::ClientAddress;
pub use self::response_body::ResponseBody;
pub use self::service::Service;
pub use self::transport::{Malformed, unreadable};
pub use commerce_trace::RequestTraces;
