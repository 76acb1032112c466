//! The development key: random, created on first use, stored beside the database.
//!
//! Programs that start together agree on one key: each writes a file and links it to the final name, which succeeds only once.
//! A key that others can read is refused.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;
use uuid::Uuid;

use crate::config::Secret;

/// The number of hexadecimal digits of a key.
const DIGITS: usize = 64;
/// The permissions of the file: read and write for the owner.
const OWNER_ONLY: u32 = 0o600;
/// The permissions that the file must not have.
const OTHERS: u32 = 0o077;

#[derive(Debug, Error)]
pub(crate) enum KeyError {
    #[error("development key {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("development key {}: others can read it; run chmod 600 on it, or delete it to get a new one", .0.display())]
    Exposed(PathBuf),
    #[error("development key {}: it is damaged; delete it to get a new one", .0.display())]
    Damaged(PathBuf),
}

/// Reads the key at a path, or creates it.
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

/// Writes a file, unless another process has created it.
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

/// 244 random bits as 64 hexadecimal digits.
fn random() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

#[cfg(test)]
#[path = "../tests/unit/development_key.rs"]
mod tests;
