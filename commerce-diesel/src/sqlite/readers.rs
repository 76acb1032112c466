//! Reading: short queries on the thread of the caller, long ones on threads of their own.
//!
//! A short query takes some microseconds, less than to wake a thread and to be woken by it.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use commerce_core::port::{StoreError, StoreErrorKind};
use tokio::sync::oneshot;

use super::connection::{Conn, lock, try_lock};
use super::writer::{Turn, failed};
use super::{dialect, open::OpenError};
use crate::fault::Answer;

type Job = Box<dyn FnOnce(&mut Conn) + Send>;

/// The connections for short queries, and the threads for long ones with a connection each.
pub(super) struct Readers {
    /// Reads while no one writes. It caches the pages that it has written, which other connections read again.
    turn: Arc<Mutex<Turn>>,
    first: Mutex<Conn>,
    others: Vec<Mutex<Conn>>,
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
    /// Keeps half of the connections for short queries, and starts a thread for each of the others.
    pub(super) fn start(turn: Arc<Mutex<Turn>>, mut connections: Vec<Conn>) -> Result<Self, OpenError> {
        let of_threads = connections.split_off(connections.len() / 2);
        let first = connections.pop().ok_or_else(|| OpenError::thread("there is no connection"))?;
        let (first, others) = (Mutex::new(first), connections.into_iter().map(Mutex::new).collect());
        let mut readers = Self { turn, first, others, queue: Arc::default(), threads: Vec::new() };
        for conn in of_threads {
            let queue = Arc::clone(&readers.queue);
            let thread = thread::Builder::new().name("sqlite-reader".to_owned());
            readers.threads.push(thread.spawn(move || queue.work(conn)).map_err(OpenError::thread)?);
        }
        Ok(readers)
    }

    /// Runs a short query on this thread.
    pub(super) fn read_here<T>(&self, query: impl Fn(&mut Conn) -> Answer<T>) -> Result<T, StoreError> {
        self.read_as_writer(&query).unwrap_or_else(|| query(&mut self.connection())).map_err(|fault| failed(&fault))
    }

    /// Runs a query on the connection of the writer. `None` if it is busy, or if another process has locked the file, for which
    /// this connection does not wait.
    fn read_as_writer<T>(&self, query: impl Fn(&mut Conn) -> Answer<T>) -> Option<Answer<T>> {
        let answer = query(&mut try_lock(&self.turn)?.conn);
        let locked = answer.as_ref().is_err_and(dialect::is_unavailable);
        (!locked).then_some(answer)
    }

    /// A free connection. If all are busy, waits for the end of a short query.
    fn connection(&self) -> MutexGuard<'_, Conn> {
        let free = try_lock(&self.first).or_else(|| self.others.iter().find_map(try_lock));
        free.unwrap_or_else(|| lock(&self.first))
    }

    /// Runs a long query on another thread.
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
        rx.await.map_err(stopped)?.map_err(|fault| failed(&fault))
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

/// Runs a short query of one statement on this thread.
macro_rules! in_statement {
    ($store:ident, [$($value:ident),*]; $conn:ident => $query:expr) => {
        $store.shared.readers.read_here(|$conn| $crate::sqlite::connection::complete($query))
    };
}

/// Runs a query of one statement, whose answer may be long, on a reader thread.
macro_rules! in_listing {
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

/// Runs a short operation in its own transaction, which may have to be begun again.
macro_rules! in_short_transaction {
    ($store:ident, [$($value:ident),*]; $conn:ident => $query:expr) => {{
        $(let $value = $value.to_owned();)*
        $store.shared.writer.run_short(move |$conn| $crate::sqlite::connection::complete($query)).await
    }};
}

/// Runs an operation in its own transaction on the writer thread.
macro_rules! in_transaction {
    ($store:ident, [$($value:ident),*]; $conn:ident => $query:expr) => {{
        $(let $value = $value.to_owned();)*
        $store.shared.writer.run(move |$conn| $crate::sqlite::connection::complete($query)).await
    }};
}

pub(super) use {in_listing, in_short_transaction, in_snapshot, in_statement, in_transaction};
