//! The double in a process of its own, which is killed.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn start(books: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_remote-double"));
        let mut child = command.arg("--books").arg(books).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("an output")).read_line(&mut line).expect("an address");
        Self { child, address: line.trim().trim_start_matches("http://").to_owned() }
    }

    fn call(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("it ends");
    }
}

fn pay(number: u8) -> String {
    format!(
        r#"{{"operation_id":"01890000-0000-7000-8000-0000000000{number:02}","kind":"authorize",
            "payment_id":"01890000-0000-7000-8000-0000000001{number:02}","order_id":"01890000-0000-7000-8000-000000000200",
            "user_id":"ann","amount_cents":500,"currency":"USD","payment_amount_cents":500,"capture":"automatic","token":"tok_ok"}}"#
    )
}

#[test]
fn books_outlive_the_process() {
    let directory = tempfile::tempdir().expect("a directory");
    let books = directory.path().join("books");
    let first = Running::start(&books);
    let answers: Vec<_> = (1..=3).map(|number| first.call("POST", "/operations", &pay(number))).collect();
    assert!(answers[0].contains("\"succeeded\""), "{}", answers[0]);
    let sums = first.call("GET", "/double/books", "");
    drop(first);
    // A line that the process did not finish.
    let mut file = std::fs::OpenOptions::new().append(true).open(&books).expect("the books");
    file.write_all(b"{\"payment\":\"0189").expect("it is written");
    let second = Running::start(&books);
    assert_eq!(second.call("GET", "/double/books", ""), sums);
    assert_eq!(second.call("POST", "/operations", &pay(2)), answers[1], "it is performed once");
    second.call("POST", "/operations", &pay(4));
    drop(second);
    let third = Running::start(&books);
    assert_eq!(third.call("GET", "/double/books", "").matches("\"captured\":500").count(), 4);
    assert_eq!(third.call("GET", "/events?after=3", "").matches("PaymentSucceeded").count(), 1);
    third.call("POST", "/double/outage?seconds=60", "");
    assert_eq!(third.call("GET", "/events", ""), "", "an outage");
}
