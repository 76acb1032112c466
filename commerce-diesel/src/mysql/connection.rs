//! A connection that reconnects when it is lost.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use diesel::QueryResult;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::{AsyncConnectionCore, AsyncMysqlConnection, SimpleAsyncConnection};
use futures_util::future::BoxFuture;

use super::open::Target;
use crate::network::DatabaseError;

/// A connection. Each statement is answered before the next is sent.
pub(crate) struct Conn {
    target: Arc<Target>,
    /// `None` after the connection was closed.
    link: Option<AsyncMysqlConnection>,
    lost: bool,
}

impl Conn {
    pub(super) async fn open(target: Arc<Target>) -> Result<Self, DatabaseError> {
        let link = target.connect().await?;
        Ok(Self { target, link: Some(link), lost: false })
    }

    /// How long to look for the outcome of a failed transaction.
    pub(super) fn patience(&self) -> Duration {
        self.target.options().patience
    }

    /// Whether the connection is unusable.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost || self.link.is_none()
    }

    /// Closes the connection. The server rolls back its transaction.
    pub(crate) fn give_up(&mut self) {
        self.link = None;
    }

    /// Reconnects if the connection is lost.
    pub(super) async fn restore(&mut self) -> QueryResult<()> {
        if self.is_lost() {
            self.give_up();
            let link = self.target.connect().await;
            self.link = Some(link.map_err(|error| unsent(error.to_string()))?);
            self.lost = false;
        }
        Ok(())
    }

    pub(super) async fn run(&mut self, statements: &str) -> QueryResult<()> {
        let limit = self.target.options().silence();
        let Some(link) = &mut self.link else { return Err(gone()) };
        follow(link.batch_execute(statements), limit, &mut self.lost).await
    }

    /// Begins a transaction. This fails only if the connection is lost: the server was restarted or has closed an idle
    /// connection. Nothing has happened yet, so it is repeated on a new connection.
    pub(super) async fn begin(&mut self, statement: &str) -> QueryResult<()> {
        if self.run(statement).await.is_ok() {
            return Ok(());
        }
        self.give_up();
        self.restore().await?;
        self.run(statement).await
    }

    /// Ends a transaction. This fails only if the connection is lost.
    pub(super) async fn end(&mut self, statement: &str) -> QueryResult<()> {
        let ended = self.run(statement).await;
        if ended.is_err() {
            self.give_up();
        }
        ended
    }
}

fn gone() -> Error {
    unsent("the connection to the database is lost".to_owned())
}

fn unsent(reason: String) -> Error {
    Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand, Box::new(reason))
}

/// Waits for the answer to a statement, within the time-outs of a statement and of connecting.
fn follow<'conn, T: Send + 'conn>(
    answer: impl Future<Output = QueryResult<T>> + Send + 'conn,
    limit: Duration,
    lost: &'conn mut bool,
) -> BoxFuture<'conn, QueryResult<T>> {
    Box::pin(async move {
        let answer = tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| {
            *lost = true;
            let text = format!("the database did not answer within {limit:?}");
            Err(Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(text)))
        });
        if let Err(Error::DatabaseError(DatabaseErrorKind::Unknown, information)) = &answer {
            *lost |= is_an_end(information.message());
        }
        answer
    })
}

/// Whether an error is not from the server. Diesel passes on the server's text as it is, and the driver's after one of these
/// prefixes. After the driver's errors the connection is unusable or out of step.
fn is_an_end(text: &str) -> bool {
    ["Driver error: ", "Input/output error: ", "Other error: ", "URL error: "]
        .iter()
        .any(|start| text.starts_with(start))
}

impl SimpleAsyncConnection for Conn {
    async fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.run(query).await
    }
}

impl AsyncConnectionCore for Conn {
    type ExecuteFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<usize>>;
    type LoadFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<Self::Stream<'conn, 'query>>>;
    type Stream<'conn, 'query> = <AsyncMysqlConnection as AsyncConnectionCore>::Stream<'conn, 'query>;
    type Row<'conn, 'query> = <AsyncMysqlConnection as AsyncConnectionCore>::Row<'conn, 'query>;
    type Backend = diesel::mysql::Mysql;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        let limit = self.target.options().silence();
        match &mut self.link {
            Some(link) => follow(link.load(source), limit, &mut self.lost),
            None => Box::pin(async { Err(gone()) }),
        }
    }

    fn execute_returning_count<'conn, 'query, T>(&'conn mut self, source: T) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        let limit = self.target.options().silence();
        match &mut self.link {
            Some(link) => follow(link.execute_returning_count(source), limit, &mut self.lost),
            None => Box::pin(async { Err(gone()) }),
        }
    }
}
