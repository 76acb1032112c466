//! Every case of the suite is stamped: the list in the macro and the functions are the same.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use commerce_testkit::MemoryStore;
use commerce_testkit::suite::{Case, deliveries, store, targets};

/// The cases that stand in the files of the subjects.
fn written() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/suite/store");
    let subjects = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let cases = |path: &Path| {
        let subject = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let source = fs::read_to_string(path).unwrap();
        let functions = source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
        let names = functions.filter_map(|rest| rest.split_once('<')).map(|(case, _)| case.to_owned());
        names.map(|case| (subject.clone(), case)).collect::<Vec<_>>()
    };
    subjects.flat_map(|path| cases(&path)).collect()
}

/// The cases of the list.
fn listed() -> Vec<(String, String)> {
    let named = |case: &Case<MemoryStore>| {
        let (subject, name) = case.name.strip_prefix("store::").unwrap().split_once("::").unwrap();
        (subject.to_owned(), name.to_owned())
    };
    store::cases::<MemoryStore>().iter().map(named).collect()
}

#[test]
fn every_case_is_stamped() {
    let (mut listed, mut written) = (listed(), written());
    listed.sort_unstable();
    written.sort_unstable();
    assert_eq!(listed, written);
    assert!(listed.len() >= 80);
}

/// The functions of a suite in one file.
fn written_in(source: &str) -> Vec<String> {
    let functions = source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
    functions.filter_map(|rest| rest.split_once('<')).map(|(case, _)| case.to_owned()).collect()
}

/// The cases that the macro of a suite stamps.
fn stamped_in(source: &str) -> Vec<String> {
    let stamp = source.split_once("@stamp ($start)").and_then(|(_, rest)| rest.split_once('}')).unwrap().0;
    stamp.split_whitespace().map(str::to_owned).collect()
}

fn check(mut listed: Vec<String>, mut written: Vec<String>) {
    listed.sort_unstable();
    written.sort_unstable();
    assert_eq!(listed, written);
    assert!(listed.len() >= 4);
}

#[test]
fn every_case_of_the_smaller_suites_is_stamped() {
    let named = |case: &Case<MemoryStore>| case.name.split_once("::").unwrap().1.to_owned();
    check(targets::cases().iter().map(named).collect(), written_in(include_str!("../src/suite/targets.rs")));
    check(deliveries::cases().iter().map(named).collect(), written_in(include_str!("../src/suite/deliveries.rs")));
    for source in [
        include_str!("../src/suite/publisher.rs"),
        include_str!("../src/suite/rate_limiter.rs"),
        include_str!("../src/suite/subscription.rs"),
    ] {
        check(stamped_in(source), written_in(source));
    }
}
