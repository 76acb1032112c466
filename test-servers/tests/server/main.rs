//! Servers start, answer, crash and come back; and nothing of them stays.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod galera;
mod left_behind;
mod mariadb;
mod missing;
mod postgres;

use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

fn is_open(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Waits for something that comes soon.
#[track_caller]
fn within(seconds: u64, what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(seconds), "not within {seconds} s: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
