//! The processor time of processes, from `/proc`.

use std::fs;
use std::time::Duration;

/// The unit of `/proc` on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// The fields of `/proc/<pid>/stat` that are needed.
struct Stat {
    parent: u32,
    own: u32,
    of_ended_children: u32,
}

/// The processor time of a process and its children, including those that have ended.
pub fn of_family(pid: u32) -> Duration {
    let Some(parent) = stat(pid) else { return Duration::ZERO };
    let children: u32 = processes().filter_map(stat).filter(|child| child.parent == pid).map(|child| child.own).sum();
    TICK * (parent.own + parent.of_ended_children + children)
}

/// The processor time of this process.
pub fn of_this_process() -> Duration {
    stat(std::process::id()).map_or(Duration::ZERO, |stat| TICK * stat.own)
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The name of the program is in brackets and may contain anything, so the fields after it are counted.
fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |n: usize| fields.get(n)?.parse::<u32>().ok();
    Some(Stat { parent: field(1)?, own: field(11)? + field(12)?, of_ended_children: field(13)? + field(14)? })
}
