//! The simulation on many seeds, and on copies of the tree with a planted bug each.
//!
//! `xtask/planted/NAME.patch` plants a bug. The simulation must find every one of them: that is the test of the test.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::{Outcome, finish, output_of};

/// How many seeds are tried if nobody says how many. A planted bug that none of them finds counts as not found.
const SEEDS: u64 = 2_000;

pub(crate) const USAGE: &str = "\
cargo xtask sim [--seeds N]    simulates N shops under faults (default 2000)
cargo xtask sim --seed S       plays one of them again
cargo xtask sim --planted      plants bugs in copies of the tree, and expects each to be found";

/// Runs what the arguments ask for.
pub(crate) fn run(arguments: &[&str]) -> Outcome {
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("{text} is not a number\n{USAGE}"));
    match arguments {
        [] => seeds(SEEDS),
        ["--seeds", count] => seeds(number(count)?),
        ["--seed", seed] => finish(simulation(&root()).env("SIMULATION_SEED", number(seed)?.to_string())),
        ["--planted"] => planted(),
        _ => Err(USAGE.to_owned()),
    }
}

/// What CI runs. The patches must fit the tree, otherwise nobody would notice that they rot.
pub(crate) fn check() -> Outcome {
    let fits = |patch: &PathBuf| {
        let patch = patch.canonicalize().map_err(|error| error.to_string())?;
        finish(Command::new("git").args(["apply", "--check"]).arg(patch).current_dir(root()))
    };
    patches()?.iter().try_for_each(fits)?;
    seeds(SEEDS)
}

/// Simulates so many shops.
fn seeds(count: u64) -> Outcome {
    let start = Instant::now();
    finish(simulation(&root()).env("SIMULATION_SEEDS", count.to_string()))?;
    eprintln!("   {count} seeds in {} s", start.elapsed().as_secs());
    Ok(())
}

fn simulation(tree: &Path) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["test", "--profile", "checked", "-p", "commerce-testkit", "--test", "simulation", "--", "--nocapture"])
        .current_dir(tree);
    command
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn planted() -> Outcome {
    let patches = patches()?;
    let mut missed = Vec::new();
    for patch in &patches {
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let tree = plant(patch)?;
        match find(&tree)? {
            Some(seeds) => eprintln!("   {name}: found by seed {seeds}"),
            None => missed.push(name),
        }
    }
    if missed.is_empty() { Ok(()) } else { Err(format!("not found in {SEEDS} seeds: {}", missed.join(", "))) }
}

fn patches() -> Result<Vec<PathBuf>, String> {
    let folder = root().join("xtask/planted");
    let files = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut patches: Vec<_> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    patches.retain(|path| path.extension().is_some_and(|extension| extension == "patch"));
    patches.sort();
    Ok(patches)
}

/// Copies the tree and applies a patch to the copy. The copies share one path, so that dependencies are built once.
fn plant(patch: &Path) -> Result<PathBuf, String> {
    let tree = root().join("target/planted/tree");
    if tree.exists() {
        fs::remove_dir_all(&tree).map_err(|error| format!("{}: {error}", tree.display()))?;
    }
    let listed = output_of(Command::new("git").args(["ls-files", "-z"]).current_dir(root()))?;
    for file in listed.split('\0').filter(|file| !file.is_empty()) {
        copy(&root().join(file), &tree.join(file))?;
    }
    let patch = patch.canonicalize().map_err(|error| error.to_string())?;
    let mut apply = Command::new("git");
    finish(apply.arg("apply").arg(patch).current_dir(&tree).env("GIT_CEILING_DIRECTORIES", tree.join("..")))?;
    Ok(tree)
}

fn copy(from: &Path, to: &Path) -> Outcome {
    if !from.is_file() {
        return Ok(());
    }
    let told = |error| format!("{}: {error}", from.display());
    fs::create_dir_all(to.parent().unwrap_or(to)).map_err(told)?;
    fs::copy(from, to).map(drop).map_err(told)
}

/// The first seed that fails. `None`: all passed.
fn find(tree: &Path) -> Result<Option<u64>, String> {
    let mut command = simulation(tree);
    command.env("CARGO_TARGET_DIR", root().join("target/planted/target"));
    command.env("SIMULATION_SEEDS", SEEDS.to_string()).stderr(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let lines = child.stderr.take().map(|pipe| BufReader::new(pipe).lines());
    let seeds = lines.into_iter().flatten().map_while(Result::ok);
    let last = seeds.filter_map(|line| line.strip_prefix("SIMULATION_SEED=")?.parse().ok()).last();
    let status = child.wait().map_err(|error| error.to_string())?;
    match last {
        Some(seed) => Ok((!status.success()).then_some(seed)),
        None => Err("the copy of the tree does not build: does the patch still fit?".to_owned()),
    }
}
