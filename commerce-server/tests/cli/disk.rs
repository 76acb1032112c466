//! A disk that is full.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use commerce_core::actor::Role;
use http::{Method, StatusCode};
use serde_json::json;
use tokio::time::sleep;

use crate::running::{Caller, PATIENCE, Server, commerce, directory, order_of};

/// A server on a disk of its own of a few MiB, and where its files are. `None` if this user cannot mount one.
fn on_a_small_disk(path: &str) -> Option<(Server, PathBuf)> {
    let may_mount = Command::new("unshare").args(["-m", "true"]).output().is_ok_and(|output| output.status.success());
    if !may_mount {
        return None;
    }
    let script = format!("mount -t tmpfs -o size=6m none {path} && cd {path} && exec \"$@\"");
    let arguments = ["-m", "sh", "-c", &script, "sh", env!("CARGO_BIN_EXE_commerce"), "--listen", "127.0.0.1:0"];
    let server = Server::start_with(Command::new("unshare").args(arguments).args([
        "--orders-per-minute",
        "0",
        "--unpaid-orders",
        "0",
        "--unpaid-units",
        "0",
    ]));
    let files = PathBuf::from(format!("/proc/{}/root{path}", server.pid()));
    Some((server, files))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_a_certain_failure_and_shows_in_readyz() {
    let directory = directory();
    let path = directory.path().to_str().expect("text");
    let Some((server, files)) = on_a_small_disk(path) else { return };
    let ann = Caller::guest(server.address).acting(&files, "ann", Role::Customer);
    let admin = ann.acting(&files, "ada", Role::Admin);
    let mug = json!({ "name": "Mug", "variants": [{ "sku": "mug", "price": "2.50" }] });
    for (path, body) in [("/v1/products/mug", mug), ("/v1/inventory/mug", json!({ "on_hand": 100_000 }))] {
        let put = admin.send(Method::PUT, path, None, &body).await.expect("an answer");
        assert_eq!(put.status, StatusCode::OK, "{put:?}");
    }
    assert_eq!(ann.get("/readyz").await.status, StatusCode::OK);
    let filler = files.join("filler");
    fs::write(&filler, vec![0; 8 << 20]).expect_err("the disk is full");

    let mut number = 0;
    let failed = loop {
        let answer = ann.order(&number.to_string(), &order_of("mug", 1)).await.expect("an answer");
        if answer.status != StatusCode::CREATED {
            break answer;
        }
        number += 1;
        assert!(number < 2_000, "the file grows");
    };
    assert_eq!((failed.status, &failed.body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("store_unavailable")));
    for _ in 0..2 {
        assert_eq!(ann.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
        sleep(Duration::from_millis(1_100)).await;
    }
    assert_eq!(ann.get("/v1/products/mug").await.status, StatusCode::OK);

    fs::remove_file(&filler).expect("removed");
    sleep(Duration::from_millis(1_100)).await;
    assert_eq!(ann.get("/readyz").await.status, StatusCode::OK);
    let again = ann.order(&number.to_string(), &order_of("mug", 1)).await.expect("an answer");
    assert_eq!(again.status, StatusCode::CREATED, "{again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_cannot_be_written_costs_no_answer() {
    let directory = directory();
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let full = File::options().write(true).open("/dev/full").expect("a full device");
    let mut command = commerce(directory.path());
    command.args(["--listen", &free.to_string()]).stdout(Stdio::null()).stderr(full);
    let mut server = command.spawn().expect("it starts");
    let (guest, started) = (Caller::guest(free), Instant::now());
    while guest.send(Method::GET, "/v1/nothing", None, &json!(null)).await.is_err() {
        assert!(started.elapsed() < PATIENCE / 4, "it answers");
        sleep(Duration::from_millis(50)).await;
    }
    for _ in 0..5 {
        assert_eq!(guest.get("/v1/products").await.status, StatusCode::OK);
    }
    server.kill().expect("it runs");
    server.wait().expect("it ends");
}
