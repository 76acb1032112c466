//! The program `commerce-conform`: tries whether a database keeps what the engine requires of it.
//!
//! It creates databases of its own with names that begin with `commerce_conform_`, and drops them. See `commerce-conform --help`.

mod case;
mod contract;
mod database;
mod races;
mod sale;
mod seller;
mod table;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use self::case::Outcome;
use self::database::Database;

/// Tries whether a database keeps what the engine requires of it: the contract of the store, races between processes, and a sale
/// whose processes, and perhaps servers, are killed.
///
/// It creates databases of its own and drops them: the user of the URL needs the right to. The exit code is 0 if all holds, 1 if
/// something does not, and 2 if it could not be tried.
#[derive(Debug, Parser)]
#[command(name = "commerce-conform", version)]
struct Options {
    /// postgres://… or mysql://… with any database of the server, or a directory for files of SQLite.
    #[arg(long, value_name = "URL", env = "COMMERCE_DATABASE", hide_env_values = true)]
    database: Database,
    /// The URL of a node; repeated for each. A process sells at each node. Without: two processes sell at --database.
    #[arg(long = "node", value_name = "URL")]
    nodes: Vec<Database>,
    /// A command for sh that kills a node. The variable NODE is its number, from 1.
    #[arg(long, value_name = "COMMAND", requires = "start_node")]
    kill_node: Option<String>,
    /// A command for sh that starts this node again and returns when it serves.
    #[arg(long, value_name = "COMMAND", requires = "kill_node")]
    start_node: Option<String>,
    /// How long a node runs before the next is killed, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    node_every: u64,
    /// How long the sale takes, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    seconds: u64,
    /// How many processes are killed in the sale.
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    kills: u32,
    /// The callers of each process in the sale.
    #[arg(long, value_name = "COUNT", default_value_t = 16)]
    callers: u64,
    /// Only these parts.
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    only: Vec<Part>,
    /// Only cases of the contract whose name contains this.
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Where random numbers begin.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Every case of the contracts of the store, each on a database of its own.
    Contract,
    /// Requests that meet at two processes, or at all nodes.
    Races,
    /// Callers who buy, pay and cancel while processes and nodes are killed.
    Sale,
}

impl Options {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// Where the processes of the races and of the sale connect.
    fn processes(&self) -> Vec<Database> {
        if self.nodes.is_empty() { vec![self.database.clone(); 2] } else { self.nodes.clone() }
    }
}

fn main() -> ExitCode {
    if let Some(url) = seller::url() {
        return seller::sell(&url);
    }
    let options = Options::parse();
    match try_all(&options) {
        Ok(outcomes) => table::show(&outcomes),
        Err(reason) => {
            eprintln!("commerce-conform: {reason}");
            ExitCode::from(2)
        }
    }
}

fn try_all(options: &Options) -> Result<Vec<Outcome>, String> {
    database::check(&options.database)?;
    let mut outcomes = Vec::new();
    if options.wants(Part::Contract) {
        outcomes.extend(contract::run(&options.database, &options.filter)?);
    }
    if options.wants(Part::Races) {
        outcomes.extend(races::run(options));
    }
    if options.wants(Part::Sale) {
        outcomes.push(sale::run(options));
    }
    Ok(outcomes)
}
