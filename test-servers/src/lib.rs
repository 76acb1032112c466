//! Real database servers and message brokers for tests: each on a free loopback port, in a temporary directory, with a password of its own.
//!
//! ```no_run
//! use test_servers::Postgres;
//!
//! let server = Postgres::shared();
//! server.create_database("shop").expect("a database of this name is new");
//! let url = server.url("shop");
//! # let _ = url;
//! ```
//!
//! Nothing is left behind, however the test process ends, be it by `SIGKILL`: a small shell watches a pipe that this process
//! holds, stops the server and removes the directory when the pipe closes.
//!
//! Servers do not run as root. A test that runs as root starts them as `nobody`.
//!
//! # What this module never does
//! * It skips no test: a server that is missing fails it, see [`required`].
//! * It listens on loopback only, and knows no password that another user of the machine could know.
//! * It speaks to a server through the client programs that come with it, and needs no database crate.

mod account;
mod archive;
mod broker;
mod galera;
mod instance;
mod mariadb;
mod postgres;
mod process;
mod programs;

use std::ffi::OsString;
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use self::account::Account;
pub use self::broker::{Broker, BrokerKind, Identity};
pub use self::galera::Galera;
pub use self::instance::{Held, Programs, Server};
pub use self::mariadb::MariaDbPrograms;
pub use self::postgres::PostgresPrograms;

/// A `PostgreSQL` server.
pub type Postgres = Server<PostgresPrograms>;

/// A `MariaDB` server.
pub type MariaDb = Server<MariaDbPrograms>;

/// How a server is started.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// Whether what is committed must survive a crash: for benchmarks and tests of crashes. Without it the server is faster
    /// than it may be anywhere else.
    pub durable: bool,
    /// Settings of the server, as in its configuration file. They win over those of this crate.
    pub settings: Vec<(String, String)>,
    /// Where the temporary directory is made: that of the system, if `None`.
    pub directory: Option<PathBuf>,
}

impl ServerOptions {
    /// The arguments that make these settings, after those of this crate.
    fn settings_with(&self, own: &[(&str, &str)], not_durable: &[(&str, &str)]) -> Vec<OsString> {
        let not_durable = if self.durable { &[] } else { not_durable };
        let own = own.iter().chain(not_durable).map(|(name, value)| format!("--{name}={value}"));
        let given = self.settings.iter().map(|(name, value)| format!("--{name}={value}"));
        own.chain(given).map(OsString::from).collect()
    }
}

/// Why there is no server, or why it did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A program was not found.
    #[error(
        "{program} is not installed. Run `apt-get install -y --no-install-recommends {package}` as root, or \
         `cargo xtask test`, which does so"
    )]
    NotInstalled {
        /// The program.
        program: &'static str,
        /// The package of Debian and Ubuntu that has it.
        package: &'static str,
    },
    /// The server ended, or was not ready in time.
    #[error("the server did not start. The end of its log:\n{log}")]
    Start {
        /// The last lines of the log.
        log: String,
    },
    /// The server was told to stop, and did not.
    #[error("the server did not stop")]
    Stop,
    /// A program failed.
    #[error("{program}: {output}")]
    Command {
        /// The program.
        program: String,
        /// What it said.
        output: String,
    },
    /// The system refused a file, a port or a process.
    #[error("while a server was prepared: {0}")]
    Io(#[from] io::Error),
}

/// Takes a server, or whatever else a test needs, and fails the test if there is none. No test is skipped for want of a server.
///
/// # Panics
/// If there is an error, with its text.
#[track_caller]
pub fn required<T, E: Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("this test needs a database server: {error}"),
    }
}

/// Gives a file to the user that servers run as, such as the key of a certificate. It changes nothing but for root.
///
/// # Errors
/// If the file is not there.
pub fn adopt(path: &Path) -> Result<(), ServerError> {
    Ok(Account::of_servers()?.adopt(path)?)
}
