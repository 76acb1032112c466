//! Child processes of this program, which fill a database or place orders.

mod mariadb;
mod reads;
mod store;

use std::fmt::Write;
use std::fs;
use std::process::Command;
use std::str::FromStr;

use crate::Failure;
use crate::contender::Spread;
use crate::engine::Filling;
use crate::load::{Beginning, LOG, Load, Placed};

/// The first argument of a child.
pub(crate) const ARGUMENT: &str = "--child";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Places orders with our store.
    Store,
    /// Places orders on `MariaDB` with a hand-written transaction.
    ByHand,
}

#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) work: Work,
    pub(crate) url: String,
    pub(crate) clients: usize,
    pub(crate) spread: Spread,
    pub(crate) seconds: u64,
    /// The number of orders that are built before the first is placed.
    pub(crate) prepared: usize,
    /// Jobs with different seeds place different orders. A second process uses the next seed.
    pub(crate) seed: u32,
}

pub(crate) fn prepare(url: &str) -> Result<(), Failure> {
    said(command()?.args(["prepare", url])).map(drop)
}

/// The output of a child after its end.
fn said(command: &mut Command) -> Result<String, Failure> {
    let output = command.output()?;
    let [said, complaints] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    if output.status.success() { Ok(said) } else { Err(complaints.into()) }
}

/// Median latencies of reads, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reads {
    /// Of one of the newest 10,000 orders.
    pub(crate) recent: u64,
    /// Of one of all orders.
    pub(crate) any: u64,
    /// Of a user's newest orders.
    pub(crate) newest: u64,
    /// Of a page in the middle of a user's orders.
    pub(crate) middle: u64,
}

/// Measures reads in a database that was filled.
pub(crate) fn reads(url: &str, filling: &Filling) -> Result<Reads, Failure> {
    let numbers = [filling.orders, filling.step].map(|n| n.to_string());
    let said = said(command()?.args(["reads", url]).args(numbers))?;
    let latencies: Vec<u64> = said.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    match latencies.as_slice() {
        [recent, any, newest, middle] => Ok(Reads { recent: *recent, any: *any, newest: *newest, middle: *middle }),
        _ => Err(format!("these are no latencies: {said}").into()),
    }
}

/// Starts processes that place orders.
pub(crate) fn start(job: &Job, processes: usize) -> Result<Load, Failure> {
    let numbers =
        |seed: u32| [job.clients.to_string(), job.seconds.to_string(), job.prepared.to_string(), seed.to_string()];
    let commands = (job.seed..).take(processes).map(|seed| {
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

/// Runs the child that the arguments describe.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match arguments.as_slice() {
        ["prepare", url] => runtime.block_on(store::prepare(url)),
        ["reads", url, orders, step] => {
            let Reads { recent, any, newest, middle } =
                runtime.block_on(reads::run(url, orders.parse()?, step.parse()?))?;
            println!("{recent} {any} {newest} {middle}");
            Ok(())
        }
        [work, url, spread, clients, seconds, prepared, seed] => {
            let job = Job {
                work: work.parse()?,
                url: (*url).to_owned(),
                clients: clients.parse()?,
                spread: spread.parse()?,
                seconds: seconds.parse()?,
                prepared: prepared.parse()?,
                seed: seed.parse()?,
            };
            let placed = match job.work {
                Work::Store => runtime.block_on(store::run(&job))?,
                Work::ByHand => runtime.block_on(mariadb::run(&job))?,
            };
            write_log(&placed)
        }
        _ => Err("a child does not know what to do".into()),
    }
}

/// Reports that the load has started.
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
            Self::ByHand => "by-hand",
        }
    }
}

impl FromStr for Work {
    type Err = Failure;

    fn from_str(name: &str) -> Result<Self, Failure> {
        [Self::Store, Self::ByHand].into_iter().find(|work| work.name() == name).ok_or_else(|| name.into())
    }
}

impl FromStr for Spread {
    type Err = Failure;

    fn from_str(name: &str) -> Result<Self, Failure> {
        [Self::Uniform, Self::Hot].into_iter().find(|spread| spread.name() == name).ok_or_else(|| name.into())
    }
}
