//! This program again, as a process of its own: to fill a database, or to place orders.

mod store;

use std::fmt::Write;
use std::fs;
use std::process::Command;
use std::str::FromStr;

use crate::Failure;
use crate::contender::Spread;
use crate::load::{Beginning, LOG, Load, Placed};

/// The first argument of a child.
pub(crate) const ARGUMENT: &str = "--child";

/// What a child does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Places orders through our store.
    Store,
}

/// Orders to be placed.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) work: Work,
    pub(crate) url: String,
    pub(crate) clients: usize,
    pub(crate) spread: Spread,
    pub(crate) seconds: u64,
    /// How many orders are made before the first is placed.
    pub(crate) prepared: usize,
}

/// Fills an empty database.
pub(crate) fn prepare(url: &str) -> Result<(), Failure> {
    let output = command()?.args(["prepare", url]).output()?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into()) }
}

/// Starts processes that place orders.
pub(crate) fn start(job: &Job, processes: usize) -> Result<Load, Failure> {
    let numbers =
        |seed: usize| [job.clients.to_string(), job.seconds.to_string(), job.prepared.to_string(), seed.to_string()];
    let commands = (1..=processes).map(|seed| {
        let mut command = command()?;
        command.args([job.work.name(), &job.url, job.spread.name()]).args(numbers(seed));
        Ok::<_, Failure>(command)
    });
    let commands = commands.collect::<Result<_, _>>()?;
    Load::start(tempfile::tempdir()?, commands, Beginning::Says, read_line)
}

fn command() -> Result<Command, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(ARGUMENT);
    Ok(command)
}

/// Does what the arguments say.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match arguments.as_slice() {
        ["prepare", url] => runtime.block_on(store::prepare(url)),
        [work, url, spread, clients, seconds, prepared, seed] => {
            let job = Job {
                work: work.parse()?,
                url: (*url).to_owned(),
                clients: clients.parse()?,
                spread: spread.parse()?,
                seconds: seconds.parse()?,
                prepared: prepared.parse()?,
            };
            let seed = seed.parse()?;
            let placed = match job.work {
                Work::Store => runtime.block_on(store::run(&job, seed))?,
            };
            write_log(&placed)
        }
        _ => Err("a child does not know what to do".into()),
    }
}

/// Says that the load has begun.
fn say_ready() {
    println!("ready");
}

fn write_log(placed: &[Placed]) -> Result<(), Failure> {
    let mut text = String::new();
    for Placed { at, latency } in placed {
        writeln!(text, "{at} {latency}")?;
    }
    Ok(fs::write(format!("{LOG}.{}", std::process::id()), text)?)
}

fn read_line(line: &str) -> Option<Placed> {
    let (at, latency) = line.split_once(' ')?;
    Some(Placed { at: at.parse().ok()?, latency: latency.parse().ok()? })
}

impl Work {
    const fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
        }
    }
}

impl FromStr for Work {
    type Err = Failure;

    fn from_str(name: &str) -> Result<Self, Failure> {
        match name {
            "store" => Ok(Self::Store),
            _ => Err(format!("{name} is no work").into()),
        }
    }
}

impl FromStr for Spread {
    type Err = Failure;

    fn from_str(name: &str) -> Result<Self, Failure> {
        [Self::Uniform, Self::Hot].into_iter().find(|spread| spread.name() == name).ok_or_else(|| name.into())
    }
}
