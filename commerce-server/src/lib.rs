//! The program `commerce`: the HTTP API of `commerce-http` on a database and a socket.
//!
//! # Where things are
//! | to find | look in |
//! |---|---|
//! | a command or a flag | [`cli`]: a file per command |
//! | a setting, its file and its variable | `config` |
//! | the accept loop and its limits | [`listener`] |
//! | what runs in the background | `cli::workers` |
//! | which keys sign tokens | `keyring`, `development_key` |
//! | calls to other services | [`users`], [`service_token`], `commerce-outbound` |
//! | the import of products | [`import`] |
//!
//! # Invariants
//! * This crate has no routes and no rules; they are in `commerce-http` and the engine.
//! * Errors, log lines and `Debug` contain no secret.

pub mod cli;
mod config;
mod development_key;
pub mod import;
mod keyring;
pub mod listener;
mod metrics_page;
mod plural;
pub mod service_token;
pub mod users;

#[cfg(test)]
#[path = "../tests/unit/fuzz.rs"]
mod fuzz;
