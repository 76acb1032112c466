//! The key of a shop that nobody configured keys for: random, made on first use, kept beside the database.
//!
//! Two programs that start at once agree on it: a key is written to a file of its own and then linked to its name, which
//! only one of them can do. Nobody but its owner may read it, or it is refused.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;
use uuid::Uuid;

use crate::config::Secret;

/// The hexadecimal digits of a key.
const DIGITS: usize = 64;
/// Read and written by the owner, and nobody else.
const OWNER_ONLY: u32 = 0o600;
/// What others must not have.
const OTHERS: u32 = 0o077;

#[derive(Debug, Error)]
pub(crate) enum KeyError {
    /// The file cannot be made or read.
    #[error("development key {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// Others can read it.
    #[error("development key {}: others can read it; run chmod 600 on it, or delete it to have a new one", .0.display())]
    Exposed(PathBuf),
    /// It is not a key.
    #[error("development key {}: it is damaged; delete it to have a new one", .0.display())]
    Damaged(PathBuf),
}

/// The key at a path, made there if there is none.
pub(crate) fn load_or_make(path: &Path) -> Result<Secret, KeyError> {
    let at = |source| KeyError::File { path: path.to_owned(), source };
    match load(path) {
        Err(KeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            publish(path, &random()).map_err(at)?;
            load(path)
        }
        loaded => loaded,
    }
}

fn load(path: &Path) -> Result<Secret, KeyError> {
    let at = |source| KeyError::File { path: path.to_owned(), source };
    let text = fs::read_to_string(path).map_err(at)?;
    if fs::metadata(path).map_err(at)?.permissions().mode() & OTHERS != 0 {
        return Err(KeyError::Exposed(path.to_owned()));
    }
    let text = text.trim_end();
    let whole = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if whole { Ok(text.to_owned().into()) } else { Err(KeyError::Damaged(path.to_owned())) }
}

/// Makes the text a file of this name, unless somebody else was quicker.
fn publish(path: &Path, text: &str) -> io::Result<()> {
    let mut draft = path.to_owned().into_os_string();
    draft.push(format!(".{}", Uuid::new_v4().simple()));
    let linked = write(draft.as_ref(), text).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => removed,
        Err(error) => Err(error),
        Ok(()) => removed,
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

/// 244 random bits as 64 digits.
fn random() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

#[cfg(test)]
#[path = "../tests/unit/development_key.rs"]
mod tests;
