//! The program under test.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::Failure;
use crate::token::SECRET;

/// How long the program may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(60);
const LOG: &str = "log";
const KEY: &str = "key";

/// A program to measure.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

impl Program {
    /// The program from `PATH` or `NAME=PATH`.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let (name, path) = text.split_once('=').unwrap_or(("commerce", text));
        let path = fs::canonicalize(path).map_err(|error| format!("{path}: {error}"))?;
        Ok(Self { name: name.to_owned(), path })
    }

    /// The one that was built with this generator.
    pub(crate) fn beside() -> Result<Self, Failure> {
        Self::parse(&std::env::current_exe()?.with_file_name("commerce").display().to_string())
    }

    /// The path, and the commit of the tree that it is in.
    pub(crate) fn description(&self) -> String {
        let tree = self.path.parent().unwrap_or(Path::new("."));
        let git = Command::new("git").args(["describe", "--always", "--dirty"]).current_dir(tree).output();
        let commit = git.ok().filter(|git| git.status.success()).map(|git| git.stdout);
        let commit = commit.map(|commit| format!(" in a tree at {}", String::from_utf8_lossy(&commit).trim()));
        format!("{} is {}{}", self.name, self.path.display(), commit.unwrap_or_default())
    }
}

/// A shop of a program: its database and its directory.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) program: Program,
    url: String,
    directory: TempDir,
}

impl Home {
    pub(crate) fn new(program: Program, url: String, directory: TempDir) -> Result<Self, Failure> {
        fs::write(directory.path().join(KEY), SECRET)?;
        Ok(Self { program, url, directory })
    }

    /// The program without settings of this process.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program.path);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("COMMERCE_") {
                command.env_remove(name);
            }
        }
        command.args(["--hs256-file", KEY, "--log-format", "json"]).env("COMMERCE_DATABASE", &self.url);
        command.current_dir(self.directory.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Imports a file of products.
    pub(crate) fn import(&self, products: &str) -> Result<(), Failure> {
        fs::write(self.directory.path().join("products.csv"), products)?;
        let output = self.command().args(["import", "products.csv"]).output()?;
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into()) }
    }

    /// Starts the server, and waits until it serves.
    pub(crate) fn serve(&self) -> Result<Running, Failure> {
        let log = self.directory.path().join(LOG);
        let mut command = self.command();
        command
            .args([
                "--listen",
                "127.0.0.1:0",
                "--orders-per-minute",
                "0",
                "--unpaid-orders",
                "0",
                "--unpaid-units",
                "0",
            ])
            .stderr(File::create(&log)?);
        let child = command.spawn()?;
        let mut running = Running { child, address: SocketAddr::from(([127, 0, 0, 1], 0)), log };
        running.address = running.await_address()?;
        Ok(running)
    }
}

/// A running server. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    pub(crate) address: SocketAddr,
    log: PathBuf,
}

impl Running {
    fn await_address(&mut self) -> Result<SocketAddr, Failure> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE && self.child.try_wait()?.is_none() {
            if let Some(address) = fs::read_to_string(&self.log)?.lines().find_map(address) {
                return Ok(address);
            }
            thread::sleep(Duration::from_millis(5));
        }
        Err(format!("the server does not serve: {}", fs::read_to_string(&self.log)?).into())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The largest resident memory so far, in KiB.
    pub(crate) fn peak_memory(&self) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        Ok(peak.ok_or("the system does not report the memory")?.trim().parse()?)
    }

    /// Asks the server to end, and waits.
    pub(crate) fn stop(mut self) -> Result<(), Failure> {
        Command::new("kill").arg("-TERM").arg(self.pid().to_string()).status()?;
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("the server ended with {status}").into()),
                None => thread::sleep(Duration::from_millis(5)),
            }
        }
        Err("the server does not end".into())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in a line of the log.
fn address(line: &str) -> Option<SocketAddr> {
    let line: Value = serde_json::from_str(line).ok()?;
    (line["message"] == "serving").then(|| line["address"].as_str()?.parse().ok()).flatten()
}
