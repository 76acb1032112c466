//! The command line of the program `commerce`.

mod events;
mod failure;
mod guide;
mod import;
mod input;
mod logs;
mod opened;
mod price;
mod reconcile;
mod replay;
mod serve;
mod tasks;
mod token;
mod workers;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use self::failure::Failure;
use self::opened::{OpenStore, block_on};
pub use self::price::{Table, price_all};
use crate::config::Config;

/// The exit code of a valid command that failed.
const FAILED: u8 = 1;

/// A shop over HTTP: carts, checkout, orders, stock and payments in one program.
///
/// Without a command it serves on 127.0.0.1:8080, with SQLite in ./commerce.db, sandbox payments and a development key that it
/// creates on the first start. It prints how to place a first order.
#[derive(Debug, Parser)]
#[command(name = "commerce", version, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    config: Config,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the shop (the default).
    Serve,
    /// Create or upgrade the database.
    Migrate,
    /// Print a token for a user.
    Token(token::TokenArgs),
    /// Import products and their stock, or customers, from a CSV file.
    Import(import::ImportArgs),
    /// Price carts from a file, without a database.
    Price(price::PriceArgs),
    /// Rebuild the tables from the history, or check them.
    ///
    /// Corrects every row that differs from what the events make, in one transaction. A running shop cannot write until it
    /// ends. If the history is broken, nothing is written.
    Replay(replay::ReplayArgs),
    /// Compare what the shop booked with a statement of the payment processor.
    ///
    /// Every line of the file and every booked amount is matched, or listed with the reason. Booked amounts count if they are of
    /// the period of the statement. Fails if anything is without a counterpart. Changes nothing.
    Reconcile(reconcile::ReconcileArgs),
    /// List, show, retry or drop tasks.
    ///
    /// A task that failed too often does not run until you retry it. You can use these commands while the shop runs.
    #[command(subcommand)]
    Tasks(tasks::TasksCommand),
    /// List the targets of published events, or publish events again.
    ///
    /// You can use these commands while the shop runs.
    #[command(subcommand)]
    Events(events::EventsCommand),
    /// Print a settings file with every setting and its default.
    Config,
    /// Print the document that describes the HTTP interface.
    #[command(about = "Print the OpenAPI document")]
    Openapi,
}

/// Runs a command line. An error is printed as one line on stderr.
///
/// The exit code is 2 for an invalid command line, and 1 for a command that failed.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let parsed = Cli::command().try_get_matches_from(arguments);
    let (cli, matches) = match parsed.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches))) {
        Ok(parsed) => parsed,
        Err(usage) => usage.exit(),
    };
    match cli.run(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            note(format_args!("commerce: {failure}"));
            ExitCode::from(FAILED)
        }
    }
}

impl Cli {
    fn run(self, matches: &ArgMatches) -> Result<(), Failure> {
        if SystemTime::now() < UNIX_EPOCH {
            return Err(Failure::Clock);
        }
        let config = || -> Result<Config, Failure> {
            let config = self.config.load(matches)?;
            check_environment(&config, std::env::vars_os().map(|(name, _)| name))?;
            Ok(config)
        };
        match self.command {
            None | Some(Command::Serve) => serve::run(config()?),
            Some(Command::Migrate) => migrate(&config()?),
            Some(Command::Token(args)) => token::run(&args, &config()?),
            Some(Command::Import(args)) => import::run(&args, &config()?),
            Some(Command::Price(args)) => price::run(&args),
            Some(Command::Replay(args)) => replay::run(&args, &config()?),
            Some(Command::Reconcile(args)) => reconcile::run(&args, &config()?),
            Some(Command::Tasks(command)) => tasks::run(&command, &config()?),
            Some(Command::Events(command)) => events::run(&command, &config()?),
            Some(Command::Config) => print(include_str!("../shop.example.toml")),
            Some(Command::Openapi) => match config()?.contract()? {
                Some(contract) => print(&String::from_utf8_lossy(contract.document())),
                None => print(&commerce_http::openapi()),
            },
        }
    }
}

/// Kubernetes sets variables with these prefixes for a service with the name `commerce`.
const OF_OTHERS: [&str; 2] = ["COMMERCE_SERVICE_", "COMMERCE_PORT"];

/// Refuses a variable that looks like a setting and is none, such as a misspelt one.
fn check_environment(config: &Config, variables: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let program = Cli::command();
    let commands = std::iter::once(&program).chain(program.get_subcommands());
    let known: Vec<_> = commands.flat_map(clap::Command::get_arguments).filter_map(clap::Arg::get_env).collect();
    let is_setting = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("COMMERCE_") && !OF_OTHERS.iter().any(|prefix| name.starts_with(prefix))
    };
    let mut settings = variables.filter(is_setting);
    let is_secret = |name: &OsString| config.secret_variables().any(|secret| name.to_str() == Some(secret));
    match settings.find(|name| !known.contains(&name.as_os_str()) && !is_secret(name)) {
        Some(unknown) => Err(Failure::UnknownVariable(unknown)),
        None => Ok(()),
    }
}

fn migrate(config: &Config) -> Result<(), Failure> {
    block_on(OpenStore::open(config))??;
    print(&format!("{} is up to date", config.database))
}

/// Prints a line to stderr. Does nothing if stderr is closed.
fn note(line: impl Display) {
    writeln!(std::io::stderr().lock(), "{line}").ok();
}

/// A progress bar, shown only on a terminal.
fn progress(bar: ProgressBar, template: &str) -> ProgressBar {
    ProgressStyle::with_template(template).map_or(bar.clone(), |style| bar.with_style(style))
}

/// Prints text to stdout. A closed pipe is not an error.
fn print(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout().lock(), "{}", text.trim_end()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
        _ => Ok(()),
    }
}
