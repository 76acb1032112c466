//! What the dependencies must not be: see `deny.toml`.

use std::process::{Command, Stdio};

use crate::{Outcome, finish};

/// Licences, sources, and crates that must not be there. Advisories are left out, because their list has to be fetched first.
pub(crate) fn check() -> Outcome {
    let version = Command::new("cargo-deny").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        return Err("cargo-deny is missing. Run this, then try again:\ncargo install --locked cargo-deny".to_owned());
    }
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let arguments = ["--all-features", "check", "bans", "licenses", "sources"];
    finish(Command::new("cargo-deny").args(arguments).current_dir(root))
}
