//! What the operator decides: flags over environment over a TOML file over what is built in.
//!
//! # What this module never does
//! * It never drops a setting in silence: an unknown key is refused with its place.
//! * It never shows a secret: neither in an error nor in `Debug`.

mod database;
mod file;
mod flags;
mod keys;
mod lifecycle;
mod logs;
mod shop;
mod span;

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use commerce_core::money::{Currency, MoneyError};
use commerce_core::order::LifecycleError;
use commerce_core::settings::Settings;
use serde::de::DeserializeOwned;
use thiserror::Error;

pub(crate) use self::database::{Connections, Database, DatabaseRefused};
use self::file::File;
pub(crate) use self::flags::Flags;
use self::keys::KeysSection;
pub(crate) use self::keys::{Claims, KeySource, Keys, Secret};
use self::lifecycle::{LifecycleChoice, Windows};
pub(crate) use self::logs::{LogFormat, LogLevel};
use self::shop::Shop;
pub(crate) use self::span::DurationText;
use crate::users;

/// Where the server listens unless told otherwise.
pub(crate) const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// How many orders a customer may place in a minute unless said otherwise.
pub(crate) const ORDERS_PER_MINUTE: u32 = 120;
/// The service token of the users service. Only from the environment or a file: flags are seen by everyone on the machine.
const USERS_TOKEN: &str = "COMMERCE_USERS_TOKEN";

/// Why the settings cannot be used.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// A file does not say what it should.
    #[error("{}: line {line}, column {column}: {problem}", path.display())]
    Malformed { path: PathBuf, line: usize, column: usize, problem: String },
    /// The database of the command line or the environment.
    #[error("--database, COMMERCE_DATABASE: {0}")]
    Database(#[from] DatabaseRefused),
    /// A setting has a value that cannot be.
    #[error("{key}: {problem}")]
    Value { key: &'static str, problem: String },
    /// An amount is not one in the currency of the shop.
    #[error("the fee of shipping method {method}: {source}")]
    Fee { method: String, source: MoneyError },
    /// The lifecycle cannot be with the windows given.
    #[error("lifecycle: {0}")]
    Lifecycle(#[from] LifecycleError),
    /// It could be, but would not be safe.
    #[error("unsafe: {0}")]
    Unsafe(String),
}

/// Every setting, settled.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// Where to show metrics, apart from the shop.
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// Where everything is kept.
    pub(crate) database: Database,
    /// How a database behind a network is used.
    #[cfg_attr(not(feature = "_network"), expect(dead_code, reason = "only who connects needs it"))]
    pub(crate) connections: Connections,
    /// The currency of the shop, if it was said.
    pub(crate) currency: Option<Currency>,
    /// Who is believed.
    pub(crate) keys: KeySource,
    /// The users service; without one every authenticated user exists.
    pub(crate) users: Option<UsersService>,
    /// How many orders a customer may place in a minute; 0 for any number.
    pub(crate) orders_per_minute: u32,
    /// The most connections of clients at once, if that was said.
    pub(crate) max_connections: Option<NonZeroU32>,
    /// How log lines are written.
    pub(crate) log_format: LogFormat,
    /// What is logged.
    pub(crate) log_level: LogLevel,
    shop: Shop,
}

/// Where users are looked up.
#[derive(Debug)]
pub(crate) struct UsersService {
    /// Its address.
    pub(crate) url: String,
    /// What it knows this service by.
    pub(crate) token: Option<Secret>,
    /// For how long it is waited for.
    pub(crate) time_out: std::time::Duration,
}

impl Config {
    /// Settles the settings.
    ///
    /// # Errors
    /// [`ConfigError`], for the first setting that cannot be used.
    pub(crate) fn load(flags: &Flags) -> Result<Self, ConfigError> {
        let (file, directory) = match &flags.config {
            Some(path) => (read_toml::<File>(path)?, path.parent().unwrap_or(Path::new("")).to_owned()),
            None => (File::default(), PathBuf::new()),
        };
        Self::merge(flags, file, &directory)
    }

    fn merge(flags: &Flags, mut file: File, directory: &Path) -> Result<Self, ConfigError> {
        let database = match &flags.database {
            Some(database) => database.reveal().parse()?,
            None => file.database.take().map(|database| database.within(directory)).unwrap_or_default(),
        };
        let orders_per_minute = flags.orders_per_minute.or(file.orders_per_minute);
        Ok(Self {
            listen: flags.listen.or(file.listen).unwrap_or(LISTEN),
            metrics_listen: flags.metrics_listen.or(file.metrics_listen),
            connections: Connections::merge(&flags.connections, file.connections, &database)?,
            database,
            currency: flags.currency.or(file.currency),
            keys: KeySource::merge(&flags.keys, std::mem::take(&mut file.keys), directory)?,
            users: users_service(flags, std::mem::take(&mut file.users), directory)?,
            orders_per_minute: orders_per_minute.unwrap_or(ORDERS_PER_MINUTE),
            max_connections: flags.max_connections.or(file.max_connections),
            log_format: flags.log_format.or(file.log_format).unwrap_or_default(),
            log_level: flags.log_level.clone().or_else(|| file.log_level.take()).unwrap_or_default(),
            shop: Shop::merge(flags.lifecycle.as_deref(), file, directory)?,
        })
    }

    /// What the shop decides for itself, in its currency.
    ///
    /// # Errors
    /// [`ConfigError::Fee`] if a fee is not an amount of the currency.
    pub(crate) fn settings(&self, currency: Currency) -> Result<Settings, ConfigError> {
        self.shop.settings(currency)
    }

    /// Refuses to listen where it would open the shop to everyone.
    ///
    /// # Errors
    /// [`ConfigError::Unsafe`].
    pub(crate) fn check_listening(&self) -> Result<(), ConfigError> {
        let listen = self.listen;
        if !listen.ip().is_loopback() && matches!(self.keys, KeySource::Development(_)) {
            return Err(ConfigError::Unsafe(format!(
                "listening on {listen} with the development key would let whoever reads that key act as anyone; \
                 configure keys ([keys] in the file, or --hs256-file, --pem-file, --jwks-file, --jwks-url) \
                 or listen on 127.0.0.1"
            )));
        }
        Ok(())
    }
}

fn users_service(
    flags: &Flags,
    file: file::UsersSection,
    directory: &Path,
) -> Result<Option<UsersService>, ConfigError> {
    let token = match std::env::var(USERS_TOKEN).ok().filter(|token| !token.is_empty()) {
        Some(token) => Some(Secret::new(token)),
        None => file.token_file.map(|path| Secret::read(&directory.join(path))).transpose()?,
    };
    let time_out = file.time_out.map_or(users::TIME_OUT, DurationText::duration);
    let url = flags.users_url.clone().or(file.url).filter(|url| !url.is_empty());
    Ok(url.map(|url| UsersService { url, token, time_out }))
}

/// Reads a TOML file; what is wrong in it is told with its place.
pub(crate) fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let text = fs::read_to_string(path).map_err(unreadable)?;
    toml::from_str(&text).map_err(|error| {
        let (line, column) = place(&text, error.span().map_or(0, |span| span.start));
        let problem = error.message().lines().collect::<Vec<_>>().join(" ");
        ConfigError::Malformed { path: path.to_owned(), line, column, problem }
    })
}

/// The line and column of a byte, from 1.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline.saturating_add(1));
    let column = before.get(line_start..).unwrap_or_default().chars().count();
    (before.matches('\n').count().saturating_add(1), column.saturating_add(1))
}

#[cfg(test)]
mod tests;
