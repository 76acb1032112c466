//! `commerce tasks`: lists and changes tasks.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use commerce_core::actor::{Actor, Role};
use commerce_core::engine::Engine;
use commerce_core::money::Currency;
use commerce_core::port::PageRequest;
use commerce_core::task::{Task, TaskKey, TaskKind, TaskState};

use super::failure::Failure;
use super::opened::{OpenStore, block_on};
use super::print;
use crate::config::Config;

/// The number of tasks in a page.
const PAGE: u16 = 500;

#[derive(Debug, Subcommand)]
pub(super) enum TasksCommand {
    /// List tasks by kind and subject.
    List {
        /// Only tasks in this state.
        #[arg(long, value_parser = PossibleValuesParser::new(TaskState::ALL.iter().map(|state| state.name())))]
        state: Option<String>,
    },
    /// Show a task with its last error.
    Show(Which),
    /// Make a task due now and reset its failures.
    Retry(Which),
    /// Delete a task without running it.
    Drop(Which),
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// The kind, such as `settle_payment`.
    #[arg(value_name = "KIND")]
    kind: String,
    /// The subject, such as the id of a refund.
    #[arg(value_name = "SUBJECT")]
    subject: String,
}

impl Which {
    fn key(&self) -> TaskKey {
        TaskKey { kind: TaskKind::named(self.kind.clone()), subject: self.subject.clone() }
    }
}

pub(super) fn run(command: &TasksCommand, config: &Config) -> Result<(), Failure> {
    print(&block_on(told(command, config))??)
}

async fn told(command: &TasksCommand, config: &Config) -> Result<String, Failure> {
    let opened = OpenStore::existing(config).await?;
    let engine = opened.engine(config, opened.currency(config, Currency::USD).await?)?;
    let caller = Actor { role: Role::Admin, user: None };
    match command {
        TasksCommand::List { state } => list(&engine, &caller, state.as_deref().and_then(TaskState::named)).await,
        TasksCommand::Show(which) => Ok(shown(&engine, &engine.task(&caller, &which.key()).await?)),
        TasksCommand::Retry(which) => Ok(line(&engine, &engine.retry_task(&caller, &which.key()).await?)),
        TasksCommand::Drop(which) => {
            engine.drop_task(&caller, &which.key()).await?;
            Ok(format!("{} was dropped", which.key()))
        }
    }
}

async fn list(engine: &Engine, caller: &Actor, state: Option<TaskState>) -> Result<String, Failure> {
    let mut page = PageRequest { limit: PAGE, after: None };
    let mut lines = Vec::new();
    loop {
        let found = engine.tasks(caller, state, &page).await?;
        lines.extend(found.items.iter().map(|task| line(engine, task)));
        let Some(next) = found.next else { break };
        page.after = Some(next);
    }
    Ok(if lines.is_empty() { "no tasks".to_owned() } else { lines.join("\n") })
}

fn line(engine: &Engine, task: &Task) -> String {
    let (state, due) = (task.state(engine.now()).name(), task.due.to_rfc3339());
    format!("{}  {state}  due {due}  failures {}", task.key, task.failures)
}

fn shown(engine: &Engine, task: &Task) -> String {
    let error = task.last_error.as_ref().map(|error| format!("\nlast error: {error}"));
    let payload =
        Some(&task.payload).filter(|payload| !payload.is_null()).map(|payload| format!("\npayload: {payload}"));
    format!("{}{}{}", line(engine, task), payload.unwrap_or_default(), error.unwrap_or_default())
}
