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
//! | calls to other services | `outbound`, [`users`] |
//! | the import of products | [`import`] |
//!
//! # What this crate never does
//! * It has no route and no rule: what a request means is for `commerce-http` and the engine to say.
//! * It shows no secret: neither in an error nor in a log line nor in `Debug`.

pub mod cli;
mod config;
mod development_key;
pub mod import;
mod keyring;
pub mod listener;
mod metrics_page;
mod outbound;
pub mod users;
