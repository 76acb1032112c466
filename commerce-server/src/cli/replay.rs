//! `commerce replay`: rebuilds tables from the history, or compares them with it.

use chrono::TimeDelta;
use clap::Args;
use commerce_core::port::Clock;
use commerce_core::system::SystemClock;
use commerce_diesel::Rebuilt;
use indicatif::ProgressBar;

use super::failure::Failure;
use super::opened::{OpenStore, block_on};
use super::{note, print, progress};
use crate::config::Config;
use crate::plural::counted;

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Compare the tables with the history, and change nothing.
    #[arg(long)]
    verify: bool,
}

/// Rebuilds or compares the tables. Prints differences on stderr; a comparison fails if there are any.
pub(super) fn run(args: &ReplayArgs, config: &Config) -> Result<(), Failure> {
    let found = block_on(replay(args, config))??;
    for difference in &found.differences {
        note(difference);
    }
    let Rebuilt { events, orders, documents, skus, promotions, tasks, different, .. } = found;
    let events = counted(events, "event");
    let shop = format!(
        "{}, {}, {}, the uses of {}, {}",
        counted(orders, "order"),
        counted(documents, "document"),
        counted(skus, "sku"),
        counted(promotions, "promotion"),
        counted(tasks, "task"),
    );
    match (args.verify, different) {
        (true, 0) => print(&format!("{events}: {shop}: the tables agree with the events")),
        (true, different) => Err(Failure::Differences(different)),
        (false, different) => print(&format!("rebuilt from {events}: {shop}; rows that differed: {different}")),
    }
}

async fn replay(args: &ReplayArgs, config: &Config) -> Result<Rebuilt, Failure> {
    let opened = OpenStore::existing(config).await?;
    let bar = progress(
        ProgressBar::new_spinner(),
        "{spinner} replaying: {human_pos} orders, documents, events and SKUs, {elapsed}",
    );
    // A process whose clock is ahead may have removed reservations that expire soon.
    let (shown, at) = (bar.clone(), SystemClock.now() + TimeDelta::minutes(1));
    let tell = Box::new(move |done| shown.set_position(done));
    let found = opened.kept().replay(args.verify, at, tell).await;
    bar.finish_and_clear();
    Ok(found?)
}
