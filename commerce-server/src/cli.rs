//! The command line of the program `commerce`.

mod failure;
mod guide;
mod import;
mod logs;
mod opened;
mod price;
mod replay;
mod serve;
mod token;
mod workers;

use std::ffi::OsString;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use commerce_core::money::{Currency, MoneyError};

use self::failure::Failure;
use self::opened::{OpenStore, block_on};
pub use self::price::{Table, price_all};
use crate::config::{Config, DurationText, LogFormat, LogLevel, Secret};

/// The exit code of a command that was understood and failed.
const FAILED: u8 = 1;

/// A shop over HTTP: carts, checkout, orders, stock and payments in one program.
///
/// Without a command it serves: on 127.0.0.1:8080, with SQLite in ./commerce.db, payments in a sandbox and a development key
/// made on the first start, and it prints how to place a first order.
#[derive(Debug, Parser)]
#[command(name = "commerce", version, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the shop (the default).
    Serve,
    /// Make the database, or bring it up to date.
    Migrate,
    /// Print a token for a user.
    Token(token::TokenArgs),
    /// Import products and their stock from a CSV file.
    Import(import::ImportArgs),
    /// Price carts from a file, without a database.
    Price(price::PriceArgs),
    /// Rebuild the tables from the history, or check them.
    ///
    /// Orders, stock and uses of promotions are made anew from the events, in one transaction; a running shop cannot write
    /// until it ends. If the history is broken nothing is written.
    Replay(replay::ReplayArgs),
    /// Print the document that describes the HTTP interface.
    #[command(about = "Print the OpenAPI document")]
    Openapi,
}

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

/// Does what a command line says. What fails is told in one line on stderr.
///
/// The exit code is 2 for a command line that is not understood, and 1 for what was understood and failed.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(usage) => usage.exit(),
    };
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is left to tell if stderr is closed.
            writeln!(std::io::stderr().lock(), "commerce: {failure}").ok();
            ExitCode::from(FAILED)
        }
    }
}

impl Cli {
    fn run(self) -> Result<(), Failure> {
        let flags = &self.flags;
        match self.command {
            None | Some(Command::Serve) => serve::run(Config::load(flags)?),
            Some(Command::Migrate) => migrate(&Config::load(flags)?),
            Some(Command::Token(args)) => token::run(&args, &Config::load(flags)?),
            Some(Command::Import(args)) => import::run(&args, &Config::load(flags)?),
            Some(Command::Price(args)) => price::run(&args),
            Some(Command::Replay(args)) => replay::run(&args, &Config::load(flags)?),
            Some(Command::Openapi) => print(&commerce_http::openapi()),
        }
    }
}

fn migrate(config: &Config) -> Result<(), Failure> {
    block_on(OpenStore::open(config))??;
    print(&format!("{} is up to date", config.database))
}

/// Prints text to stdout. A reader who has seen enough is no failure.
fn print(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout().lock(), "{}", text.trim_end()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
        _ => Ok(()),
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

/// What `commerce --help` prints.
#[cfg(all(test, feature = "_network"))]
pub(crate) fn help() -> String {
    use clap::CommandFactory;
    Cli::command().render_long_help().to_string()
}

/// The flags of a command line.
#[cfg(test)]
pub(crate) fn flags(arguments: &[&str]) -> Flags {
    Cli::parse_from([&["commerce"], arguments].concat()).flags
}
