//! `commerce price`: what carts cost, without a database or a server.

mod batch;
mod table;

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Args;
use commerce_core::pricing::Quote;

pub use self::batch::price_all;
pub use self::table::Table;
use super::failure::Failure;
use super::{note, print};
use commerce_http::dto::quote::QuoteDto;

/// Which requests, and how to answer.
#[derive(Debug, Args)]
pub(super) struct PriceArgs {
    /// A file with pricing requests, a JSON object or JSON lines; - for the standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print a table with a sentence for every promotion instead of JSON.
    #[arg(long)]
    explain: bool,
}

/// Prices every request of a file, or says all that is wrong with them.
pub(super) fn run(args: &PriceArgs) -> Result<(), Failure> {
    let text = read(args)?;
    let quotes = price_all(&text).map_err(|flaws| refused(args, &flaws))?;
    let answers: Vec<String> = quotes.iter().map(|quote| answer(quote, args)).collect();
    print(&answers.join("\n"))
}

fn answer(quote: &Quote, args: &PriceArgs) -> String {
    if args.explain {
        return Table::of(quote).to_string();
    }
    #[expect(clippy::expect_used, reason = "a quote has texts for keys, and nothing in it fails to be written")]
    serde_json::to_string(&QuoteDto::from(quote)).expect("a quote can be written")
}

fn read(args: &PriceArgs) -> Result<String, Failure> {
    if args.file.as_os_str() == "-" {
        let read = io::read_to_string(io::stdin().lock());
        return read.map_err(|source| Failure::System { what: "standard input", source });
    }
    fs::read_to_string(&args.file).map_err(|source| Failure::File { path: args.file.clone(), source })
}

fn refused(args: &PriceArgs, flaws: &[String]) -> Failure {
    for flaw in flaws {
        note(format_args!("{}: {flaw}", args.file.display()));
    }
    Failure::NothingPriced { path: args.file.clone(), flaws: flaws.len() }
}
