//! The commerce engine over HTTP: a tower service.
//!
//! [`Service`] takes any request and answers it. Mount it into a program of your own; the program `commerce` of the crate
//! `commerce-server` puts it on a socket.
//!
//! # Where things are
//! | to find | look in |
//! |---|---|
//! | what a route does | `routes`: the table, and a file of handlers per noun of the URL |
//! | what a document looks like | `dto`: a file per noun |
//! | what an error looks like, and its code | `problem`, `refusal` |
//! | who may ask | [`auth`]; what they may do is the engine's to say |
//! | retries, versions, lists in parts | `idempotency`, `precondition`, `page` |
//! | what happens to every request | `service` |
//!
//! # What this crate never does
//! * It decides nothing: roles, ownership, prices and transitions are the engine's. It reads, asks, and writes.
//! * It knows no SQL and no table; the store is a port.
//! * It tells no caller what went wrong inside, and writes no body, token or key to the log.

mod answer;
mod app;
pub mod auth;
mod body;
mod call;
mod compress;
pub mod dto;
mod idempotency;
mod json;
mod openapi;
mod options;
mod page;
mod precondition;
mod problem;
mod query;
mod quota;
mod refusal;
mod request_id;
mod route;
mod routes;
mod service;
pub mod telemetry;

pub use self::openapi::openapi;
pub use self::options::Options;
pub use self::service::Service;
