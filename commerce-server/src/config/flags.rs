//! The settings as flags of a command line.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;

use clap::Args;
use commerce_core::money::{Currency, MoneyError};

use super::{DurationText, LogFormat, LogLevel, Secret};

/// Settings. A flag goes before its variable of the environment, that before the file, that before what is built in.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// A TOML file with settings.
    #[arg(long, global = true, value_name = "FILE", env = "COMMERCE_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// Where everything is kept: sqlite:PATH, postgres://… or mysql://… [default: sqlite:commerce.db].
    ///
    /// A server is written as `postgres://USER:PASSWORD@HOST:PORT/NAME` or `mysql://USER:PASSWORD@HOST:PORT/NAME`. Flags are
    /// seen by everyone on the machine: a password is better given in the variable, or in the file.
    #[arg(long, global = true, value_name = "URL", env = "COMMERCE_DATABASE", hide_env_values = true)]
    pub(crate) database: Option<Secret>,

    /// Where to listen [default: 127.0.0.1:8080].
    #[arg(long, global = true, value_name = "ADDR:PORT", env = "COMMERCE_LISTEN", value_parser = listen_address)]
    pub(crate) listen: Option<SocketAddr>,

    /// Where to show metrics, apart from the shop [default: /metrics of the shop].
    #[arg(long, global = true, value_name = "ADDR:PORT", env = "COMMERCE_METRICS_LISTEN", value_parser = listen_address)]
    pub(crate) metrics_listen: Option<SocketAddr>,

    /// The currency of the shop [default: that of its products, or of the first import; USD while there is none].
    #[arg(long, global = true, value_name = "CODE", env = "COMMERCE_CURRENCY", value_parser = currency)]
    pub(crate) currency: Option<Currency>,

    /// The life of an order: standard, placed, production, confirmed, simple, or a TOML file [default: standard].
    #[arg(long, global = true, value_name = "NAME|FILE", env = "COMMERCE_LIFECYCLE")]
    pub(crate) lifecycle: Option<String>,

    /// Orders a customer may place in a minute, 0 for any number [default: 120].
    #[arg(long, global = true, value_name = "N", env = "COMMERCE_ORDERS_PER_MINUTE")]
    pub(crate) orders_per_minute: Option<u32>,

    /// The most connections of clients at once; further ones wait [default: 10000].
    #[arg(long, global = true, value_name = "N", env = "COMMERCE_MAX_CONNECTIONS")]
    pub(crate) max_connections: Option<NonZeroU32>,

    /// The users service, asked as `GET URL/api/v1/users/{id}` with the token in `COMMERCE_USERS_TOKEN`
    /// [default: every authenticated user exists].
    #[arg(long, global = true, value_name = "URL", env = "COMMERCE_USERS_URL")]
    pub(crate) users_url: Option<String>,

    /// How log lines are written [default: text on a terminal, JSON elsewhere].
    #[arg(long, global = true, value_enum, value_name = "FORMAT", env = "COMMERCE_LOG_FORMAT")]
    pub(crate) log_format: Option<LogFormat>,

    /// What is logged: error, warn, info, debug, trace, or by module: `info,commerce_http=debug` [default: info].
    #[arg(long, global = true, value_name = "LEVEL", env = "COMMERCE_LOG_LEVEL")]
    pub(crate) log_level: Option<LogLevel>,

    #[command(flatten)]
    pub(crate) connections: DatabaseFlags,

    #[command(flatten)]
    pub(crate) keys: KeyFlags,
}

/// How a database behind a network is used.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connections to PostgreSQL or MySQL")]
pub(crate) struct DatabaseFlags {
    /// Of the connections that a process holds, how many write [default: 2].
    #[arg(long = "database-writers", global = true, value_name = "N", env = "COMMERCE_DATABASE_WRITERS")]
    pub(crate) writers: Option<NonZeroU16>,

    /// Of the connections that a process holds, how many read [default: 8].
    #[arg(long = "database-readers", global = true, value_name = "N", env = "COMMERCE_DATABASE_READERS")]
    pub(crate) readers: Option<NonZeroU16>,

    /// How long it may take to connect [default: 5s].
    #[arg(
        long = "database-connect-timeout",
        global = true,
        value_name = "SPAN",
        env = "COMMERCE_DATABASE_CONNECT_TIMEOUT"
    )]
    pub(crate) connect_timeout: Option<DurationText>,

    /// How long the database may take for one statement [default: 10s].
    #[arg(
        long = "database-statement-timeout",
        global = true,
        value_name = "SPAN",
        env = "COMMERCE_DATABASE_STATEMENT_TIMEOUT"
    )]
    pub(crate) statement_timeout: Option<DurationText>,
}

/// Whose tokens are believed. One of these in flags or environment replaces the keys of the file.
#[derive(Debug, Args)]
#[command(next_help_heading = "Keys")]
pub(crate) struct KeyFlags {
    /// A file with the secret of HS256 tokens, at least 32 bytes.
    #[arg(long, global = true, value_name = "FILE", env = "COMMERCE_HS256_FILE")]
    pub(crate) hs256_file: Option<PathBuf>,

    /// A file with a public key for RS256, ES256 or `EdDSA` tokens; may be given several times.
    #[arg(long, global = true, value_name = "FILE", env = "COMMERCE_PEM_FILE", value_delimiter = ',')]
    pub(crate) pem_file: Vec<PathBuf>,

    /// A JWKS file.
    #[arg(long, global = true, value_name = "FILE", env = "COMMERCE_JWKS_FILE")]
    pub(crate) jwks_file: Option<PathBuf>,

    /// Where to fetch a JWKS document, now and then again.
    #[arg(long, global = true, value_name = "URL", env = "COMMERCE_JWKS_URL")]
    pub(crate) jwks_url: Option<String>,

    /// Who must have issued a token (`iss`).
    #[arg(long, global = true, value_name = "TEXT", env = "COMMERCE_ISSUER")]
    pub(crate) issuer: Option<String>,

    /// For whom a token must be (`aud`).
    #[arg(long, global = true, value_name = "TEXT", env = "COMMERCE_AUDIENCE")]
    pub(crate) audience: Option<String>,
}

impl KeyFlags {
    /// Whether a key is named here.
    pub(crate) const fn name_keys(&self) -> bool {
        let file = self.hs256_file.is_some() || !self.pem_file.is_empty();
        file || self.jwks_file.is_some() || self.jwks_url.is_some()
    }
}

fn listen_address(text: &str) -> Result<SocketAddr, &'static str> {
    let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    let local = local.map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    text.parse().ok().or(local).ok_or("an address and a port, such as 127.0.0.1:8080")
}

fn currency(text: &str) -> Result<Currency, MoneyError> {
    text.to_ascii_uppercase().parse()
}

/// A command line of settings alone.
#[cfg(test)]
pub(super) fn command() -> clap::Command {
    Flags::augment_args(clap::Command::new("commerce").no_binary_name(true))
}
