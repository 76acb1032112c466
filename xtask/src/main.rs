//! What runs at home and in CI, the same way: `cargo xtask test`, `cargo xtask ci [STAGE …]` and `cargo xtask sim`.

mod clients;
mod deny;
mod deploy;
mod python;
mod servers;
mod sim;
mod stripe;
mod webhooks;

use std::process::{Command, ExitCode};
use std::time::{Instant, SystemTime};

type Outcome = Result<(), String>;

/// A named part of CI that one can run alone.
struct Stage {
    name: &'static str,
    what: &'static str,
    run: fn() -> Outcome,
}

const STAGES: &[Stage] = &[
    Stage { name: "style", what: "every file is formatted", run: style },
    Stage {
        name: "lint",
        what: "no warning, package by package, because features unify in a workspace build",
        run: lint,
    },
    Stage {
        name: "purity",
        what: "the core depends on nothing that could do I/O, and builds without std",
        run: purity,
    },
    Stage { name: "test", what: "every test of the workspace", run: test },
    Stage {
        name: "laws",
        what: "every law on 10,000 cases, and histories of payments, with the checks of a debug build",
        run: laws,
    },
    Stage { name: "sim", what: "2,000 shops under faults, each with a seed; planted bugs still fit", run: sim::check },
    Stage { name: "fuzz", what: "10 s of mutated inputs for each parser of what comes from outside", run: fuzz },
    Stage {
        name: "clients",
        what: "linters, generated clients, a browser and the SDK of CloudEvents take the documents at their word",
        run: clients,
    },
    Stage { name: "stripe", what: "the Stripe adapter and localstripe understand each other", run: stripe::check },
    Stage {
        name: "webhooks",
        what: "the official libraries of Standard Webhooks verify what is sent",
        run: webhooks::check,
    },
    Stage {
        name: "deploy",
        what: "Prometheus reads the alert rules and the dashboards, and the alerts fire when they should",
        run: deploy::check,
    },
    Stage { name: "deny", what: "no dependency is of an unwanted kind, licence or source", run: deny::check },
    Stage { name: "features", what: "every combination of databases builds without a warning", run: features },
    Stage { name: "docs", what: "the documentation builds without a warning", run: docs },
    Stage {
        name: "examples",
        what: "every example runs, the invoices are replayed and the benches start",
        run: examples,
    },
];

const PACKAGES: &[&str] = &[
    "commerce-core",
    "commerce-events",
    "commerce-otlp",
    "commerce-outbound",
    "commerce-redis",
    "commerce-remote",
    "commerce-stripe",
    "commerce-trace",
    "commerce-webhooks",
    "remote-double",
    "commerce-testkit",
    "commerce-conform",
    "diesel-bulk",
    "commerce-diesel",
    "commerce-http",
    "commerce-server",
    "test-servers",
    "examples",
    "benches",
    "xtask",
];

/// What is linted, tested and documented beyond the default features, with commas between.
const FEATURES: &str = "commerce-diesel/postgres,commerce-diesel/mysql,commerce-events/kafka,commerce-events/nats,commerce-events/rabbitmq,commerce-events/redis,commerce-server/kafka,commerce-server/nats,commerce-server/rabbitmq,commerce-server/redis";

/// The benches, each of which starts in CI.
const BENCHES: &[&str] = &["pricing", "instructions", "order", "throughput", "relay", "stores"];

/// Everything the core may stand on, directly or not. None of it does I/O.
const PURE: &[&str] = &[
    "arrayvec",
    "async-trait",
    "autocfg",
    "chrono",
    "commerce-core",
    "itoa",
    "memchr",
    "num-traits",
    "proc-macro2",
    "quote",
    "rust_decimal",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "syn",
    "thiserror",
    "thiserror-impl",
    "unicode-ident",
    "uuid",
    "zmij",
];

