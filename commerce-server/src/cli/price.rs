//! `commerce price`: prices carts without a database or a server.

mod batch;
mod table;

use std::io;

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};
use commerce_core::pricing::Quote;

pub use self::batch::price_all;
pub use self::table::Table;
use super::failure::Failure;
use super::input::Input;
use super::print;
use crate::plural::counted;
use commerce_http::dto::quote::QuoteDto;

#[derive(Debug, Args)]
pub(super) struct PriceArgs {
    /// A file with pricing requests, a JSON object or JSON lines; - for the standard input.
    #[arg(value_name = "FILE", value_parser = PathBufValueParser::new().map(Input))]
    file: Input,
    /// Print a table with a sentence for every promotion instead of JSON.
    #[arg(long)]
    explain: bool,
}

/// Prices the requests of a file, or reports all problems in them.
pub(super) fn run(args: &PriceArgs) -> Result<(), Failure> {
    let text = io::read_to_string(args.file.open()?).map_err(|error| args.file.failed(error))?;
    let quotes = price_all(&text).map_err(|flaws| {
        args.file.refused(&flaws, format!("nothing was priced, {}", counted(flaws.len(), "problem")))
    })?;
    let answers: Vec<String> = quotes.iter().map(|quote| answer(quote, args)).collect();
    print(&answers.join("\n"))
}

fn answer(quote: &Quote, args: &PriceArgs) -> String {
    if args.explain {
        return Table::of(quote).to_string();
    }
    #[expect(clippy::expect_used, reason = "the keys of a quote are strings, and its serialization cannot fail")]
    serde_json::to_string(&QuoteDto::from(quote)).expect("a quote can be serialized")
}
