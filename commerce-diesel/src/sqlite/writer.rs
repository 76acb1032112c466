//! Writing: on a thread, or on that of a caller while commits come one at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use commerce_core::commit::Commit;
use commerce_core::port::{CommitError, StoreError, StoreErrorKind};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{mpsc, oneshot};

use super::connection::{Conn, complete, lock, try_lock};
use super::query::group::{self, Failure, Submission};
use super::{SqliteOptions, dialect, open, open::OpenError};
use crate::fault::{Answer, Fault};
use crate::prepared::Prepared;

/// The most commits of one transaction.
const BATCH: usize = 128;

/// The most commits that callers write before the thread writes one. Only the thread makes checkpoints.
const MOST_BY_CALLERS: u32 = 64;
/// How long a commit may block the thread of its caller.
const QUICK: Duration = Duration::from_millis(2);

type WriteJob = Box<dyn FnOnce(&mut Conn) + Send>;

enum Work {
    /// Settled and written together with others.
    Commit(Box<Submission>),
    /// Another operation, in its own transaction.
    WriteJob(WriteJob),
}

/// The right to write. Its connection never waits for another process and makes no checkpoints.
pub(super) struct Turn {
    pub(super) conn: Conn,
    /// The number of commits that callers may write: some after a quick commit that was alone, none after others.
    by_callers: u32,
}

/// A thread with a connection, and its queue.
pub(super) struct Writer {
    turn: Arc<Mutex<Turn>>,
    queue: Option<mpsc::Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Opens the file on a new thread, which then writes. Also returns the connections for readers.
    pub(super) async fn start(path: PathBuf, options: SqliteOptions) -> Result<(Self, Vec<Conn>), OpenError> {
        let (queue, work) = mpsc::channel(options.queue.max(1));
        let (opened, rx) = oneshot::channel();
        let run = move || match open_all(&path, &options) {
            Ok((writer, turn, readers)) => {
                let turn = Arc::new(Mutex::new(turn));
                if opened.send(Ok((Arc::clone(&turn), readers))).is_ok() {
                    serve(writer, &turn, work);
                }
            }
            Err(error) => drop(opened.send(Err(error))),
        };
        let thread = thread::Builder::new().name("sqlite-writer".to_owned()).spawn(run).map_err(OpenError::thread)?;
        let (turn, readers) = rx.await.map_err(|_| OpenError::thread("the thread that opens the file ended"))??;
        Ok((Self { turn, queue: Some(queue), thread: Some(thread) }, readers))
    }

    /// The turn of the writer. Its connection also reads.
    pub(super) fn turn(&self) -> Arc<Mutex<Turn>> {
        Arc::clone(&self.turn)
    }

    /// Settles and writes a commit.
    pub(super) async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        let prepared = Prepared::new(commit).map_err(|error| StoreError::new(StoreErrorKind::Corrupt, error))?;
        let (reply, rx) = oneshot::channel();
        let mut rest = Some(Submission::new(prepared, reply));
        self.try_here(|conn| rest = rest.take().and_then(|submission| alone(conn, submission)));
        if let Some(submission) = rest {
            self.send(Work::Commit(Box::new(submission))).await?;
        }
        rx.await.map_err(|_| lost())?.answer
    }

    /// Writes on this thread, which takes less than to wake another and to be woken by it. `None` if others wait for the writer, or
    /// if it might take long.
    fn try_here<T>(&self, work: impl FnOnce(&mut Conn) -> T) -> Option<T> {
        let mut turn = try_lock(&self.turn).filter(|turn| turn.by_callers > 0 && may_block())?;
        let began = Instant::now();
        let mut done = None;
        guard(&mut turn.conn, |conn| done = Some(work(conn)));
        turn.by_callers = if began.elapsed() < QUICK { turn.by_callers.saturating_sub(1) } else { 0 };
        done
    }

    /// Runs a short operation in its own transaction.
    pub(super) async fn run_short<T: Send + 'static>(
        &self,
        chore: impl Fn(&mut Conn) -> Answer<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.try_here(|conn| in_transaction(conn, &chore)) {
            Some(Err(fault)) if dialect::is_unavailable(&fault) => self.run(chore).await,
            Some(answer) => answer.map_err(|fault| failed(&fault)),
            None => self.run(chore).await,
        }
    }

    /// Runs an operation in its own transaction.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        chore: impl FnOnce(&mut Conn) -> Answer<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, rx) = oneshot::channel();
        let work = move |conn: &mut Conn| drop(answer.send(in_transaction(conn, chore)));
        self.send(Work::WriteJob(Box::new(work))).await?;
        let answer = rx.await.map_err(|_| lost())?;
        answer.map_err(|fault| failed(&fault))
    }

    async fn send(&self, work: Work) -> Result<(), StoreError> {
        let stopped = || StoreError::new(StoreErrorKind::Unavailable, "the writer has stopped");
        self.queue.as_ref().ok_or_else(stopped)?.send(work).await.map_err(|_| stopped())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None; // the thread ends once the queue is empty
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the writer has panicked");
        }
    }
}

