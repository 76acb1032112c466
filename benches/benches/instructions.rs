//! The instructions and allocations of a quote, which do not depend on the load of the machine.
//!
//! Runs itself under valgrind twice, with one quote and with more, and takes the difference, so that the start and the creation
//! of the cart do not count. Without valgrind it prints a note and succeeds.

#![expect(clippy::print_stdout, reason = "a report goes to standard output")]

#[path = "shared/cart.rs"]
mod cart;

use std::env;
use std::hint::black_box;
use std::io;
use std::process::{Command, ExitCode};

use commerce_core::pricing::{Request, price};

/// The first argument of a measured run.
const COUNTED: &str = "--counted";
/// The difference in quotes between the two runs.
const QUOTES: u64 = 20;

/// Name, lines, promotions, selection.
const SCENARIOS: &[(&str, u32, u32, &str)] = &[
    ("5 lines x 3 promotions", 5, 3, "priority"),
    ("50 lines x 20 promotions", 50, 20, "priority"),
    ("100 lines x 20 promotions", 100, 20, "priority"),
    ("200 lines x 20 promotions", 200, 20, "priority"),
    ("best of 12 on 10 lines", 10, 12, "best"),
    ("best of 16 on 10 lines", 10, 16, "best"),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [flag, scenario, quotes] = arguments.as_slice()
        && flag == COUNTED
    {
        return run(scenario, quotes);
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("valgrind is not installed: instructions and allocations are not counted");
        return ExitCode::SUCCESS;
    }
    let scenarios = if arguments.iter().any(|argument| argument == "--test") { &SCENARIOS[..1] } else { SCENARIOS };
    println!("{:<28}{:>14}{:>14}{:>14}", "per quote", "instructions", "allocations", "bytes");
    for (name, ..) in scenarios {
        match count(name) {
            Ok(Counts { instructions, blocks, bytes }) => {
                println!("{name:<28}{instructions:>14}{blocks:>14}{bytes:>14}");
            }
            Err(error) => {
                eprintln!("{name}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Prices a cart several times.
fn run(scenario: &str, quotes: &str) -> ExitCode {
    let known = SCENARIOS.iter().find(|(name, ..)| *name == scenario);
    let (Some((_, lines, promotions, selection)), Ok(quotes)) = (known, quotes.parse::<u64>()) else {
        return ExitCode::FAILURE;
    };
    let request: Request = cart::request(*lines, *promotions, selection);
    for _ in 0..quotes {
        black_box(price(black_box(&request))).ok();
    }
    ExitCode::SUCCESS
}

/// The cost of one quote.
struct Counts {
    instructions: u64,
    blocks: u64,
    bytes: u64,
}

fn count(scenario: &str) -> io::Result<Counts> {
    let instructions = |quotes| figure(&valgrind("callgrind", scenario, quotes)?, "Collected :", "");
    let allocated = |quotes| {
        let report = valgrind("dhat", scenario, quotes)?;
        Ok::<_, io::Error>((figure(&report, "Total:", " bytes in ")?, figure(&report, " bytes in ", " blocks")?))
    };
    let per_quote = |one: u64, more: u64| more.saturating_sub(one) / QUOTES;
    let ((bytes_of_one, blocks_of_one), (bytes, blocks)) = (allocated(1)?, allocated(1 + QUOTES)?);
    Ok(Counts {
        instructions: per_quote(instructions(1)?, instructions(1 + QUOTES)?),
        blocks: per_quote(blocks_of_one, blocks),
        bytes: per_quote(bytes_of_one, bytes),
    })
}

/// The report of a valgrind tool on a run.
fn valgrind(tool: &str, scenario: &str, quotes: u64) -> io::Result<String> {
    let mut command = Command::new("valgrind");
    command.arg(format!("--tool={tool}")).arg(format!("--{tool}-out-file=/dev/null"));
    command.arg(env::current_exe()?).args([COUNTED, scenario, &quotes.to_string()]);
    let output = command.output()?;
    let report = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(report) } else { Err(io::Error::other(report)) }
}

/// The number between two texts in a line of a report.
fn figure(report: &str, before: &str, after: &str) -> io::Result<u64> {
    let mut rest = report.lines().filter_map(|line| line.split_once(before));
    let found = rest.find_map(|(_, rest)| {
        let text = if after.is_empty() { rest } else { rest.split_once(after)?.0 };
        text.trim().replace(',', "").parse().ok()
    });
    found.ok_or_else(|| io::Error::other(format!("no figure after {before:?} in: {report}")))
}
