//! Our stores against transactions written by hand, on servers that this starts itself: the same rows for every order.
//!
//! ```sh
//! cargo bench -p benches --bench stores
//! cargo bench -p benches --bench stores -- hot                  # rows whose name has this
//! cargo bench -p benches --bench stores -- --rounds 9 --seconds 4 --directory /fast/disk PostgreSQL
//! ```
//!
//! All rows run in turn, round by round, each on a database of its own that was copied from the same template, after a
//! checkpoint; a row shows the medians of its rounds. Opponents run at the number of clients that was best for them in a
//! trial before the first round. Every load runs in a process of its own, so that what clients and servers use of the
//! processor can be told apart. The SQL of the opponents stands in `sql`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod child;
mod claims;
mod contender;
mod cpu;
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

/// Why the benchmark failed.
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
