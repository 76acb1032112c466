//! The opponents on `PostgreSQL`: scripts that pgbench runs in prepared mode.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::contender::Spread;
use crate::engine::Postgres;
use crate::load::{Beginning, LOG, Load, Placed};
use crate::{Failure, order};

/// A script that places an order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script {
    pub(crate) name: &'static str,
    text: &'static str,
}

/// The transaction that a good engineer writes by hand.
pub(crate) const HAND_WRITTEN: &[Script] = &[
    Script { name: "stock first", text: include_str!("sql/hand_written.sql") },
    Script { name: "stock last", text: include_str!("sql/hand_written_stock_last.sql") },
];

/// The same in one round trip.
pub(crate) const ONE_ROUND_TRIP: &[Script] = &[
    Script { name: "pipeline", text: include_str!("sql/pipeline.sql") },
    Script { name: "function", text: include_str!("sql/call.sql") },
    Script { name: "statement", text: include_str!("sql/statement.sql") },
];

/// The functions and settings that the scripts need in the database.
pub(crate) const NEEDS: &[&str] = &[
    "CREATE SEQUENCE event_positions;
     SELECT setval('event_positions', position) FROM feed;",
    include_str!("sql/function.sql"),
];

/// Starts pgbench.
pub(crate) fn start(
    server: &Postgres,
    script: &Script,
    clients: usize,
    spread: Spread,
    seconds: u64,
) -> Result<Load, Failure> {
    let directory = tempfile::tempdir()?;
    let mut command = command(server, script, &directory)?;
    let body = order::event_body()?;
    let last_a = if spread == Spread::Hot { order::FIRST } else { order::FIRST + order::THIRD - 1 };
    for variable in ["n=0".to_owned(), format!("last_a={last_a}"), format!("body={body}")] {
        command.arg("-D").arg(variable);
    }
    command.args(["-T", &seconds.to_string(), "-c", &clients.to_string(), "-j", &clients.min(2).to_string()]);
    // Connections are made one after the other, each with a new process of the server.
    let connecting = Duration::from_millis(300 + 6 * u64::try_from(clients)?);
    Load::start(directory, vec![command], Beginning::After(connecting), read_line)
}

fn command(server: &Postgres, script: &Script, directory: &TempDir) -> Result<Command, Failure> {
    let path = directory.path().join("script.sql");
    fs::write(&path, script.text)?;
    let mut command = Command::new(program(server.pid())?);
    command.args(["-n", "-M", "prepared", "-l", "--log-prefix", LOG, "-f"]).arg(path);
    command.env("PGDATABASE", server.url());
    Ok(command)
}

/// Finds pgbench beside the server's program, or on the path.
fn program(server: u32) -> Result<PathBuf, Failure> {
    let beside = fs::read_link(format!("/proc/{server}/exe")).unwrap_or_default().with_file_name("pgbench");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|directory| directory.join("pgbench"));
    let found = std::iter::once(beside).chain(on_path).find(|program| Path::is_file(program));
    found.ok_or_else(|| "pgbench is not installed: it comes with Debian's package postgresql-15 (or newer)".into())
}

/// The fields of a log line: client, number, latency in microseconds, script, time in seconds and microseconds.
fn read_line(line: &str) -> Option<Placed> {
    let fields: Option<Vec<u64>> = line.split(' ').map(|field| field.parse().ok()).collect();
    match fields?.as_slice() {
        [_, _, latency, _, seconds, micros, ..] => Some(Placed { at: seconds * 1_000_000 + micros, latency: *latency }),
        _ => None,
    }
}
