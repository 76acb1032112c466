//! Every case of the suite is stamped: the list in the macro and the functions are the same.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

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

/// The cases the macro stamps.
fn listed() -> Vec<(String, String)> {
    let source = include_str!("../src/suite/store.rs");
    let stamp = source.split_once("@stamp ($start)").and_then(|(_, rest)| rest.split_once('}')).unwrap().0;
    let subjects = stamp.split_terminator(';').filter_map(|subject| subject.split_once(':'));
    let named = |(subject, cases): (&str, &str)| {
        let subject = subject.trim().to_owned();
        cases.split_whitespace().map(|case| (subject.clone(), case.to_owned())).collect::<Vec<_>>()
    };
    subjects.flat_map(named).collect()
}

#[test]
fn every_case_is_stamped() {
    let (mut listed, mut written) = (listed(), written());
    listed.sort_unstable();
    written.sort_unstable();
    assert_eq!(listed, written);
    assert!(listed.len() >= 80);
}

/// The functions of a suite in one file, and the cases that its macro stamps.
fn of_one_file(source: &str) -> [Vec<String>; 2] {
    let stamp = source.split_once("@stamp ($start)").and_then(|(_, rest)| rest.split_once('}')).unwrap().0;
    let functions = source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
    let written = functions.filter_map(|rest| rest.split_once('<')).map(|(case, _)| case.to_owned());
    let mut both = [stamp.split_whitespace().map(str::to_owned).collect(), written.collect::<Vec<_>>()];
    for cases in &mut both {
        cases.sort_unstable();
    }
    both
}

#[test]
fn every_case_of_the_smaller_suites_is_stamped() {
    for source in [
        include_str!("../src/suite/targets.rs"),
        include_str!("../src/suite/publisher.rs"),
        include_str!("../src/suite/rate_limiter.rs"),
    ] {
        let [listed, written] = of_one_file(source);
        assert_eq!(listed, written);
        assert!(listed.len() >= 8);
    }
}
