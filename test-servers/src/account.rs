//! Which user the servers run as: oneself, but never root.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// The user to change to, and its group.
#[derive(Debug, Clone, Copy)]
struct Other {
    user: u32,
    group: u32,
}

/// The user that servers run as.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    own: u32,
    other: Option<Other>,
}

impl Account {
    pub(super) fn of_servers() -> io::Result<Self> {
        let own = tempfile::tempfile()?.metadata()?.uid();
        let other = if own == 0 { Some(nobody()?) } else { None };
        Ok(Self { own, other })
    }

    /// The user of this process.
    pub(super) fn own(self) -> u32 {
        self.own
    }

    pub(super) fn adopt(self, path: &Path) -> io::Result<()> {
        match self.other {
            Some(Other { user, group }) => chown(path, Some(user), Some(group)),
            None => fs::metadata(path).map(|_| ()),
        }
    }

    /// A command that will run as this user.
    pub(super) fn command(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Some(Other { user, group }) = self.other {
            command.uid(user).gid(group);
        }
        command
    }
}

fn nobody() -> io::Result<Other> {
    let users = fs::read_to_string("/etc/passwd")?;
    let entry = users.lines().find_map(|line| {
        let mut fields = line.strip_prefix("nobody:")?.split(':').skip(1);
        Some(Other { user: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
    });
    entry.ok_or_else(|| io::Error::other("servers do not run as root, and there is no user nobody"))
}
