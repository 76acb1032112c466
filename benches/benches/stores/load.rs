//! A running load: one or more processes that place orders, and their logs.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use benches::cpu;
use tempfile::TempDir;

use crate::Failure;

/// A placed order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    /// The time of the answer, in microseconds since 1970.
    pub(crate) at: u64,
    /// In microseconds.
    pub(crate) latency: u64,
}

/// How a process reports that it has started.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Beginning {
    /// It prints a line.
    Says,
    /// It does not report. It has started after this time.
    After(Duration),
}

/// Reads a line of a log.
pub(crate) type ReadLine = fn(&str) -> Option<Placed>;

/// Processes that place orders.
#[derive(Debug)]
pub(crate) struct Load {
    processes: Vec<Child>,
    directory: TempDir,
    read: ReadLine,
}

impl Load {
    /// Starts processes that write logs to a directory, and waits until they have started.
    pub(crate) fn start(
        directory: TempDir,
        commands: Vec<Command>,
        beginning: Beginning,
        read: ReadLine,
    ) -> Result<Self, Failure> {
        let mut load = Self { processes: Vec::new(), directory, read };
        for mut command in commands {
            command.current_dir(load.directory.path()).stdout(Stdio::piped()).stderr(load.complaints()?);
            load.processes.push(command.spawn()?);
        }
        match beginning {
            Beginning::After(pause) => thread::sleep(pause),
            Beginning::Says => load.await_words()?,
        }
        Ok(load)
    }

    fn complaints(&self) -> Result<fs::File, Failure> {
        Ok(fs::File::options().create(true).append(true).open(self.directory.path().join("complaints"))?)
    }

    fn await_words(&mut self) -> Result<(), Failure> {
        for process in &mut self.processes {
            if let Some(output) = process.stdout.take() {
                BufReader::new(output).read_line(&mut String::new())?;
            }
        }
        Ok(())
    }

    /// The processor time of all processes.
    pub(crate) fn cpu(&self) -> Duration {
        self.processes.iter().map(|process| cpu::of_family(process.id())).sum()
    }

    /// Waits for the end, and returns the placed orders.
    pub(crate) fn finish(mut self) -> Result<Vec<Placed>, Failure> {
        for process in self.processes.drain(..) {
            let output = process.wait_with_output()?;
            if !output.status.success() {
                let complaints = fs::read_to_string(self.directory.path().join("complaints"))?;
                return Err(format!("a load failed: {complaints}").into());
            }
        }
        let mut placed = Vec::new();
        for entry in fs::read_dir(self.directory.path())? {
            placed.extend(read_log(&entry?.path(), self.read)?);
        }
        Ok(placed)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn read_log(path: &Path, read: ReadLine) -> Result<Vec<Placed>, Failure> {
    if !path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(LOG)) {
        return Ok(Vec::new());
    }
    let lines = fs::read_to_string(path)?;
    let placed: Option<Vec<Placed>> = lines.lines().map(read).collect();
    placed.ok_or_else(|| "a log has an invalid line".into())
}

/// The beginning of the names of logs.
pub(crate) const LOG: &str = "orders";
