//! Installs the programs that the tests start, where they are missing.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Outcome, finish};

/// Something that the tests start.
pub(crate) struct Need {
    pub(crate) what: &'static str,
    pub(crate) package: &'static str,
    /// What systemd would start when the package is installed.
    pub(crate) unit: Option<&'static str>,
    pub(crate) is_here: fn() -> bool,
}

/// What the tests of the workspace start.
pub(crate) const SERVERS: &[Need] = &[
    Need { what: "PostgreSQL", package: "postgresql", unit: Some("postgresql.service"), is_here: has_postgres },
    Need { what: "MariaDB", package: "mariadb-server", unit: Some("mariadb.service"), is_here: has_mariadb },
    Need {
        what: "Galera",
        package: "galera-4",
        unit: None,
        is_here: || Path::new("/usr/lib/galera/libgalera_smm.so").is_file(),
    },
    Need {
        what: "NATS",
        package: "nats-server",
        unit: Some("nats-server.service"),
        is_here: || on_path("nats-server"),
    },
    Need {
        what: "RabbitMQ",
        package: "rabbitmq-server",
        unit: Some("rabbitmq-server.service"),
        is_here: || Path::new("/usr/lib/rabbitmq/bin/rabbitmq-server").is_file(),
    },
    Need {
        what: "Redis",
        package: "redis-server",
        unit: Some("redis-server.service"),
        is_here: || on_path("redis-server"),
    },
    Need { what: "rsync", package: "rsync", unit: None, is_here: || on_path("rsync") },
    Need { what: "lsof", package: "lsof", unit: None, is_here: || on_path("lsof") },
    Need { what: "ip", package: "iproute2", unit: None, is_here: || on_path("ip") },
    // The client of Kafka is built with them.
    Need { what: "make", package: "make", unit: None, is_here: || on_path("make") },
    Need { what: "a C++ compiler", package: "g++", unit: None, is_here: || on_path("c++") },
    Need { what: "curl", package: "curl", unit: None, is_here: || on_path("curl") },
];

const INSTALL: [&str; 3] = ["install", "-y", "--no-install-recommends"];

/// Makes sure that every program is here, and asks nothing.
pub(crate) fn provide(needs: &[Need]) -> Outcome {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.is_here)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let whats: Vec<_> = missing.iter().map(|need| need.what).collect();
    let packages: Vec<_> = missing.iter().map(|need| need.package).collect();
    let (whats, command) = (whats.join(", "), format!("apt-get {} {}", INSTALL.join(" "), packages.join(" ")));
    if !on_path("apt-get") {
        return Err(format!("the tests start {whats}: install it, as this system has no apt-get to do so"));
    }
    let Some(root) = Root::find() else {
        return Err(format!(
            "the tests start {whats}, and only root can install it. Run this, then try again:\nsudo {command}"
        ));
    };
    eprintln!("   missing: {whats}. Installing the packages {}", packages.join(", "));
    let units: Vec<_> = missing.iter().filter_map(|need| need.unit).collect();
    root.without_starting(&units, || root.install(&packages))?;
    match missing.iter().find(|need| !(need.is_here)()) {
        Some(need) => Err(format!("the package {} is installed, but {} is not found", need.package, need.what)),
        None => Ok(()),
    }
}

/// How root's commands are run.
struct Root {
    through_sudo: bool,
}

impl Root {
    /// None if this user may not become root without being asked.
    fn find() -> Option<Self> {
        let says = |program: &str, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output().ok()?;
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let is_root = says("id", &["-u"]).as_deref() == Some("0");
        if is_root || says("sudo", &["-n", "true"]).is_some() { Some(Self { through_sudo: !is_root }) } else { None }
    }

    fn run(&self, words: &[&str]) -> Outcome {
        let prefix: &[&str] = if self.through_sudo { &["sudo", "-n"] } else { &[] };
        let words = [prefix, words].concat();
        finish(Command::new(words[0]).args(&words[1..]))
    }

    /// Asks for newer lists of packages only if it does not work with those that are here.
    fn install(&self, packages: &[&str]) -> Outcome {
        // The run level keeps a system without systemd from starting what was installed.
        let quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "-qq"];
        let install = [&quiet[..], &INSTALL, packages].concat();
        self.run(&install).or_else(|_| {
            self.run(&[&quiet[..], &["update"]].concat())?;
            self.run(&install)
        })
    }

    /// Hides units from systemd, if that runs here, for as long as something is done.
    fn without_starting(&self, units: &[&str], done: impl Fn() -> Outcome) -> Outcome {
        if units.is_empty() || !Path::new("/run/systemd/system").is_dir() {
            return done();
        }
        self.run(&[&["systemctl", "mask", "--runtime", "--quiet"], units].concat())?;
        let outcome = done();
        self.run(&[&["systemctl", "unmask", "--runtime", "--quiet"], units].concat())?;
        outcome
    }
}

fn has_postgres() -> bool {
    let given = env::var_os("COMMERCE_TEST_POSTGRES_BIN").map(PathBuf::from);
    let packaged = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut directories = given.into_iter().chain(packaged.map(|entry| entry.path().join("bin")));
    directories.any(|directory| directory.join("initdb").is_file()) || on_path("initdb")
}

fn has_mariadb() -> bool {
    let server = on_path("mariadbd") || on_path("mysqld");
    server && (on_path("mariadb-install-db") || on_path("mysql_install_db"))
}

/// Looks where servers are kept too, which is not on the path of every user.
pub(crate) fn on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let servers = ["/usr/sbin", "/usr/libexec", "/usr/local/sbin"].map(PathBuf::from);
    env::split_paths(&path).chain(servers).any(|directory| directory.join(program).is_file())
}
