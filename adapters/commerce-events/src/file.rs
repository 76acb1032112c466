//! Events as lines of JSON in a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use commerce_core::port::{PublishError, Publisher};
use commerce_core::publishing::Message;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

/// The size of the parts in which the end of a file is searched for the last whole line.
const PART: u64 = 64 * 1024;

/// A file to which each event is appended as a line of JSON.
///
/// A batch is confirmed when it is on disk. The file is opened for each batch, so it can be moved away at any time: the next batch makes a
/// new one. A line that a crash has cut off is removed before the next batch is written. A lock keeps other processes that use it too from
/// writing at the same time.
#[derive(Clone, Debug)]
pub struct FileTarget {
    path: Arc<PathBuf>,
    /// The turn to write. A file system that hangs keeps one thread, however often the caller gives up and tries again.
    turn: Arc<Mutex<()>>,
}

impl FileTarget {
    /// A target in a file, which need not exist. Its directory must.
    pub fn new(path: PathBuf) -> Self {
        Self { path: Arc::new(path), turn: Arc::default() }
    }
}

#[async_trait]
impl Publisher for FileTarget {
    async fn publish(&self, messages: &[Message]) -> Result<(), PublishError> {
        if messages.is_empty() {
            return Ok(());
        }
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let (path, lines) = (Arc::clone(&self.path), lines(messages));
        let write = move || {
            let _turn = turn;
            append(&path, &lines)
        };
        let written = spawn_blocking(write).await;
        let written = written.unwrap_or_else(|stopped| Err(io::Error::other(stopped)));
        written.map_err(|error| PublishError::unavailable(0, format_args!("{}: {error}", self.path.display())))
    }
}

fn lines(messages: &[Message]) -> Vec<u8> {
    let bodies = messages.iter().flat_map(|message| [message.body.as_slice(), b"\n"]);
    bodies.collect::<Vec<_>>().concat()
}

/// Appends whole lines, and returns when they are on disk.
fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
    file.lock()?;
    check_begins(&mut file, 0)?;
    let end = end_of_last_line(&mut file)?;
    check_begins(&mut file, end)?;
    if end == 0 {
        sync_directory(path)?;
    }
    if end < file.metadata()?.len() {
        file.set_len(end)?;
    }
    file.write_all(lines)?;
    file.sync_data()
}

/// Refuses a file that has something other than an event at the beginning of a line: nothing of it is removed.
fn check_begins(file: &mut File, line: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(line))?;
    let mut first = Vec::new();
    (&*file).take(1).read_to_end(&mut first)?;
    if first.is_empty() || first == *b"{" {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "the file has other contents than events"))
}

/// The place after the last line break.
fn end_of_last_line(file: &mut File) -> io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    while end > 0 {
        let start = end.saturating_sub(PART);
        file.seek(SeekFrom::Start(start))?;
        let mut part = Vec::new();
        (&*file).take(end - start).read_to_end(&mut part)?;
        if let Some(place) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start.saturating_add(u64::try_from(place).unwrap_or(u64::MAX)).saturating_add(1));
        }
        end = start;
    }
    Ok(0)
}

/// Makes the name of a new file durable.
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}
