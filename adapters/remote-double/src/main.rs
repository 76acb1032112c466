//! A payment service for tests, in a process of its own. It prints its address.

use std::io::{self, Write as _};

use clap::Parser;
use remote_double::{Settings, start};

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    settings: Settings,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let address = start(CommandLine::parse().settings).await?;
    writeln!(io::stdout(), "http://{address}")?;
    io::stdout().flush()?;
    std::future::pending().await
}
