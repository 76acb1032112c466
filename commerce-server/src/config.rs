//! The settings of an operator: flags override environment variables, which override a TOML file, which overrides defaults.
//!
//! # Invariants
//! * An unknown key is refused with its position.
//! * Errors and `Debug` contain no secret.

mod broker;
mod clients;
mod connections;
mod consume;
mod cors;
mod database;
mod keys;
mod lifecycle;
mod logs;
mod outgoing;
mod payments;
mod publish;
mod redis;
mod shop;
mod span;
mod trace;
mod users;
mod webhooks;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{ArgMatches, Args, FromArgMatches};
use commerce_core::money::{Amount, Currency, MoneyError, Rounding};
use commerce_core::order::LifecycleError;
use commerce_core::pricing::TaxLevel;
use commerce_core::text::BoundedString;
use commerce_http::contract::{Contract, ContractError, ContractSettings};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use self::clients::ClientLimits;
use self::connections::Connections;
use self::consume::Consume;
pub(crate) use self::cors::CorsSection;
pub(crate) use self::database::{Database, DatabaseRefused};
pub(crate) use self::keys::{Keys, Secret};
use self::lifecycle::{LifecycleChoice, Windows};
pub(crate) use self::logs::{LogFormat, LogLevel};
pub(crate) use self::outgoing::{ClientCertificates, TlsFiles};
use self::outgoing::{Outgoing, TlsSection};
use self::payments::Payments;
use self::publish::Publish;
use self::redis::RedisSection;
use self::shop::{Checked, ShippingSection};
pub(crate) use self::span::DurationText;
use self::trace::Trace;
pub(crate) use self::users::UsersService;
use self::webhooks::Webhooks;

