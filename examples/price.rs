//! Prices carts: reads pricing requests, a JSON object or JSON lines, and prints the answers.
//!
//! ```sh
//! cargo run -p examples --example price -- examples/data/request.json
//! cargo run -p examples --example price -- --explain < examples/data/request.json
//! ```
//!
//! If any request is invalid, all problems are printed on stderr with their positions, and there is no answer.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use commerce_http::dto::quote::QuoteDto;
use commerce_server::cli::{Table, price_all};

#[derive(Parser)]
struct Arguments {
    /// A file with requests; - for the standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// Print a table with a sentence for every promotion instead of JSON.
    #[arg(long)]
    explain: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            eprintln!("{complaint}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let text = read(&arguments.file).map_err(|error| format!("{}: {error}", arguments.file.display()))?;
    let quotes = price_all(&text).map_err(|flaws| flaws.join("\n"))?;
    let mut output = io::stdout().lock();
    for (place, quote) in quotes.iter().enumerate() {
        if arguments.explain {
            write!(output, "{}{}", if place == 0 { "" } else { "\n" }, Table::of(quote))?;
        } else {
            writeln!(output, "{}", serde_json::to_string(&QuoteDto::from(quote))?)?;
        }
    }
    Ok(())
}

fn read(file: &Path) -> io::Result<String> {
    if file.as_os_str() == "-" { io::read_to_string(io::stdin().lock()) } else { fs::read_to_string(file) }
}
