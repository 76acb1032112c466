//! The tasks that write.
//!
//! Included by each database on a server.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use commerce_core::commit::Commit;
use commerce_core::port::{CommitError, StoreError, StoreErrorKind};
use futures_util::FutureExt;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::connection::Conn;
use super::dialect;
use super::query::group::{self, Submission};
use crate::prepared::Prepared;

/// The most commits of one transaction.
const BATCH: usize = 128;

/// The queue of the writers. They end when it is closed and empty.
pub(super) struct Writers {
    queue: mpsc::Sender<Submission>,
}

impl Writers {
    /// Starts one task per connection.
    pub(super) fn start(connections: Vec<Conn>, queue: usize) -> Self {
        let (queue, submissions) = mpsc::channel(queue.max(1));
        let submissions = Arc::new(Mutex::new(submissions));
        for conn in connections {
            tokio::spawn(serve(conn, Arc::clone(&submissions)));
        }
        Self { queue }
    }

    /// Settles and writes a commit.
    pub(super) async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        let prepared = Prepared::new(commit).map_err(|error| StoreError::new(StoreErrorKind::Corrupt, error))?;
        let (reply, rx) = oneshot::channel();
        let stopped = |_| StoreError::new(StoreErrorKind::Unavailable, "the writers have stopped");
        self.queue.send(Submission::new(prepared, reply)).await.map_err(stopped)?;
        let lost = |_| StoreError::new(StoreErrorKind::Unknown, "the writer gave no answer");
        rx.await.map_err(lost)?.answer
    }
}

/// Waits for commits and takes those that wait. Leaves the last ones of a long queue, which would need further statements, for
/// the next batch.
async fn receive(queue: &mut mpsc::Receiver<Submission>, batch: &mut Vec<Submission>) -> usize {
    let limit = match queue.len() {
        0 => BATCH,
        waiting => dialect::whole(waiting.min(BATCH)),
    };
    queue.recv_many(batch, limit).await
}

/// Writes until the queue is closed and empty. It never waits for a batch to grow: a batch contains the commits that arrived
/// while the writers were busy.
async fn serve(mut conn: Conn, queue: Arc<Mutex<mpsc::Receiver<Submission>>>) {
    let mut batch = Vec::with_capacity(BATCH);
    while receive(&mut *queue.lock().await, &mut batch).await > 0 {
        let crowd = batch.len() > 1;
        // A panic is a bug. Its callers get an unknown outcome; the writer continues.
        let served = AssertUnwindSafe(group::serve(&mut conn, std::mem::take(&mut batch))).catch_unwind();
        if served.await.is_err() {
            tracing::error!("a writer panicked");
            conn.give_up();
        }
        if crowd {
            // Lets the callers that were just answered submit again first. Otherwise they split into groups that wait for each
            // other.
            tokio::task::yield_now().await;
        }
    }
}
