//! `commerce price`: files of requests, answered or refused as a whole.

use std::fs;

use serde_json::Value;

use crate::running::{commerce, directory, run, stderr, stdout, succeed};

const REQUEST: &str = include_str!("../../../examples/data/request.json");

#[test]
fn a_request_is_answered_as_json_or_as_a_table() {
    let directory = directory();
    fs::write(directory.path().join("request.json"), REQUEST).expect("a file");
    let answer: Value = serde_json::from_str(&succeed(directory.path(), &["price", "request.json"])).expect("JSON");
    assert_eq!(answer["total"], "83.01");
    let table = succeed(directory.path(), &["price", "--explain", "request.json"]);
    assert!(table.contains("Spend 12.97 EUR more to reach 80.00 EUR."), "{table}");
    assert!(!directory.path().join("commerce.db").exists(), "no database is needed");
}

#[test]
fn json_lines_are_answered_line_by_line_from_the_standard_input() {
    let directory = directory();
    let line = REQUEST.replace('\n', " ");
    fs::write(directory.path().join("requests.jsonl"), format!("{line}\n{line}\n")).expect("a file");
    let input = fs::File::open(directory.path().join("requests.jsonl")).expect("a file");
    let output = commerce(directory.path()).args(["price", "-"]).stdin(input).output().expect("it runs");
    assert_eq!(stdout(&output).lines().count(), 2, "{}", stderr(&output));
}

#[test]
fn everything_wrong_is_told_with_its_place_and_nothing_is_answered() {
    let directory = directory();
    let (line, twice) = (REQUEST.replace('\n', " "), REQUEST.replace('\n', " ").replace("\"2\"", "\"1\""));
    fs::write(directory.path().join("requests.jsonl"), format!("{line}\n{twice}\n{{}}\n")).expect("a file");
    let output = run(directory.path(), &["price", "requests.jsonl"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""));
    let complaint = stderr(&output);
    assert!(complaint.contains("requests.jsonl: line 2: /lines/1/id: occurs twice"), "{complaint}");
    assert!(complaint.contains("requests.jsonl: line 3: /at: is required"), "{complaint}");
    assert!(complaint.ends_with("nothing was priced, 4 problems\n"), "{complaint}");
}
