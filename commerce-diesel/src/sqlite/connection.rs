//! SQLite's connection, run synchronously behind the shape of the asynchronous ones.
//!
//! SQLite has no network to wait for. Its queries answer before the future they hand back is first polled, so a whole batch
//! runs on one thread without a switch; [`complete`] takes the answer out.

use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use diesel::prelude::*;
use diesel::query_dsl::methods::{ExecuteDsl, LoadQuery};

/// The connection of this backend.
pub(crate) type Conn = SqliteConnection;

/// Runs queries, in the shape of diesel-async's trait of this name.
pub(crate) trait RunQueryDsl: Sized {
    /// Runs a statement; says how many rows it touched.
    fn execute(self, conn: &mut Conn) -> Ready<QueryResult<usize>>
    where
        Self: ExecuteDsl<Conn>,
    {
        ready(ExecuteDsl::execute(self, conn))
    }

    /// Runs a query and takes every row.
    fn load<'query, U>(self, conn: &mut Conn) -> Ready<QueryResult<Vec<U>>>
    where
        Self: LoadQuery<'query, Conn, U>,
    {
        ready(self.internal_load(conn).and_then(Iterator::collect))
    }

    /// Runs a query and takes the first row.
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
/// Never: nothing that runs on this connection waits.
#[expect(clippy::expect_used, reason = "every future that runs on this connection is made of ready ones")]
pub(crate) fn complete<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
    .expect("a query on SQLite answers at once")
}
