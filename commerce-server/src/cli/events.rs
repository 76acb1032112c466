//! `commerce events`: the targets of published events.

use clap::{Args, Subcommand};
use commerce_core::actor::{Actor, Role};
use commerce_core::engine::{Engine, EventTypes};
use commerce_core::ids::TargetName;
use commerce_core::money::Currency;
use commerce_core::port::PageRequest;
use commerce_core::publishing::{Skipping, TargetState};

use super::failure::Failure;
use super::opened::{OpenStore, block_on};
use super::print;
use crate::config::Config;

/// How often a change is tried while the shop stores positions.
const ATTEMPTS: u32 = 100;
const CALLER: Actor = Actor { role: Role::Admin, user: None };

#[derive(Debug, Subcommand)]
pub(super) enum EventsCommand {
    /// List the targets: how far each has confirmed the feed, and why it does not get further.
    Targets,
    /// Publish the events after a position again.
    Replay(Replay),
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The name of the target.
    #[arg(long = "to", value_name = "NAME")]
    target: TargetName,
    /// The position after which events are published; 0 for all.
    #[arg(long, value_name = "POSITION")]
    after: u64,
    /// Allow a position after that of the target: the events between them are never published to it.
    #[arg(long)]
    skip: bool,
}

pub(super) fn run(command: &EventsCommand, config: &Config) -> Result<(), Failure> {
    print(&block_on(told(command, config))??)
}

async fn told(command: &EventsCommand, config: &Config) -> Result<String, Failure> {
    let opened = OpenStore::existing(config).await?;
    let engine = opened.engine(config, opened.currency(config, Currency::USD).await?)?;
    match command {
        EventsCommand::Targets => list(&opened, &engine).await,
        EventsCommand::Replay(replay) => replay.run(&opened, &engine).await,
    }
}

async fn list(opened: &OpenStore, engine: &Engine) -> Result<String, Failure> {
    let mut lines = Vec::new();
    for target in opened.targets().targets().await? {
        lines.push(line(engine, &target).await?);
    }
    Ok(if lines.is_empty() { "no targets".to_owned() } else { lines.join("\n") })
}

async fn line(engine: &Engine, target: &TargetState) -> Result<String, Failure> {
    let (end, now) = (engine.feed_end(&CALLER).await?, engine.now());
    let next = PageRequest { limit: 1, after: Some(target.position) };
    let oldest = engine.feed(&CALLER, &EventTypes::new(), &next).await?.items;
    let age = oldest.first().map_or(0, |item| now.signed_duration_since(item.event.at()).num_seconds().max(0));
    let holder =
        target.lease.filter(|lease| lease.until > now).map_or("no process publishes", |_| "a process publishes");
    let (name, position, failures) = (&target.name, target.position, target.failures);
    let behind = end.saturating_sub(position);
    let error = target.last_error.as_ref().map(|error| format!("\n  last error: {error}")).unwrap_or_default();
    Ok(format!("{name}  position {position}  behind {behind} events, {age} s  {holder}  failures {failures}{error}"))
}

impl Replay {
    async fn run(&self, opened: &OpenStore, engine: &Engine) -> Result<String, Failure> {
        let (targets, name) = (opened.targets(), &self.target);
        let skipping = if self.skip { Skipping::Allowed } else { Skipping::Refused };
        for _ in 0..ATTEMPTS {
            let Some(before) = targets.target(name).await? else { return Err(Failure::UnknownTarget(name.clone())) };
            let after = before.moved_to(self.after, engine.feed_end(&CALLER).await?, skipping);
            let after = after.map_err(|refused| Failure::NotMoved { target: name.clone(), refused })?;
            if targets.replace_target(Some(&before), Some(&after)).await? {
                return Ok(format!("{name} goes on after position {}; it was at {}", after.position, before.position));
            }
        }
        Err(Failure::TargetBusy(name.clone()))
    }
}
