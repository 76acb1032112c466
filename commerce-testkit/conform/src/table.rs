//! What is shown.

#![expect(clippy::print_stdout, reason = "the table is what the program is for")]

use std::process::ExitCode;
use std::time::Duration;

use crate::case::Outcome;

/// Says how a case ended, when it has.
pub(crate) fn note(outcome: &Outcome) {
    match &outcome.result {
        Ok(counted) => eprintln!("ok      {} {counted}", outcome.name),
        Err(reason) => eprintln!("FAILED  {}: {reason}", outcome.name),
    }
}

/// A line for each part, and for each case that failed.
pub(crate) fn show(outcomes: &[Outcome]) -> ExitCode {
    println!("{:<10} {:>6} {:>6} {:>9}", "part", "ok", "failed", "seconds");
    let mut parts: Vec<&str> = outcomes.iter().map(|outcome| outcome.part).collect();
    parts.dedup();
    for part in parts {
        let of_part: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.part == part).collect();
        let failed = of_part.iter().filter(|outcome| outcome.result.is_err()).count();
        let took: Duration = of_part.iter().map(|outcome| outcome.took).sum();
        println!("{part:<10} {:>6} {failed:>6} {:>9.1}", of_part.len().saturating_sub(failed), took.as_secs_f64());
    }
    let failures = outcomes.iter().filter_map(|outcome| Some((outcome, outcome.result.as_ref().err()?)));
    for (outcome, reason) in failures.clone() {
        println!("FAILED {}: {reason}", outcome.name);
    }
    for outcome in outcomes.iter().filter(|outcome| outcome.part != "contract") {
        if let Ok(counted) = &outcome.result {
            println!("{}: {counted}", outcome.name);
        }
    }
    if failures.count() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
