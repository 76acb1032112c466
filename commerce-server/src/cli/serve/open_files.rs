//! The limit of open files. Every connection is a file.

/// Files that are not client connections: databases, listeners, the log.
const OTHERS: u64 = 100;

/// The number of connections that the system allows, at most `wanted`. Raises the limit if possible.
pub(super) fn connections(wanted: usize) -> usize {
    let files = raised(u64::try_from(wanted).unwrap_or(u64::MAX).saturating_add(OTHERS));
    let allowed = usize::try_from(files.saturating_sub(OTHERS)).unwrap_or(usize::MAX).max(1);
    if allowed < wanted {
        tracing::warn!(wanted, allowed, "the limit of open files of this process allows fewer connections");
    }
    wanted.min(allowed)
}

/// Raises the limit of open files to `wanted` if possible, and returns it.
#[cfg(unix)]
fn raised(wanted: u64) -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    let possible = wanted.min(limit.maximum.unwrap_or(u64::MAX));
    if possible <= current {
        return current;
    }
    let raised = Rlimit { current: Some(possible), ..limit };
    setrlimit(Resource::Nofile, raised).map_or(current, |()| possible)
}

#[cfg(not(unix))]
const fn raised(wanted: u64) -> u64 {
    wanted
}
