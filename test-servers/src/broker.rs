//! Message brokers: NATS with `JetStream`, and Redis.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::ServerError;
use super::account::Account;
use super::instance::{PATIENCE, USER, free_port, random};
use super::process::{Directory, Process, Run};
use super::programs::{tail, usual_directories};

/// The kind of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerKind {
    /// NATS with `JetStream`, which flushes every message.
    Nats,
    /// Redis with an append-only file, which flushes every write.
    Redis,
}

impl BrokerKind {
    const fn program(self) -> (&'static str, &'static str) {
        match self {
            Self::Nats => ("nats-server", "nats-server"),
            Self::Redis => ("redis-server", "redis-server"),
        }
    }

    /// What the log says when the broker takes connections.
    const fn ready(self) -> &'static str {
        match self {
            Self::Nats => "Server is ready",
            Self::Redis => "Ready to accept connections",
        }
    }

    /// The configuration file of a broker, which keeps its data in `data`.
    fn config(self, directory: &Path, port: u16, password: &str) -> String {
        let data = directory.join("data");
        let data = data.display();
        match self {
            Self::Nats => format!(
                "listen: \"127.0.0.1:{port}\"\nauthorization {{ user: {USER}, password: \"{password}\" }}\n\
                 jetstream {{ store_dir: \"{data}\" }}\n"
            ),
            Self::Redis => format!(
                "bind 127.0.0.1\nport {port}\ndir {data}\nsave \"\"\nappendonly yes\nappendfsync always\n\
                 requirepass {password}\nuser {USER} on >{password} ~* &* +@all\n"
            ),
        }
    }

    fn command(self, program: &Path, config: &Path) -> Vec<OsString> {
        match self {
            Self::Nats => vec![program.into(), "-c".into(), config.into()],
            Self::Redis => vec![program.into(), config.into()],
        }
    }
}

/// A broker that stops, and whose directory goes, when this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Broker {
    // Dropped before the directory.
    process: Process,
    kind: BrokerKind,
    port: u16,
    password: String,
    account: Account,
    directory: Directory,
}

impl Broker {
    /// Starts a broker on a free port and waits until it takes connections.
    ///
    /// # Errors
    /// If it is not installed, or does not start.
    pub fn start(kind: BrokerKind) -> Result<Self, ServerError> {
        Self::configured(kind, "")
    }

    /// Starts a broker with further lines in its configuration file.
    ///
    /// # Errors
    /// As [`Broker::start`].
    pub fn configured(kind: BrokerKind, lines: &str) -> Result<Self, ServerError> {
        let account = Account::of_servers()?;
        let directory = Directory::create(account, &env::temp_dir())?;
        fs::create_dir(directory.path().join("data"))?;
        account.adopt(&directory.path().join("data"))?;
        let password = format!("{:016x}{:016x}", random(), random());
        let port = free_port()?;
        let config = directory.path().join("config");
        fs::write(&config, kind.config(directory.path(), port, &password) + lines)?;
        account.adopt(&config)?;
        let process = run(kind, account, &directory)?;
        Ok(Self { process, kind, port, password, account, directory })
    }

    /// Where the broker is found, with the name and password of a user who may do everything.
    pub fn url(&self) -> String {
        let scheme = match self.kind {
            BrokerKind::Nats => "nats",
            BrokerKind::Redis => "redis",
        };
        format!("{scheme}://{USER}:{}@127.0.0.1:{}", self.password, self.port)
    }

    /// Kills the broker, as a crash would.
    ///
    /// # Errors
    /// If it stays.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        self.process.end("KILL")
    }

    /// Starts it again on its port and its data.
    ///
    /// # Errors
    /// If it does not start.
    pub fn restart(&mut self) -> Result<(), ServerError> {
        self.kill()?;
        self.process = run(self.kind, self.account, &self.directory)?;
        Ok(())
    }
}

fn run(kind: BrokerKind, account: Account, directory: &Directory) -> Result<Process, ServerError> {
    let (program, package) = kind.program();
    let found = usual_directories().map(|directory| directory.join(program)).find(|path| path.is_file());
    let program = found.ok_or(ServerError::NotInstalled { program, package })?;
    let said = directory.log(0).len();
    let command = kind.command(&program, &directory.path().join("config"));
    let process = Process::start(account, directory.path(), &Run { command, abort: "KILL", after: "" })?;
    let start = Instant::now();
    loop {
        let (gone, log) = (process.is_gone(), directory.log(said));
        if log.contains(kind.ready()) && !gone {
            return Ok(process);
        }
        if gone || start.elapsed() > PATIENCE {
            return Err(ServerError::Start { log: tail(&log) });
        }
        thread::sleep(Duration::from_millis(5));
    }
}
