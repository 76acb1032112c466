//! The threads that read.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use commerce_core::port::{StoreError, StoreErrorKind};
use tokio::sync::oneshot;

use super::connection::Conn;
use super::{dialect, open::OpenError};
use crate::fault::Answer;

type Job = Box<dyn FnOnce(&mut Conn) + Send>;

/// Threads with one connection each, and their queue.
pub(super) struct Readers {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Readers {
    /// Starts one thread per connection.
    pub(super) fn start(connections: Vec<Conn>) -> Result<Self, OpenError> {
        let mut readers = Self { queue: Arc::default(), threads: Vec::new() };
        for conn in connections {
            let queue = Arc::clone(&readers.queue);
            let thread = thread::Builder::new().name("sqlite-reader".to_owned());
            readers.threads.push(thread.spawn(move || queue.work(conn)).map_err(OpenError::thread)?);
        }
        Ok(readers)
    }

    /// Runs a query of one statement.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut Conn) -> Answer<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, rx) = oneshot::channel();
        self.queue.push(Box::new(move |conn| {
            if !answer.is_closed() {
                drop(answer.send(query(conn)));
            }
        }));
        let stopped = |_| StoreError::new(StoreErrorKind::Unavailable, "the query was not finished");
        rx.await.map_err(stopped)?.map_err(|fault| StoreError::new(dialect::kind(&fault), fault.to_string()))
    }
}

pub(super) fn at_one_time<T>(conn: &mut Conn, query: impl FnOnce(&mut Conn) -> Answer<T>) -> Answer<T> {
    dialect::begin_read(conn)?;
    let answer = query(conn);
    dialect::end_read(conn)?;
    answer
}

impl Queue {
    fn push(&self, job: Job) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).jobs.push_back(job);
        self.ready.notify_one();
    }

    fn pop(&self) -> Option<Job> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |state: &mut State| state.jobs.is_empty() && !state.closed;
        self.ready.wait_while(state, waiting).unwrap_or_else(PoisonError::into_inner).jobs.pop_front()
    }

    fn work(&self, mut conn: Conn) {
        while let Some(job) = self.pop() {
            // A panic is a bug. Only its own query fails; its answer is dropped.
            if catch_unwind(AssertUnwindSafe(|| job(&mut conn))).is_err() {
                tracing::error!("a query panicked");
                drop(dialect::end_read(&mut conn));
            }
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.queue.ready.notify_all();
        for thread in self.threads.drain(..) {
            drop(thread.join()); // a thread that panicked has said so
        }
    }
}

/// Runs a query of one statement on a reader thread.
macro_rules! in_statement {
    ($store:ident, [$($value:ident),*]; $conn:ident => $query:expr) => {{
        $(let $value = $value.to_owned();)*
        $store.shared.readers.read(move |$conn| $crate::sqlite::connection::complete($query)).await
    }};
}

/// Runs a query that sees one point in time on a reader thread.
macro_rules! in_snapshot {
    ($store:ident, [$($value:ident),*]; $conn:ident => $query:expr) => {{
        $(let $value = $value.to_owned();)*
        let query = move |$conn: &mut _| $crate::sqlite::connection::complete($query);
        $store.shared.readers.read(move |conn| $crate::sqlite::readers::at_one_time(conn, query)).await
    }};
}

/// Runs an operation in its own transaction on the writer thread.
macro_rules! in_transaction {
    ($store:ident, [$($value:ident),*]; $conn:ident => $query:expr) => {{
        $(let $value = $value.to_owned();)*
        $store.shared.writer.run(move |$conn| $crate::sqlite::connection::complete($query)).await
    }};
}

pub(super) use {in_snapshot, in_statement, in_transaction};
