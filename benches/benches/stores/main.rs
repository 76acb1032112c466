//! Compares our stores with hand-written transactions that write the same rows, on servers that the bench starts.
//!
//! ```sh
//! cargo bench -p benches --bench stores
//! cargo bench -p benches --bench stores -- hot   # rows whose name contains this
//! cargo bench -p benches --bench stores -- --rounds 9 --seconds 4 --directory /fast/disk PostgreSQL
//! ```
//!
//! All rows run in turn, round by round. Each round starts after a checkpoint with a copy of the same template database. A row
//! shows the medians of its rounds. Opponents run with the number of clients that was best in a trial. Every load runs in its
//! own process, so that the processor time of clients and server is measured separately. `sql` contains the SQL of the
//! opponents.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod child;
mod claims;
mod contender;
mod engine;
mod load;
mod measure;
mod million;
mod options;
mod order;
mod pgbench;
mod plan;
mod table;

use contender::Row;
use options::Options;

/// The reason why the bench failed.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(child::ARGUMENT) {
        return child::run(&arguments.collect::<Vec<_>>());
    }
    let options = Options::parse(std::env::args().skip(1))?;
    println!("{}", plan::settings(&options));
    let mut rows = plan::rows(&options)?;
    if !rows.is_empty() {
        rounds(&mut rows, &options)?;
        println!("\n{}\n\n{}\n", table::table(&rows), claims::claims(&rows));
    }
    drop(rows);
    println!("{}", million::run(&options)?);
    Ok(())
}

/// Runs all rows in turn, round by round.
fn rounds(rows: &mut [Row], options: &Options) -> Result<(), Failure> {
    for round in 1..=options.rounds {
        println!("round {round} of {}", options.rounds);
        for row in &mut *rows {
            row.round(options.span)?;
        }
    }
    Ok(())
}
