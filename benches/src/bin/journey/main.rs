//! Drives the program `commerce` from outside, with what a customer does: a journey.
//!
//! ```sh
//! cargo build --release -p commerce-server -p benches --bins
//! target/release/journey --database sqlite,postgresql --clients 1,32
//! target/release/journey --server old=../old/target/release/commerce --server new=target/release/commerce
//! target/release/journey --by-kind 2000 --reads               # processor time of each kind of request
//! target/release/journey --by-kind 500 --reads --statements --database postgresql --clients 1 --rounds 1
//! ```
//!
//! A journey opens a cart, adds three lines, adds a code, checks out and pays: seven requests, each with an idempotency key.
//! Each client has its own connection and customer. Databases sync every commit. Each program has a shop of its own for each
//! database, with the same content. It is started for each round and stopped after it, and programs take turns round by round,
//! so only the measured one runs. Processor times are those of the processes of the server and of the database, and not of
//! this one. Every answer with an unexpected status ends the run.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod client;
mod database;
mod figures;
mod journey;
mod load;
mod options;
mod program;
mod shop;
mod statements;
mod table;
mod token;

use database::{Database, Kind};
use figures::Figures;
use load::Round;
use options::Options;
use program::Home;
use statements::Statements;
use table::Series;

/// The reason why the run failed.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let Some(options) = Options::parse(std::env::args().skip(1))? else {
        println!("{}", options::HELP);
        return Ok(());
    };
    println!("{}\n", settings(&options));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut series, mut statements) = (Vec::new(), String::new());
    for kind in &options.databases {
        let (measured, counted) = runtime.block_on(measure(*kind, &options))?;
        series.extend(measured);
        statements.push_str(&counted);
    }
    println!("\n{}\n{statements}", table::table(&series));
    Ok(())
}

fn settings(options: &Options) -> String {
    let programs = options.programs.iter().map(program::Program::description);
    let databases = options.databases.iter().map(|kind| kind.description());
    let load = match options.by_kind {
        Some(journeys) => format!("{} rounds of {journeys} journeys, kind by kind", options.rounds),
        None => format!("{} rounds of {:?} after {:?}", options.rounds, options.window, options.warm_up),
    };
    programs.chain(databases).chain([load, format!("{:?}", options.filling)]).collect::<Vec<_>>().join(".\n")
}

/// All rounds on a database, and the statements that were counted.
async fn measure(kind: Kind, options: &Options) -> Result<(Vec<Series>, String), Failure> {
    let database = Database::start(kind, options)?;
    let (mut homes, mut all, mut text) = (Vec::new(), Vec::new(), String::new());
    for (number, program) in options.programs.iter().enumerate() {
        homes.push(shop::open(program, &database, &shop_name(number), options).await?);
    }
    for clients in &options.clients {
        let mut series: Vec<Series> = homes.iter().map(|home| no_rounds(kind, *clients, home)).collect();
        for round in 0..options.rounds {
            for (number, (home, series)) in homes.iter().zip(&mut series).enumerate() {
                let mut statements = Statements::of(options.statements.then(|| shop_name(number)));
                let name = format!("customer-{clients}-{round}");
                series.rounds.push(run(home, &database, (options, *clients, name), &mut statements).await?);
                println!("round {}: {}", round + 1, series.last_round());
                text.push_str(&statements.text);
            }
        }
        all.extend(series);
    }
    Ok((all, text))
}

fn shop_name(number: usize) -> String {
    format!("shop_{number}")
}

fn no_rounds(kind: Kind, clients: usize, home: &Home) -> Series {
    Series { database: kind.name(), clients, server: home.program.name.clone(), rounds: Vec::new() }
}

/// A round on a server that runs for it alone.
async fn run(
    home: &Home,
    database: &Database,
    (options, clients, name): (&Options, usize, String),
    statements: &mut Statements,
) -> Result<Vec<Figures>, Failure> {
    let server = home.serve()?;
    let round = Round { server: &server, database, options, clients, name };
    let figures = match options.by_kind {
        Some(journeys) => round.by_kind(journeys, statements).await?,
        None => round.journeys().await?,
    };
    server.stop()?;
    Ok(figures)
}
