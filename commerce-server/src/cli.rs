//! The command line of the program `commerce`.

mod failure;
mod guide;
mod import;
mod logs;
mod opened;
mod price;
mod replay;
mod serve;
mod tasks;
mod token;
mod workers;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use self::failure::Failure;
use self::opened::{OpenStore, block_on};
pub use self::price::{Table, price_all};
use crate::config::Config;

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
    config: Config,
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
    /// Import products and their stock, or customers, from a CSV file.
    Import(import::ImportArgs),
    /// Price carts from a file, without a database.
    Price(price::PriceArgs),
    /// Rebuild the tables from the history, or check them.
    ///
    /// Orders, stock and uses of promotions are made anew from the events, in one transaction; a running shop cannot write
    /// until it ends. If the history is broken nothing is written.
    Replay(replay::ReplayArgs),
    /// List, show, retry or drop what the shop has to do later.
    ///
    /// A task that failed too often is kept until somebody retries or drops it. These commands may be used beside a running shop.
    #[command(subcommand)]
    Tasks(tasks::TasksCommand),
    /// Print the document that describes the HTTP interface.
    #[command(about = "Print the OpenAPI document")]
    Openapi,
}

/// Does what a command line says. What fails is told in one line on stderr.
///
/// The exit code is 2 for a command line that is not understood, and 1 for what was understood and failed.
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
        let config = || self.config.load(matches);
        match self.command {
            None | Some(Command::Serve) => serve::run(config()?),
            Some(Command::Migrate) => migrate(&config()?),
            Some(Command::Token(args)) => token::run(&args, &config()?),
            Some(Command::Import(args)) => import::run(&args, &config()?),
            Some(Command::Price(args)) => price::run(&args),
            Some(Command::Replay(args)) => replay::run(&args, &config()?),
            Some(Command::Tasks(command)) => tasks::run(&command, &config()?),
            Some(Command::Openapi) => print(&commerce_http::openapi()),
        }
    }
}

fn migrate(config: &Config) -> Result<(), Failure> {
    block_on(OpenStore::open(config))??;
    print(&format!("{} is up to date", config.database))
}

/// Prints a line to stderr. Nobody is left to tell if that is closed.
fn note(line: impl Display) {
    writeln!(std::io::stderr().lock(), "{line}").ok();
}

/// A progress bar on a terminal, nothing elsewhere.
fn progress(bar: ProgressBar, template: &str) -> ProgressBar {
    ProgressStyle::with_template(template).map_or(bar.clone(), |style| bar.with_style(style))
}

/// Prints text to stdout. A reader who has seen enough is no failure.
fn print(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout().lock(), "{}", text.trim_end()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
        _ => Ok(()),
    }
}
