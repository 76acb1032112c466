//! `MariaDB`.

use std::ffi::OsString;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::instance::{Programs, Server, USER};
use super::programs::{plain, run, usual_directories};
use super::{ServerError, ServerOptions};

const SETTINGS: [(&str, &str); 5] = [
    ("bind-address", "127.0.0.1"),
    ("socket", "../socket"),
    ("max-connections", "200"),
    ("skip-name-resolve", "ON"),
    ("character-set-server", "utf8mb4"),
];

const NOT_DURABLE: [(&str, &str); 3] =
    [("innodb-flush-log-at-trx-commit", "0"), ("innodb-doublewrite", "OFF"), ("loose-innodb-flush-method", "nosync")];

/// The log of an installation is as short as it may be. The server makes it as long as it wants.
const SHORT_LOG: &str = "--innodb-log-file-size=4M";

/// Where the programs of `MariaDB` are.
#[derive(Debug)]
pub struct MariaDbPrograms {
    server: PathBuf,
    install: PathBuf,
    client: PathBuf,
}

impl Programs for MariaDbPrograms {
    const SCHEME: &'static str = "mysql";
    const READY: &'static str = "ready for connections";
    const STOP: &'static str = "TERM";
    const ABORT: &'static str = "KILL";
    const AFTER: &'static str = "";

    fn find() -> Result<Self, ServerError> {
        Ok(Self {
            server: one_of(&["mariadbd", "mysqld"])?,
            install: one_of(&["mariadb-install-db", "mysql_install_db"])?,
            client: one_of(&["mariadb", "mysql"])?,
        })
    }

    fn version(&self) -> Command {
        let mut command = Command::new(&self.server);
        command.args(["--no-defaults", "--version"]);
        command
    }

    fn install(&self, directory: &Path, password: &str, program: &dyn Fn(&Path) -> Command) -> Result<(), ServerError> {
        let mut data = OsString::from("--datadir=");
        data.push(directory.join("data"));
        let mut install = program(&self.install);
        install.args(["--no-defaults", "--skip-test-db", "--skip-name-resolve", SHORT_LOG]).arg(&data);
        run(&mut install)?;
        let mut script = tempfile::tempfile()?;
        writeln!(script, "FLUSH PRIVILEGES;")?;
        writeln!(script, "CREATE USER '{USER}'@'127.0.0.1' IDENTIFIED BY '{password}';")?;
        writeln!(script, "GRANT ALL PRIVILEGES ON *.* TO '{USER}'@'127.0.0.1' WITH GRANT OPTION;")?;
        script.rewind()?;
        run(program(&self.server).args(["--no-defaults", "--bootstrap", SHORT_LOG]).arg(data).stdin(script))?;
        Ok(())
    }

    fn command(&self, directory: &Path, port: u16, options: &ServerOptions) -> Vec<OsString> {
        let mut command: Vec<OsString> = vec![self.server.clone().into(), "--no-defaults".into()];
        for (name, path) in [("--datadir=", directory.join("data")), ("--tmpdir=", directory.to_owned())] {
            let mut argument = OsString::from(name);
            argument.push(path);
            command.push(argument);
        }
        command.push(format!("--port={port}").into());
        command.extend(options.settings_with(&SETTINGS, &NOT_DURABLE));
        command
    }

    fn client(&self, port: u16, password: &str, database: &str) -> Command {
        let mut command = Command::new(&self.client);
        plain(&mut command).args(["--no-defaults", "--batch", "--raw", "--skip-column-names", "--protocol=tcp"]);
        command.args(["--host=127.0.0.1", &format!("--port={port}"), &format!("--user={USER}")]);
        command.arg(format!("--database={database}")).env("MYSQL_PWD", password);
        command
    }

    fn shared() -> &'static OnceLock<Result<Server<Self>, ServerError>> {
        static SHARED: OnceLock<Result<Server<MariaDbPrograms>, ServerError>> = OnceLock::new();
        &SHARED
    }
}

impl Server<MariaDbPrograms> {
    /// Makes an empty database.
    ///
    /// # Errors
    /// If there is one of this name.
    pub fn create_database(&self, name: &str) -> Result<(), ServerError> {
        self.sql("mysql", &format!("CREATE DATABASE `{}`", name.replace('`', "``"))).map(drop)
    }
}

/// A program that has had several names.
fn one_of(names: &[&str]) -> Result<PathBuf, ServerError> {
    let paths = names.iter().flat_map(|name| usual_directories().map(move |directory| directory.join(name)));
    let missing = ServerError::NotInstalled { program: "MariaDB", package: "mariadb-server" };
    paths.into_iter().find(|path| path.is_file()).ok_or(missing)
}
