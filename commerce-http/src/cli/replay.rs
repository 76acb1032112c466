//! `commerce replay`: orders and stock rebuilt from the history, and compared with the tables.

use std::io::{self, Write};

use clap::Args;
use commerce_core::port::Clock;
use commerce_core::replay::{Report, verify};
use indicatif::{ProgressBar, ProgressStyle};

use super::failure::Failure;
use super::opened::{Opened, block_on};
use super::print;
use crate::config::Config;
use crate::system::SystemClock;

/// How to replay.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Compare what the history makes with the tables, and change nothing.
    #[arg(long)]
    verify: bool,
}

/// Replays the history; every difference is told on stderr, and any is a failure.
pub(super) fn run(_args: &ReplayArgs, config: &Config) -> Result<(), Failure> {
    let report = block_on(replay(config))??;
    for difference in &report.differences {
        // Nobody is left to tell if stderr is closed.
        writeln!(io::stderr().lock(), "{difference}").ok();
    }
    match report.differences.len() {
        0 => print(&identical(&report)),
        differences => Err(Failure::Differences(differences)),
    }
}

async fn replay(config: &Config) -> Result<Report, Failure> {
    let opened = Opened::open(config).await?;
    let bar = bar();
    let report = verify(opened.store(), SystemClock.now(), |done| bar.set_position(done)).await;
    bar.finish_and_clear();
    Ok(report?)
}

fn identical(report: &Report) -> String {
    let Report { entries, orders, skus, .. } = report;
    format!("{entries} events, {orders} orders, {skus} skus: the tables are what the events make")
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    match ProgressStyle::with_template("{spinner} replaying: {human_pos} events, orders and skus, {elapsed}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
