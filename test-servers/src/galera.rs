//! A Galera cluster of `MariaDB`: several servers that take writes and replicate them to each other.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::instance::{PATIENCE, free_port};
use super::programs::usual_directories;
use super::{MariaDb, ServerError, ServerOptions};

const PROVIDER: &str = "/usr/lib/galera/libgalera_smm.so";

/// The programs that copy the data to a node that joins, with their packages.
const PROGRAMS: [(&str, &str); 3] = [("rsync", "rsync"), ("lsof", "lsof"), ("ip", "iproute2")];

/// Time-outs by which the other nodes notice a lost one within seconds. Shorter ones split the cluster on a busy machine.
const TIMES: &str = "evs.keepalive_period=PT0.5S;evs.inactive_check_period=PT0.25S;evs.suspect_timeout=PT2S;\
                     evs.inactive_timeout=PT4S;evs.install_timeout=PT4S;gcache.size=32M";

/// A cluster whose nodes stop when this is dropped.
#[derive(Debug)]
pub struct Galera {
    nodes: Vec<MariaDb>,
}

impl Galera {
    /// Starts a cluster and waits until every node takes writes.
    ///
    /// # Errors
    /// If a program is missing, or a node does not start.
    pub fn start(size: usize) -> Result<Self, ServerError> {
        find()?;
        let mut ports = Vec::new();
        for _ in 0..size {
            ports.push([free_port()?, free_port()?, free_port()?]);
        }
        let mut nodes = Vec::new();
        for number in 0..size {
            let options = ServerOptions { settings: settings(&ports, number), ..ServerOptions::default() };
            let node = MariaDb::start(&options)?;
            until_ready(&node)?;
            nodes.push(node);
        }
        Ok(Self { nodes })
    }

    /// The nodes, all of which have the same data and the same password.
    pub fn nodes(&self) -> &[MariaDb] {
        &self.nodes
    }

    /// Kills a node, as a crash would.
    ///
    /// # Errors
    /// If something of it stays.
    pub fn kill(&mut self, node: usize) -> Result<(), ServerError> {
        self.nodes[node].kill()
    }
}

fn find() -> Result<(), ServerError> {
    if !Path::new(PROVIDER).is_file() {
        return Err(ServerError::NotInstalled { program: "Galera", package: "galera-4" });
    }
    let missing = |(name, _): &&(&str, _)| !usual_directories().any(|directory| directory.join(name).is_file());
    match PROGRAMS.iter().find(missing) {
        Some((program, package)) => Err(ServerError::NotInstalled { program, package }),
        None => Ok(()),
    }
}

/// The settings of a node, given the ports of all: of the group, of the copy of all data, and of the copy of the latest changes.
/// The first node makes the cluster.
fn settings(ports: &[[u16; 3]], number: usize) -> Vec<(String, String)> {
    let [group, all, latest] = ports[number];
    let members: Vec<_> = ports[..number].iter().map(|[group, ..]| format!("127.0.0.1:{group}")).collect();
    let provider = format!(
        "base_host=127.0.0.1;base_port={group};gmcast.listen_addr=tcp://127.0.0.1:{group};\
         ist.recv_addr=127.0.0.1:{latest};ist.recv_bind=127.0.0.1:{latest};{TIMES}"
    );
    let settings = [
        ("binlog-format", "ROW".to_owned()),
        ("innodb-autoinc-lock-mode", "2".to_owned()),
        ("innodb-buffer-pool-size", "64M".to_owned()),
        ("wsrep-on", "ON".to_owned()),
        ("wsrep-provider", PROVIDER.to_owned()),
        ("wsrep-cluster-name", format!("commerce-{}", ports[0][0])),
        ("wsrep-cluster-address", format!("gcomm://{}", members.join(","))),
        ("wsrep-node-name", format!("node-{number}")),
        ("wsrep-node-address", format!("127.0.0.1:{group}")),
        ("wsrep-sst-method", "rsync".to_owned()),
        ("wsrep-sst-receive-address", format!("127.0.0.1:{all}")),
        ("wsrep-provider-options", provider),
    ];
    settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn until_ready(node: &MariaDb) -> Result<(), ServerError> {
    let start = Instant::now();
    loop {
        let status = node.sql("mysql", "SHOW STATUS LIKE 'wsrep_ready'");
        match status {
            Ok(status) if status.trim_end().ends_with("ON") => return Ok(()),
            Ok(_) | Err(_) if start.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(100)),
            Ok(status) => return Err(ServerError::Start { log: status }),
            Err(error) => return Err(error),
        }
    }
}
