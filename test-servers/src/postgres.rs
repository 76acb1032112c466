//! `PostgreSQL`.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::instance::{PASSWORD, Programs, Server, USER, free_port, run_server};
use super::process::Directory;
use super::programs::{has_all, plain, run, usual_directories};
use super::{ServerError, ServerOptions};

const NAMES: [&str; 3] = ["postgres", "initdb", "psql"];

/// Memory that processes share is in files of the directory, so that none is left behind by a server that was killed.
const SETTINGS: [(&str, &str); 4] = [
    ("listen_addresses", "127.0.0.1"),
    ("unix_socket_directories", ".."),
    ("max_connections", "200"),
    ("dynamic_shared_memory_type", "mmap"),
];

const NOT_DURABLE: [(&str, &str); 3] = [("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off")];

/// Where the programs of `PostgreSQL` are.
#[derive(Debug)]
pub struct PostgresPrograms(PathBuf);

impl Programs for PostgresPrograms {
    const SCHEME: &'static str = "postgres";
    const READY: &'static str = "ready to accept";
    const STOP: &'static str = "INT";
    const ABORT: &'static str = "QUIT";
    /// A server that was killed leaves a segment of shared memory, and says in its file which.
    const AFTER: &'static str = r#"if segment=$(sed -n '7s/.* //p' data/postmaster.pid); then ipcrm -m "$segment"; fi"#;

    fn find() -> Result<Self, ServerError> {
        let mut directories: Vec<PathBuf> = match env::var_os("COMMERCE_TEST_POSTGRES_BIN") {
            Some(directory) => vec![directory.into()],
            None => packaged().into_iter().chain(usual_directories()).collect(),
        };
        directories.retain(|directory| has_all(directory, &NAMES));
        let missing = ServerError::NotInstalled { program: "PostgreSQL", package: "postgresql" };
        directories.into_iter().next().map(Self).ok_or(missing)
    }

    fn version(&self) -> Command {
        let mut command = Command::new(self.0.join("postgres"));
        command.arg("--version");
        command
    }

    fn install(&self, _: &Path, _: &str, program: &dyn Fn(&Path) -> Command) -> Result<(), ServerError> {
        let mut command = program(&self.0.join("initdb"));
        command.args(["-D", "data", "-U", USER, "--pwfile", PASSWORD, "--auth", "scram-sha-256"]);
        run(command.args(["-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]))?;
        Ok(())
    }

    fn command(&self, directory: &Path, port: u16, options: &ServerOptions) -> Vec<OsString> {
        let mut command: Vec<OsString> = vec![self.0.join("postgres").into(), "-D".into()];
        command.push(directory.join("data").into());
        command.push(format!("--port={port}").into());
        command.extend(options.settings_with(&SETTINGS, &NOT_DURABLE));
        command
    }

    fn client(&self, port: u16, password: &str, database: &str) -> Command {
        let mut command = Command::new(self.0.join("psql"));
        plain(&mut command).args(["-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1"]);
        command.env("PGHOST", "127.0.0.1").env("PGPORT", port.to_string()).env("PGUSER", USER);
        command.env("PGPASSWORD", password).env("PGDATABASE", database);
        command
    }

    fn shared() -> &'static OnceLock<Result<Server<Self>, ServerError>> {
        static SHARED: OnceLock<Result<Server<PostgresPrograms>, ServerError>> = OnceLock::new();
        &SHARED
    }
}

impl Server<PostgresPrograms> {
    /// Makes an empty database.
    ///
    /// # Errors
    /// If there is one of this name.
    pub fn create_database(&self, name: &str) -> Result<(), ServerError> {
        self.sql("postgres", &format!("CREATE DATABASE {}", quoted(name))).map(drop)
    }

    /// Makes a database that begins as a copy of another, to which nobody may be connected.
    ///
    /// # Errors
    /// If there is one of this name, or none to copy.
    pub fn create_database_from(&self, name: &str, template: &str) -> Result<(), ServerError> {
        self.sql("postgres", &format!("CREATE DATABASE {} TEMPLATE {}", quoted(name), quoted(template))).map(drop)
    }
}

impl Server<PostgresPrograms> {
    /// Starts a standby that follows this server, on a port or on a free one. It has the same password.
    ///
    /// # Errors
    /// If the data cannot be copied, or the standby does not start.
    pub fn start_standby(&self, port: Option<u16>) -> Result<Self, ServerError> {
        let programs = PostgresPrograms::find()?;
        let directory = Directory::create(self.account, &env::temp_dir())?;
        let mut copy = self.account.command(programs.0.join("pg_basebackup"));
        plain(&mut copy).current_dir(directory.path()).env("PGPASSWORD", &self.password);
        copy.args(["-D", "data", "-R", "-X", "stream", "-c", "fast", "--no-sync", "-h", "127.0.0.1", "-U", USER]);
        run(copy.args(["-p", &self.port.to_string()]))?;
        let port = port.map_or_else(free_port, Ok)?;
        let process = run_server(&programs, self.account, &directory, port, &self.options)?;
        let (password, options, account) = (self.password.clone(), self.options.clone(), self.account);
        Ok(Self { process, programs, port, password, options, account, directory })
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Where Debian and Ubuntu keep `PostgreSQL`, the newest version first.
fn packaged() -> Vec<PathBuf> {
    let entries = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |name: OsString| name.to_str()?.parse::<u32>().ok();
    let mut versions: Vec<_> = entries.filter_map(|entry| Some((version(entry.file_name())?, entry.path()))).collect();
    versions.sort_unstable();
    versions.into_iter().rev().map(|(_, path)| path.join("bin")).collect()
}
