//! The thread that writes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use commerce_core::commit::Commit;
use commerce_core::port::{CommitError, StoreError, StoreErrorKind};
use tokio::sync::{mpsc, oneshot};

use super::connection::{Conn, complete};
use super::query::group::{self, Submission};
use super::{SqliteOptions, dialect, open, open::OpenError};
use crate::fault::Answer;
use crate::prepared::Prepared;

/// The most commits of one transaction.
const BATCH: usize = 128;

type WriteJob = Box<dyn FnOnce(&mut Conn) + Send>;

enum Work {
    /// Settled and written together with others.
    Commit(Box<Submission>),
    /// Another operation, in its own transaction.
    WriteJob(WriteJob),
}

/// A thread with a connection, and its queue.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Opens the file on a new thread, which then writes. Also returns the connections for readers.
    pub(super) async fn start(path: PathBuf, options: SqliteOptions) -> Result<(Self, Vec<Conn>), OpenError> {
        let (queue, work) = mpsc::channel(options.queue.max(1));
        let (opened, rx) = oneshot::channel();
        let run = move || match open_all(&path, &options) {
            Ok((writer, readers)) => {
                if opened.send(Ok(readers)).is_ok() {
                    serve(writer, work);
                }
            }
            Err(error) => drop(opened.send(Err(error))),
        };
        let thread = thread::Builder::new().name("sqlite-writer".to_owned()).spawn(run).map_err(OpenError::thread)?;
        let writer = Self { queue: Some(queue), thread: Some(thread) };
        let connections = rx.await.map_err(|_| OpenError::thread("the thread that opens the file ended"))??;
        Ok((writer, connections))
    }

    /// Settles and writes a commit.
    pub(super) async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        let prepared = Prepared::new(commit).map_err(|error| StoreError::new(StoreErrorKind::Corrupt, error))?;
        let (reply, rx) = oneshot::channel();
        self.send(Work::Commit(Box::new(Submission::new(prepared, reply)))).await?;
        rx.await.map_err(|_| lost())?.answer
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
        answer.map_err(|fault| StoreError::new(dialect::kind(&fault), fault.to_string()))
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

fn lost() -> StoreError {
    StoreError::new(StoreErrorKind::Unknown, "the writer gave no answer")
}

fn open_all(path: &std::path::Path, options: &SqliteOptions) -> Result<(Conn, Vec<Conn>), OpenError> {
    let writer = open::writer(path, options)?;
    let readers = (0..options.readers.max(1)).map(|_| open::reader(path, options)).collect::<Result<_, _>>()?;
    Ok((writer, readers))
}

/// Writes until the queue is closed and empty. It never waits for a batch to grow: a batch contains the commits that arrived
/// while the previous one was written.
fn serve(mut conn: Conn, mut queue: mpsc::Receiver<Work>) {
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
        if !batch.is_empty() {
            guard(&mut conn, |conn| complete(group::serve(conn, batch)));
        }
        for chore in chores {
            guard(&mut conn, chore);
        }
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
