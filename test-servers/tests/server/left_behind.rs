//! A process that ends leaves no server and no directory.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use test_servers::{MariaDb, Postgres, Programs, Server, ServerOptions, required};

use crate::{is_open, within};

/// Names the file into which the child writes the ports and directories of its servers.
const REPORT: &str = "COMMERCE_TEST_REPORT";

/// Is run by the other tests in a process of its own, and waits to be killed.
#[test]
#[ignore = "it is a part of the other tests"]
fn child() {
    let Some(report) = env::var_os(REPORT).map(PathBuf::from) else { return };
    let alone = required(Postgres::start(&ServerOptions::default()));
    let lines = [line(&alone), line(Postgres::shared()), line(MariaDb::shared())];
    fs::write(report.with_extension("new"), lines.concat()).unwrap();
    fs::rename(report.with_extension("new"), &report).unwrap();
    within(60, "the parent ends this process", || !report.exists());
}

fn line<P: Programs>(server: &Server<P>) -> String {
    format!("{} {}\n", server.port(), server.directory().display())
}

/// Starts the child and waits for its servers.
fn servers_of_a_child(report: &Path) -> (Child, Vec<(u16, PathBuf)>) {
    let mut command = Command::new(env::current_exe().unwrap());
    let child = command.args(["--exact", "left_behind::child", "--ignored"]).env(REPORT, report).spawn().unwrap();
    within(60, "the child starts its servers", || report.exists());
    let lines = fs::read_to_string(report).unwrap();
    let servers: Vec<(u16, PathBuf)> = lines
        .lines()
        .map(|line| {
            let (port, directory) = line.split_once(' ').unwrap();
            (port.parse().unwrap(), directory.into())
        })
        .collect();
    assert!(servers.iter().all(|(port, directory)| is_open(*port) && directory.is_dir()), "{lines}");
    (child, servers)
}

fn all_go(servers: &[(u16, PathBuf)]) {
    for (port, directory) in servers {
        within(10, "the port is closed", || !is_open(*port));
        within(10, "the directory is gone", || !directory.exists());
    }
}

#[test]
fn a_killed_process_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (mut child, servers) = servers_of_a_child(&directory.path().join("report"));
    child.kill().unwrap();
    child.wait().unwrap();
    all_go(&servers);
}

#[test]
fn a_process_that_ends_well_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let report = directory.path().join("report");
    let (mut child, servers) = servers_of_a_child(&report);
    fs::remove_file(report).unwrap();
    assert!(child.wait().unwrap().success());
    all_go(&servers);
}