pub(super) fn failed(fault: &Fault) -> StoreError {
    StoreError::new(dialect::kind(fault), fault.to_string())
}

fn lost() -> StoreError {
    StoreError::new(StoreErrorKind::Unknown, "the writer gave no answer")
}

fn open_all(path: &Path, options: &SqliteOptions) -> Result<(Conn, Turn, Vec<Conn>), OpenError> {
    let writer = open::writer(path, options)?;
    let turn = Turn { conn: open::hasty_writer(path, options)?, by_callers: 0 };
    let readers = (0..2 * options.readers.max(1)).map(|_| open::reader(path, options)).collect::<Result<_, _>>()?;
    Ok((writer, turn, readers))
}

/// Whether this thread may wait for the disk: other threads run the tasks of the same runtime.
fn may_block() -> bool {
    let is_shared = |runtime: &Handle| runtime.runtime_flavor() == RuntimeFlavor::MultiThread;
    Handle::try_current().is_ok_and(|runtime| is_shared(&runtime) && runtime.metrics().num_workers() > 1)
}

/// Writes one commit. Returns it if another process has locked the file.
fn alone(conn: &mut Conn, submission: Submission) -> Option<Submission> {
    let (mut batch, failure) = complete(group::try_serve(conn, vec![submission])).err()?;
    if matches!(failure, Failure::Unavailable(_)) {
        return batch.pop();
    }
    complete(group::recover(conn, batch, failure));
    None
}

/// Writes until the queue is closed and empty. It never waits for a batch to grow: a batch contains the commits that arrived
/// while the previous one was written.
fn serve(mut conn: Conn, turn: &Mutex<Turn>, mut queue: mpsc::Receiver<Work>) {
    let mut waiting = Vec::with_capacity(BATCH);
    while queue.blocking_recv_many(&mut waiting, BATCH) > 0 {
        let mut batch = Vec::new();
        let mut chores = Vec::new();
        for work in waiting.drain(..) {
            match work {
                Work::Commit(submission) => batch.push(*submission),
                Work::WriteJob(chore) => chores.push(chore),
            }
        }
        let crowd = batch.len() > 1;
        let mut turn = lock(turn);
        if !batch.is_empty() {
            let began = Instant::now();
            guard(&mut conn, |conn| complete(group::serve(conn, batch)));
            let alone = !crowd && queue.is_empty();
            turn.by_callers = if alone && began.elapsed() < QUICK { MOST_BY_CALLERS } else { 0 };
        }
        for chore in chores {
            guard(&mut conn, chore);
        }
        drop(turn);
        if crowd {
            // Lets the callers that were just answered submit again first, if there are few processors. Otherwise they split
            // into two groups that wait for each other.
            thread::yield_now();
        }
    }
}

/// A panic is a bug. Its callers get an unknown outcome; the writer continues.
fn guard(conn: &mut Conn, work: impl FnOnce(&mut Conn)) {
    if catch_unwind(AssertUnwindSafe(|| work(conn))).is_err() {
        tracing::error!("the writer panicked");
        complete(dialect::rollback(conn));
    }
}

fn in_transaction<T>(conn: &mut Conn, chore: impl FnOnce(&mut Conn) -> Answer<T>) -> Answer<T> {
    complete(dialect::begin_write(conn))?;
    let done = chore(conn).and_then(|answer| {
        complete(dialect::commit(conn))?;
        Ok(answer)
    });
    if done.is_err() {
        complete(dialect::rollback(conn));
    }
    done
}