/// A target without an operating system: what builds for it cannot call one.
const BARE_TARGET: &str = "thumbv7em-none-eabihf";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["test"] => run_stages(&["test"]),
        ["ci"] => run_stages(&STAGES.iter().map(|stage| stage.name).collect::<Vec<_>>()),
        ["ci", stages @ ..] => run_stages(stages),
        ["sim", arguments @ ..] => sim::run(arguments),
        _ => Err(usage()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> String {
    let lines: Vec<String> = STAGES.iter().map(|stage| format!("  {:<9} {}", stage.name, stage.what)).collect();
    format!(
        "cargo xtask test            runs every test\n\
         cargo xtask ci [STAGE …]    runs all stages, or those named:\n{}\n{}",
        lines.join("\n"),
        sim::USAGE
    )
}

fn run_stages(names: &[&str]) -> Outcome {
    let find = |name: &&str| STAGES.iter().find(|stage| stage.name == *name).ok_or_else(usage);
    let stages = names.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    for stage in stages {
        eprintln!("── {}: {}", stage.name, stage.what);
        let start = Instant::now();
        (stage.run)().map_err(|reason| format!("── {} failed: {reason}", stage.name))?;
        eprintln!("── {} passed in {} s", stage.name, start.elapsed().as_secs());
    }
    Ok(())
}

fn style() -> Outcome {
    cargo(&["fmt", "--all", "--check"])
}

fn lint() -> Outcome {
    PACKAGES.iter().try_for_each(|package| {
        let own = |feature: &&str| feature.split('/').next() == Some(package);
        let features = FEATURES.split(',').filter(own).collect::<Vec<_>>().join(",");
        cargo(&["clippy", "-p", package, "--features", &features, "--all-targets", "--", "-D", "warnings"])
    })
}

fn purity() -> Outcome {
    let tree = output(&[
        "tree",
        "-p",
        "commerce-core",
        "--no-default-features",
        "-e",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{lib}",
    ])?;
    let names = tree.lines().filter_map(|line| Some(line.split_ascii_whitespace().next()?.replace('_', "-")));
    let pure = |name: &String| PURE.iter().any(|known| known.replace('_', "-") == *name);
    let strangers: Vec<_> = names.filter(|name| !pure(name)).collect();
    if !strangers.is_empty() {
        return Err(format!("commerce-core depends on {}", strangers.join(", ")));
    }
    if target_is_installed(BARE_TARGET) {
        return cargo(&["check", "-p", "commerce-core", "--no-default-features", "--target", BARE_TARGET]);
    }
    eprintln!("   the target {BARE_TARGET} is not installed: the dependency check stands alone");
    Ok(())
}

fn test() -> Outcome {
    servers::provide(servers::SERVERS)?;
    cargo(&["test", "--workspace", "--features", FEATURES])
}

fn laws() -> Outcome {
    let tests = ["test", "--profile", "checked", "-p", "commerce-testkit"];
    let mut command = Command::new(env!("CARGO"));
    command.args(tests).args(["--test", "pricing_laws", "--test", "laws", "--test", "histories"]);
    finish(command.env("PROPTEST_CASES", "10000").env("HISTORIES", "120"))
}

/// Every run tries other inputs. What breaks a parser is written to its corpus. The program is tried as the tests have built it.
fn fuzz() -> Outcome {
    let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs()).to_string();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        finish(
            command
                .args(arguments)
                .args(["--", "--nocapture", "_breaks_"])
                .env("FUZZ_SECONDS", "10")
                .env("FUZZ_SEED", &seed),
        )
    };
    run(&["test", "--profile", "checked", "-p", "commerce-http", "--test", "fuzz"])?;
    run(&["test", "--workspace", "--features", FEATURES, "--lib"])
}

/// A test that one package has only with a feature. It is built with all that the tests of the workspace have built, so that no dependency
/// is built again with other features.
fn test_with(feature: &str, test: &str) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(["test", "--workspace", "--features", &format!("{FEATURES},{feature}"), "--test", test]);
    command
}

/// The program and the test that uses the SDK of `CloudEvents` are as the tests have built them.
fn clients() -> Outcome {
    clients::check(|| cargo(&["test", "--workspace", "--features", FEATURES, "--no-run"]))?;
    cargo(&["test", "--workspace", "--features", FEATURES, "--test", "cli", "--", "--ignored", "cloudevents::"])
}

/// No database, each alone, two without the third, and all: each of these without a warning.
fn features() -> Outcome {
    let check = |package, features| {
        let chosen = ["clippy", "-p", package, "--no-default-features", "--features", features];
        cargo(&[&chosen[..], &["--", "-D", "warnings"]].concat())
    };
    let (alone, two, all) =
        (["", "sqlite", "postgres", "mysql"], ["sqlite,postgres", "postgres,mysql"], "sqlite,postgres,mysql");
    alone.into_iter().chain(two).try_for_each(|features| check("commerce-diesel", features))?;
    // That of all databases, which is the default, is linted with the brokers, too.
    alone.into_iter().chain([all]).try_for_each(|features| check("commerce-server", features))
}

fn docs() -> Outcome {
    let mut command = Command::new(env!("CARGO"));
    let arguments = ["doc", "--workspace", "--no-deps", "--features", FEATURES];
    finish(command.args(arguments).env("RUSTDOCFLAGS", "-D warnings"))
}

/// As the tests have built them, and what they stand on: another profile would build all of it again.
fn examples() -> Outcome {
    let workspace = ["--workspace", "--features", FEATURES];
    cargo(&[&["build", "--examples"], &workspace[..]].concat())?;
    let directory = std::env::current_exe().map_err(|error| error.to_string())?.with_file_name("examples");
    let example = |name| Command::new(directory.join(name));
    for name in ["embed_pricing", "mount", "replay_invoices"] {
        finish(&mut example(name))?;
    }
    let request = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/request.json");
    finish(example("price").arg(request))?;
    finish(example("price").args([request, "--explain"]))?;
    let benches = BENCHES.iter().flat_map(|bench| ["--bench", bench]).collect::<Vec<_>>();
    cargo(&[&["bench", "--profile", "dev"], &workspace[..], &benches, &["--", "--test"]].concat())
}

fn target_is_installed(target: &str) -> bool {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().ok();
    let root = sysroot.and_then(|output| String::from_utf8(output.stdout).ok());
    root.is_some_and(|root| std::path::Path::new(root.trim()).join("lib/rustlib").join(target).is_dir())
}

fn cargo(arguments: &[&str]) -> Outcome {
    finish(Command::new(env!("CARGO")).args(arguments))
}

fn finish(command: &mut Command) -> Outcome {
    eprintln!("   {command:?}");
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}")) }
}

fn output(arguments: &[&str]) -> Result<String, String> {
    output_of(Command::new(env!("CARGO")).args(arguments))
}

fn output_of(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}
