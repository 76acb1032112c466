//! SQLite's connection, with the interface of the asynchronous ones.
//!
//! Queries run synchronously and return ready futures, so a batch runs on one thread without a switch. [`complete`] takes the
//! answer out of the future.

use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, Waker};

use diesel::prelude::*;
use diesel::query_dsl::methods::{ExecuteDsl, LoadQuery};

pub(crate) type Conn = SqliteConnection;

/// Runs queries, like the trait of diesel-async with this name.
pub(crate) trait RunQueryDsl: Sized {
    /// Runs a statement and returns the number of affected rows.
    fn execute(self, conn: &mut Conn) -> Ready<QueryResult<usize>>
    where
        Self: ExecuteDsl<Conn>,
    {
        ready(ExecuteDsl::execute(self, conn))
    }

    fn load<'query, U>(self, conn: &mut Conn) -> Ready<QueryResult<Vec<U>>>
    where
        Self: LoadQuery<'query, Conn, U>,
    {
        ready(self.internal_load(conn).and_then(Iterator::collect))
    }

    /// Runs a query and returns the first row.
    fn get_result<'query, U>(self, conn: &mut Conn) -> Ready<QueryResult<U>>
    where
        Self: LoadQuery<'query, Conn, U>,
    {
        let first = self.internal_load(conn).and_then(|mut rows| rows.next().ok_or(diesel::NotFound)?);
        ready(first)
    }
}

impl<Q> RunQueryDsl for Q {}

/// Takes the answer of a query out of its future.
///
/// # Panics
/// Never: all futures on this connection are ready.
#[expect(clippy::expect_used, reason = "all futures on this connection are ready")]
pub(crate) fn complete<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
    .expect("a query on SQLite answers at once")
}

/// Locks a connection. A panic in a query leaves it usable.
pub(super) fn lock<T>(conn: &Mutex<T>) -> MutexGuard<'_, T> {
    conn.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks a connection that is free.
pub(super) fn try_lock<T>(conn: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match conn.try_lock() {
        Ok(conn) => Some(conn),
        Err(TryLockError::Poisoned(conn)) => Some(conn.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
