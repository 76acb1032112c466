//! What all servers have in common.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Seek, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use super::account::Account;
use super::process::{Directory, Process, Run};
use super::programs::{plain, run, tail};
use super::{ServerError, ServerOptions, archive, required};

/// The user of the servers, who may do everything.
pub(super) const USER: &str = "commerce";

/// The file of the directory that has the password of [`USER`].
pub(super) const PASSWORD: &str = "password";

/// How long a server may take to start.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// How many ports are tried.
const PORTS: usize = 20;

/// What differs between servers.
pub trait Programs: Sized + 'static {
    /// What a URL begins with.
    const SCHEME: &'static str;
    /// What the log says when the server takes connections.
    const READY: &'static str;
    /// The signal that stops the server in good order, soon.
    const STOP: &'static str;
    /// The signal that stops the server at once.
    const ABORT: &'static str;
    /// What a shell does when the server has ended for good, in its directory.
    const AFTER: &'static str;

    /// Finds the programs.
    ///
    /// # Errors
    /// If one is missing.
    fn find() -> Result<Self, ServerError>;

    /// The command that says which version this is.
    fn version(&self) -> Command;

    /// Adds to a command that runs in an empty directory what makes a server there, whose data are in `data` and whose password is
    /// in `password`.
    ///
    /// # Errors
    /// If a program fails.
    fn install(&self, directory: &Path, password: &str, program: &dyn Fn(&Path) -> Command) -> Result<(), ServerError>;

    /// The command that runs the server.
    fn command(&self, directory: &Path, port: u16, options: &ServerOptions) -> Vec<OsString>;

    /// The command that reads a script and runs it.
    fn client(&self, port: u16, password: &str, database: &str) -> Command;

    /// The server that all tests of a process share.
    fn shared() -> &'static OnceLock<Result<Server<Self>, ServerError>>;
}

/// A server that stops, and whose directory goes, when this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Server<P> {
    // Dropped before the directory.
    pub(super) process: Process,
    pub(super) programs: P,
    pub(super) port: u16,
    pub(super) password: String,
    pub(super) options: ServerOptions,
    pub(super) account: Account,
    pub(super) directory: Directory,
}

impl<P: Programs> Server<P> {
    /// Starts a server and waits until it takes connections.
    ///
    /// # Errors
    /// If it is not installed, or does not start.
    pub fn start(options: &ServerOptions) -> Result<Self, ServerError> {
        let programs = P::find()?;
        let account = Account::of_servers()?;
        let parent = options.directory.clone().unwrap_or_else(env::temp_dir);
        let directory = Directory::create(account, &parent)?;
        install(&programs, account, directory.path())?;
        let password = fs::read_to_string(directory.path().join(PASSWORD))?;
        for _ in 1..PORTS {
            let port = free_port()?;
            match run_server(&programs, account, &directory, port, options) {
                Err(ServerError::Start { log }) if log.contains("Address already in use") => {}
                Err(error) => return Err(error),
                Ok(process) => {
                    let options = options.clone();
                    return Ok(Self { process, programs, port, password, options, account, directory });
                }
            }
        }
        Err(io::Error::other("no port is free").into())
    }

    /// The server that all tests of this process share. It is started when it is first asked for.
    ///
    /// # Panics
    /// If there is none, see [`required`].
    #[track_caller]
    pub fn shared() -> &'static Self {
        required(P::shared().get_or_init(|| Self::start(&ServerOptions::default())).as_ref())
    }

    /// Where a database is found, with the name and password of a user who may do everything.
    pub fn url(&self, database: &str) -> String {
        format!("{}://{USER}:{}@127.0.0.1:{}/{database}", P::SCHEME, self.password, self.port)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The main process of the server, or of the last one that ran.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The directory of the server: its data are in `data`, what it said is in `log`.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Gives a file to the user that the server runs as, such as the key of a certificate. It changes nothing but for root.
    ///
    /// # Errors
    /// If the file is not there.
    pub fn adopt(&self, path: &Path) -> Result<(), ServerError> {
        Ok(self.account.adopt(path)?)
    }

    /// Kills the main process, as a crash would, and waits until all that it started has left too.
    ///
    /// # Errors
    /// If something of it stays.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        self.process.end("KILL")
    }

    /// Stops the server in good order, without waiting for its clients.
    ///
    /// # Errors
    /// If it does not stop.
    pub fn stop(&mut self) -> Result<(), ServerError> {
        self.process.end(P::STOP)
    }

    /// Starts the server again on its port and its data, and stops it first if it runs.
    ///
    /// # Errors
    /// If it does not stop, or does not start.
    pub fn restart(&mut self) -> Result<(), ServerError> {
        self.stop()?;
        self.process = run_server(&self.programs, self.account, &self.directory, self.port, &self.options)?;
        Ok(())
    }

    /// Runs a script with the client program of the server, up to its first error. Gives the rows that it answers, without names
    /// of columns.
    ///
    /// # Errors
    /// If the script fails.
    pub fn sql(&self, database: &str, script: &str) -> Result<String, ServerError> {
        let mut file = tempfile::tempfile()?;
        file.write_all(script.as_bytes())?;
        file.rewind()?;
        run(self.programs.client(self.port, &self.password, database).stdin(file))
    }

    /// Starts the client program of the server, which connects if it can and then waits: its connection stays as long as this does.
    ///
    /// # Errors
    /// If the program does not start.
    pub fn hold(&self, database: &str) -> Result<Held, ServerError> {
        let mut command = self.programs.client(self.port, &self.password, database);
        Ok(Held(command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    }
}

/// A client that does nothing, until this is dropped.
#[derive(Debug)]
pub struct Held(Child);

impl Drop for Held {
    fn drop(&mut self) {
        // It ends at the end of what it reads.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Makes the data of a server, or takes what was kept of another.
fn install(programs: &impl Programs, account: Account, directory: &Path) -> Result<(), ServerError> {
    let version = run(&mut programs.version())?;
    let archive = archive::place(&version, account);
    if archive::unpack(&archive, account, directory) {
        return Ok(());
    }
    let password = format!("{:016x}{:016x}", random(), random());
    fs::write(directory.join(PASSWORD), &password)?;
    account.adopt(&directory.join(PASSWORD))?;
    programs.install(directory, &password, &|program| {
        let mut command = account.command(program);
        plain(&mut command).current_dir(directory);
        command
    })?;
    archive::pack(&archive, directory, &["data", PASSWORD])
}

/// Starts a server on its data and waits until it takes connections.
pub(super) fn run_server<P: Programs>(
    programs: &P,
    account: Account,
    directory: &Directory,
    port: u16,
    options: &ServerOptions,
) -> Result<Process, ServerError> {
    let said = directory.log(0).len();
    let command = programs.command(directory.path(), port, options);
    let process = Process::start(account, directory.path(), &Run { command, abort: P::ABORT, after: P::AFTER })?;
    let start = Instant::now();
    loop {
        let gone = process.is_gone();
        let log = directory.log(said);
        if log.contains(P::READY) && !gone {
            return Ok(process);
        }
        if gone || start.elapsed() > PATIENCE {
            return Err(ServerError::Start { log: tail(&log) });
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// A port below those that the system gives to outgoing connections, so that none of these takes it while the server is down.
pub(super) fn free_port() -> io::Result<u16> {
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let tried = (0..PORTS).filter_map(|_| u16::try_from(15_000 + random() % 15_000).ok());
    tried.into_iter().find(free).ok_or_else(|| io::Error::other("no port is free"))
}

/// The system seeds every hasher anew.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
