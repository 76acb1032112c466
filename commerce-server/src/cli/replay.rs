//! `commerce replay`: rebuilds tables from the history, or compares them with it.

use clap::Args;
use commerce_core::port::Clock;
use commerce_core::replay::{Report, verify};
use commerce_core::system::SystemClock;
use indicatif::ProgressBar;

use super::failure::Failure;
use super::opened::{OpenStore, block_on};
use super::{note, print, progress};
use crate::config::Config;

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Compare the tables with the history, and change nothing.
    #[arg(long)]
    verify: bool,
}

/// Rebuilds or compares the tables.
pub(super) fn run(args: &ReplayArgs, config: &Config) -> Result<(), Failure> {
    if args.verify { check(config) } else { print(&block_on(rebuild(config))??) }
}

/// Compares the tables. Prints differences on stderr and fails if there are any.
fn check(config: &Config) -> Result<(), Failure> {
    let report = block_on(compare(config))??;
    for difference in &report.differences {
        note(difference);
    }
    match report.differences.len() {
        0 => print(&identical(&report)),
        differences => Err(Failure::Differences(differences)),
    }
}

async fn compare(config: &Config) -> Result<Report, Failure> {
    let opened = OpenStore::existing(config).await?;
    let bar =
        progress(ProgressBar::new_spinner(), "{spinner} replaying: {human_pos} events, orders and skus, {elapsed}");
    let report = verify(opened.kept(), SystemClock.now(), |done| bar.set_position(done)).await;
    bar.finish_and_clear();
    Ok(report?)
}

async fn rebuild(config: &Config) -> Result<String, Failure> {
    let opened = OpenStore::existing(config).await?;
    let bar =
        progress(ProgressBar::new_spinner(), "{spinner} rebuilding: {human_pos} orders, events and skus, {elapsed}");
    let shown = bar.clone();
    let rebuilt = opened.kept().rebuild(SystemClock.now(), Box::new(move |done| shown.set_position(done))).await;
    bar.finish_and_clear();
    Ok(rebuilt?)
}

fn identical(report: &Report) -> String {
    let Report { entries, orders, documents, skus, promotions, .. } = report;
    format!(
        "{entries} events, {orders} orders, {documents} documents, {skus} skus, {promotions} promotions: the tables agree with the events"
    )
}
