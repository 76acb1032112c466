//! Keeps what the installation of a server made, for the next server of the same version.
//!
//! It is one file, for two reasons: it comes to its place whole, whoever else makes one at the same time, and nothing that tidies
//! up the temporary directory can take a part of it.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::NamedTempFile;

use super::ServerError;
use super::account::Account;
use super::programs::{plain, run};

/// Counts up when an installation is made in another way.
const GENERATION: u32 = 1;

/// Where the installation of a version is kept for a user.
pub(super) fn place(version: &str, account: Account) -> PathBuf {
    let name: String = version.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    env::temp_dir().join(format!("commerce-server-{GENERATION}-{}-{}.tar", account.own(), name.trim_matches('-')))
}

/// Puts a kept installation into the directory of a server. Says whether there was one.
pub(super) fn unpack(archive: &Path, account: Account, directory: &Path) -> bool {
    // Another user could put a file here that gives it power over this one.
    let own = fs::symlink_metadata(archive).is_ok_and(|file| file.is_file() && file.uid() == account.own());
    let Some(file) = own.then(|| File::open(archive).ok()).flatten() else { return false };
    let mut command = account.command("tar");
    run(plain(&mut command).args(["-x", "-p", "-f", "-"]).current_dir(directory).stdin(file)).is_ok()
}

/// Keeps the installation that stands in the directory of a server.
pub(super) fn pack(archive: &Path, directory: &Path, entries: &[&str]) -> Result<(), ServerError> {
    let file = NamedTempFile::new_in(archive.parent().unwrap_or(Path::new(".")))?;
    let mut command = Command::new("tar");
    plain(&mut command).args(["-c", "-S", "-f"]).arg(file.path()).args(entries).current_dir(directory);
    run(&mut command)?;
    file.persist(archive).map_err(|error| error.error)?;
    Ok(())
}
