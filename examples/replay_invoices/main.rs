//! Replays real invoices through the HTTP API and checks that all amounts agree with the file.
//!
//! Every sale becomes an order that is placed, paid, shipped and delivered, oldest first. Every cancellation becomes a return
//! of units of earlier sales to the same customer, of the same code and price. Rows that cannot be sold, and returned units
//! without a sale, are listed.
//!
//! ```sh
//! cargo run --release -p examples --example replay_invoices
//! cargo run --release -p examples --example replay_invoices -- --help
//! ```

#![expect(clippy::print_stdout, reason = "an example reports on standard output")]

mod client;
mod invoices;
mod replay;
mod report;
mod sales;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use crate::client::Client;
use crate::replay::Replay;
use crate::report::Report;

/// Replays real invoices through the HTTP API and checks all amounts.
#[derive(Debug, Parser)]
struct Arguments {
    /// The invoices: a CSV file with the columns of the default file.
    #[arg(default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data/online-retail.csv"))]
    file: PathBuf,
    /// A running server with the currency GBP and the standard lifecycle. Default: a server in this process.
    #[arg(long, requires = "token")]
    url: Option<String>,
    /// An admin's token for that server.
    #[arg(long, env = "COMMERCE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The database of the server in this process. Default: a temporary one.
    #[arg(long, conflicts_with = "url")]
    database: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(report) => {
            print!("{report}");
            if report.agrees() {
                return ExitCode::SUCCESS;
            }
            eprintln!("engine and file differ");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<Report, Box<dyn std::error::Error>> {
    let book = invoices::read(&arguments.file).map_err(|error| format!("{}: {error}", arguments.file.display()))?;
    let (base, token, server) = if let (Some(url), Some(token)) = (arguments.url, arguments.token) {
        (url, token, None)
    } else {
        let server = server::Server::start(arguments.database).await?;
        (server.base.clone(), server.token.clone(), Some(server))
    };
    let progress =
        ProgressBar::no_length().with_style(ProgressStyle::with_template("{msg:<10} {wide_bar} {pos}/{len}")?);
    let client = Client::new(&base, token);
    let mut replay = Replay::new(&client, uuid::Uuid::now_v7().to_string());
    replay.stock_up(&book, &progress).await?;
    replay.run(&book, &progress).await?;
    let report = replay.finish(&book, &progress).await?;
    progress.finish_and_clear();
    if let Some(server) = server {
        server.stop().await;
    }
    Ok(report)
}
