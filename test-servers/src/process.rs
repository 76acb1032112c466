//! A server and its directory, which end with this process.
//!
//! Both are watched by a shell that reads from a pipe whose other end this process holds. The system closes that end however the
//! process ends. The shells have a process group of their own, so that an interrupt from the terminal does not end them first.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::ServerError;
use super::account::Account;
use super::programs::plain;

/// Removes the directory; again, while a server that is stopping still writes to it.
const REMOVE: &str = r#"
read -r _
tries=0
until rm -rf "$1"; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || exit 1
    sleep 0.1
done"#;

/// Says the process id of the server, sends it the signals that are asked for, and stops it in the end. The third descriptor is
/// inherited by all that the server starts: when no process holds it any more, all of them have ended.
const RUN: &str = r#"
abort=$1
after=$2
shift 2
"$@" 3>&1 </dev/null >>log 2>&1 &
server=$!
echo "$server"
exec >/dev/null
while read -r signal; do kill -s "$signal" "$server"; done
kill -s "$abort" "$server"
wait "$server"
eval "$after""#;

/// How long a server may take to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// A shell that does its work when this is dropped or this process ends.
#[derive(Debug)]
struct Watch(Child);

impl Watch {
    fn start(command: &mut Command) -> io::Result<Self> {
        plain(command).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        command.spawn().map(Self)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Closes the pipe first.
        let _ = self.0.wait();
    }
}

/// A temporary directory that the user of servers owns.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    _watch: Watch,
}

impl Directory {
    pub(super) fn create(account: Account, parent: &Path) -> Result<Self, ServerError> {
        let closed = Permissions::from_mode(0o700);
        let directory = tempfile::Builder::new().prefix("commerce-").permissions(closed).tempdir_in(parent)?;
        let watch = Watch::start(Command::new("sh").args(["-c", REMOVE, "watch"]).arg(directory.path()))?;
        let path = directory.keep();
        account.adopt(&path)?;
        Ok(Self { path, _watch: watch })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What the server wrote to its log, from a position on.
    pub(super) fn log(&self, from: usize) -> String {
        let bytes = fs::read(self.path.join("log")).unwrap_or_default();
        String::from_utf8_lossy(bytes.get(from..).unwrap_or_default()).into_owned()
    }
}

/// How a server is run, and ended.
#[derive(Debug)]
pub(super) struct Run {
    /// The program and its arguments.
    pub(super) command: Vec<OsString>,
    /// The signal that ends it at once.
    pub(super) abort: &'static str,
    /// What the shell does after that.
    pub(super) after: &'static str,
}

/// A server that was started.
#[derive(Debug)]
pub(super) struct Process {
    /// The server is a process of this shell, and has not quite ended before the shell has.
    watch: Option<Watch>,
    pid: u32,
    life: JoinHandle<()>,
}

impl Process {
    pub(super) fn start(account: Account, directory: &Path, run: &Run) -> Result<Self, ServerError> {
        let mut command = account.command("sh");
        command.args(["-c", RUN, "watch", run.abort, run.after]).args(&run.command).current_dir(directory);
        let mut watch = Watch::start(&mut command)?;
        let pipe = watch.0.stdout.take().ok_or_else(|| io::Error::other("the shell has no output"))?;
        let mut reader = BufReader::new(pipe);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let pid = line.trim().parse().map_err(io::Error::other)?;
        // Ends when nobody is left who could write, which nobody does.
        let life = thread::spawn(move || drop(reader.read_to_end(&mut Vec::new())));
        Ok(Self { watch: Some(watch), pid, life })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the server and all that it started have ended.
    pub(super) fn is_gone(&self) -> bool {
        self.life.is_finished()
    }

    /// Sends a signal that ends the server, and waits until it is gone.
    pub(super) fn end(&mut self, signal: &str) -> Result<(), ServerError> {
        let pipe = self.watch.as_mut().and_then(|watch| watch.0.stdin.as_mut());
        let Some(pipe) = pipe else { return Ok(()) };
        writeln!(pipe, "{signal}")?;
        let start = Instant::now();
        while !self.is_gone() {
            if start.elapsed() > PATIENCE {
                return Err(ServerError::Stop);
            }
            thread::sleep(Duration::from_millis(2));
        }
        self.watch = None;
        Ok(())
    }
}