const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    #[error("{}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: line {line}, column {column}: {problem}", path.display())]
    Malformed { path: PathBuf, line: usize, column: usize, problem: String },
    #[error("--database, COMMERCE_DATABASE: {0}")]
    Database(#[from] DatabaseRefused),
    #[error("{key}: {problem}")]
    Value { key: &'static str, problem: String },
    #[error("the fee of shipping method {method}: {source}")]
    Fee { method: String, source: MoneyError },
    #[error("lifecycle: {0}")]
    Lifecycle(#[from] LifecycleError),
    #[error("api.{0}")]
    Contract(#[from] ContractError),
    /// The setting would expose the shop to others.
    #[error("unsafe: {0}")]
    Unsafe(String),
}

/// Settings. A flag overrides its environment variable, the variable overrides the file, and the file overrides the default.
///
/// Settings without a flag are in the file only; see `shop.example.toml`.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// A TOML file with settings.
    #[arg(long = "config", id = "config", global = true, value_name = "FILE", env = "COMMERCE_CONFIG")]
    #[serde(skip)]
    file: Option<PathBuf>,

    /// The database: sqlite:PATH, postgres://… or mysql://… [default: sqlite:commerce.db].
    ///
    /// A server is written as `postgres://USER:PASSWORD@HOST:PORT/NAME` or `mysql://USER:PASSWORD@HOST:PORT/NAME`. Flags are
    /// visible to all users of the machine: put a password into the variable or the file.
    #[arg(long = "database", global = true, value_name = "URL", env = "COMMERCE_DATABASE", hide_env_values = true)]
    #[serde(skip)]
    database_flag: Option<Secret>,
    #[arg(skip)]
    pub(crate) database: Database,

    /// The address to listen on [default: 127.0.0.1:8080].
    #[arg(long, global = true, value_name = "ADDR:PORT", env = "COMMERCE_LISTEN", value_parser = listen_address)]
    listen: Option<SocketAddr>,

    /// A separate address for /metrics, /healthz and /readyz, which clients of the shop cannot fill [default: those of the
    /// shop].
    #[arg(long, global = true, value_name = "ADDR:PORT", env = "COMMERCE_METRICS_LISTEN", value_parser = listen_address)]
    pub(crate) metrics_listen: Option<SocketAddr>,

    /// The currency of the shop [default: that of the products or of the first import, before that USD].
    #[arg(long, global = true, value_name = "CODE", env = "COMMERCE_CURRENCY", value_parser = currency)]
    pub(crate) currency: Option<Currency>,

    /// The lifecycle of orders: standard, placed, production, confirmed, simple, or a TOML file [default: standard].
    #[arg(long, global = true, value_name = "NAME|FILE", env = "COMMERCE_LIFECYCLE")]
    lifecycle: Option<LifecycleChoice>,

    /// The maximum number of orders per customer and minute, 0 for no limit [default: 120].
    #[arg(long, global = true, value_name = "N", value_parser = whole::<u32>, env = "COMMERCE_ORDERS_PER_MINUTE")]
    pub(crate) orders_per_minute: Option<u32>,

    /// The maximum number of promotion codes that do not apply per customer and minute, 0 for no limit [default: 30].
    #[arg(long, global = true, value_name = "N", value_parser = whole::<u32>, env = "COMMERCE_CODES_PER_MINUTE")]
    pub(crate) codes_per_minute: Option<u32>,

    /// The maximum number of invalid tokens per client address and minute, 0 for no limit [default: 120].
    #[arg(long, global = true, value_name = "N", env = "COMMERCE_BAD_TOKENS_PER_MINUTE")]
    pub(crate) bad_tokens_per_minute: Option<u32>,

    /// The maximum number of unpaid orders of a customer that reserve stock, 0 for no limit [default: 10].
    #[arg(long, global = true, value_name = "N", env = "COMMERCE_UNPAID_ORDERS")]
    unpaid_orders: Option<u32>,

    /// The maximum number of units that the unpaid orders of a customer reserve, 0 for no limit [default: 500].
    #[arg(long, global = true, value_name = "N", env = "COMMERCE_UNPAID_UNITS")]
    unpaid_units: Option<u32>,

    /// The maximum number of declined payments of an order, 0 for no limit [default: 20].
    #[arg(long, global = true, value_name = "N", env = "COMMERCE_DECLINED_PAYMENTS")]
    declined_payments: Option<u32>,

    /// The maximum number of client connections; further ones wait [default: 10000].
    #[arg(long, global = true, value_name = "N", value_parser = whole::<NonZeroU32>, env = "COMMERCE_MAX_CONNECTIONS")]
    pub(crate) max_connections: Option<NonZeroU32>,

    #[command(flatten)]
    pub(crate) users: UsersService,

    #[command(flatten)]
    pub(crate) payments: Payments,

    #[arg(skip)]
    pub(crate) webhooks: Webhooks,

    #[command(flatten)]
    pub(crate) clients: ClientLimits,

    /// The format of log lines [default: text on a terminal, otherwise JSON].
    #[arg(long, global = true, value_enum, value_name = "FORMAT", env = "COMMERCE_LOG_FORMAT")]
    pub(crate) log_format: Option<LogFormat>,

    /// The log level: error, warn, info, debug, trace, or by module: `info,commerce_http=debug` [default: info].
    #[arg(long, global = true, value_name = "LEVEL", env = "COMMERCE_LOG_LEVEL")]
    pub(crate) log_level: Option<LogLevel>,

    #[command(flatten)]
    pub(crate) trace: Trace,

    #[command(flatten)]
    pub(crate) connections: Connections,

    #[command(flatten)]
    pub(crate) keys: Keys,

    #[arg(skip)]
    pub(crate) cors: Option<CorsSection>,
    #[arg(skip)]
    pub(crate) outgoing: Outgoing,
    #[arg(skip)]
    pub(crate) tls: TlsSection,
    #[arg(skip)]
    pub(crate) publish: Publish,
    #[arg(skip)]
    pub(crate) consume: Consume,
    #[arg(skip)]
    pub(crate) redis: RedisSection,
    #[arg(skip)]
    api: Option<ContractSettings>,
    #[arg(skip)]
    former_lifecycles: Vec<LifecycleChoice>,
    #[arg(skip)]
    windows: Windows,
    #[arg(skip)]
    shipping_methods: Option<Vec<ShippingSection>>,
    #[arg(skip)]
    prices_include_tax: bool,
    #[arg(skip)]
    tax_level: TaxLevel,
    #[arg(skip)]
    tax_rates: BTreeMap<Checked<BoundedString<64>>, Amount>,
    #[arg(skip)]
    rounding: Rounding,
    #[arg(skip)]
    reservation: Option<DurationText>,
    #[arg(skip)]
    cart_lifetime: Option<DurationText>,
    #[arg(skip)]
    idempotency_retention: Option<DurationText>,
}

impl Config {
    /// Reads the configuration file, and applies the settings of the command line over it.
    ///
    /// # Errors
    /// A setting is invalid.
    pub(crate) fn load(self, matches: &ArgMatches) -> Result<Self, ConfigError> {
        let mut config = match &self.file {
            Some(path) => self.over(read_toml(path)?, path, matches),
            None => self,
        };
        if let Some(database) = &config.database_flag {
            config.database = database.reveal().parse()?;
        }
        config.clients.check()?;
        config.connections.check(&config.database)?;
        config.keys.check()?;
        config.payments.check()?;
        config.webhooks.check()?;
        config.publish.check()?;
        config.users.check()?;
        config.trace.check()?;
        config.tls.files()?;
        config.cors.as_ref().map(CorsSection::cors).transpose()?;
        config.consume.check()?;
        config.redis.check()?;
        config.contract()?;
        // The decimals of a fee are checked when the currency is known. KWD has the most.
        config.settings(config.currency.unwrap_or(Currency::KWD))?;
        Ok(config)
    }

    fn over(&self, mut file: Self, path: &Path, matches: &ArgMatches) -> Self {
        file.stand_in(path.parent().unwrap_or(Path::new("")));
        if !self.keys.is_development() {
            file.keys.forget();
        }
        // The values of the command line are valid: they were parsed for `self`.
        file.update_from_arg_matches(matches).ok();
        file
    }

    /// Makes relative paths of a file relative to its directory.
    fn stand_in(&mut self, directory: &Path) {
        self.database.stand_in(directory);
        self.keys.stand_in(directory);
        self.users.stand_in(directory);
        self.trace.stand_in(directory);
        self.payments.stand_in(directory);
        self.webhooks.stand_in(directory);
        self.outgoing.stand_in(directory);
        self.tls.stand_in(directory);
        self.publish.stand_in(directory);
        self.consume.stand_in(directory);
        self.redis.stand_in(directory);
        self.lifecycle.iter_mut().chain(&mut self.former_lifecycles).for_each(|choice| choice.stand_in(directory));
    }

    /// The environment variables with secrets, which have no flag.
    pub(crate) fn secret_variables(&self) -> impl Iterator<Item = &str> {
        [users::TOKEN, trace::TOKEN, payments::KEY, payments::WEBHOOK_SECRETS, webhooks::SIGNING_KEYS]
            .into_iter()
            .chain(self.keys.hs256_env.as_deref())
    }

    /// The outer form of the API, if it has one of its own.
    ///
    /// # Errors
    /// [`ConfigError::Contract`].
    pub(crate) fn contract(&self) -> Result<Option<Contract>, ConfigError> {
        Ok(self.api.clone().map(Contract::new).transpose()?)
    }

    pub(crate) fn listen(&self) -> SocketAddr {
        self.listen.unwrap_or(LISTEN)
    }

    /// Checks that the shop does not listen beyond this machine with a development key.
    ///
    /// # Errors
    /// [`ConfigError::Unsafe`].
    pub(crate) fn check_listening(&self) -> Result<(), ConfigError> {
        let listen = self.listen();
        if !listen.ip().is_loopback() && self.keys.is_development() {
            return Err(ConfigError::Unsafe(format!(
                "listening on {listen} with the development key would let whoever reads that key act as anyone; \
                 configure keys ([keys] in the file, or --hs256-file, --pem-file, --jwks-file, --jwks-url) \
                 or listen on 127.0.0.1"
            )));
        }
        Ok(())
    }
}

/// Reads a TOML file. Errors contain the position.
fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = read(path)?;
    toml::from_str(&text).map_err(|error| {
        let (line, column) = place(&text, error.span().map_or(0, |span| span.start));
        let problem = error.message().lines().collect::<Vec<_>>().join(" ");
        ConfigError::Malformed { path: path.to_owned(), line, column, problem }
    })
}

pub(crate) fn read(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })
}

/// The line and the column of a byte, counted from 1.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline.saturating_add(1));
    let column = before.get(line_start..).unwrap_or_default().chars().count();
    (before.matches('\n').count().saturating_add(1), column.saturating_add(1))
}

fn refused(key: &'static str, problem: impl Into<String>) -> ConfigError {
    ConfigError::Value { key, problem: problem.into() }
}

fn listen_address(text: &str) -> Result<SocketAddr, &'static str> {
    let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    let local = local.map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    text.parse().ok().or(local).ok_or("an address and a port, such as 127.0.0.1:8080")
}

/// A whole number of any type.
fn whole<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "must be a whole number in the range of this setting")
}

fn currency(text: &str) -> Result<Currency, MoneyError> {
    text.to_ascii_uppercase().parse()
}

/// A command line that consists of settings.
#[cfg(test)]
fn command() -> clap::Command {
    Config::augment_args(clap::Command::new("commerce").no_binary_name(true))
}

#[cfg(test)]
#[path = "../tests/unit/config.rs"]
mod tests;
