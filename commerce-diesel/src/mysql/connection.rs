//! A connection that reconnects when it is lost.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use diesel::QueryResult;
use diesel::mysql::Mysql;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::{AsyncConnectionCore, AsyncMysqlConnection, SimpleAsyncConnection};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use mysql_async::prelude::FromRow;

use super::link::{Link, Query, from_server};
use super::target::{Made, Target};
use crate::network::DatabaseError;
use crate::network::verdict::{self, Verdict};

/// A connection. Each statement is answered before the next is sent.
pub(crate) struct Conn {
    target: Arc<Target>,
    /// `None` after the connection was closed.
    link: Option<Link>,
    made: Made,
    lost: bool,
}

impl Conn {
    pub(super) async fn open(target: Arc<Target>) -> Result<Self, DatabaseError> {
        let (link, made) = target.connect().await?;
        Ok(Self { target, link: Some(link), made, lost: false })
    }

    /// How long to look for the outcome of a failed transaction.
    pub(super) fn patience(&self) -> Duration {
        self.target.options().patience
    }

    /// When the connection was made.
    pub(super) const fn made(&self) -> Made {
        self.made
    }

    /// Whether the connection is unusable.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost || self.link.is_none()
    }

    /// Closes the connection. The server rolls back its transaction.
    pub(crate) fn give_up(&mut self) {
        self.link = None;
    }

    /// Reconnects if the connection is lost, or another server takes the writes now.
    pub(super) async fn restore(&mut self) -> QueryResult<()> {
        if self.is_lost() || self.target.has_moved(self.made) {
            self.give_up();
            let connected = self.target.connect().await;
            let (link, made) = connected.map_err(|error| unsent(error.to_string()))?;
            (self.link, self.made) = (Some(link), made);
            self.lost = false;
        }
        Ok(())
    }

    pub(super) async fn run(&mut self, statements: &str) -> QueryResult<()> {
        let limit = self.target.options().silence();
        let Some(link) = &mut self.link else { return Err(gone()) };
        follow(link.run(statements), limit, &mut self.lost).await
    }

    /// Begins a transaction. This fails only if the connection is lost: the server was restarted or has closed an idle
    /// connection. Nothing has happened yet, so it is repeated on a new connection.
    pub(super) async fn begin(&mut self, statements: &str) -> QueryResult<()> {
        if self.try_to_begin(statements).await.is_ok() {
            return Ok(());
        }
        self.give_up();
        self.restore().await?;
        self.try_to_begin(statements).await
    }

    async fn try_to_begin(&mut self, statements: &str) -> QueryResult<()> {
        let limit = self.target.options().silence();
        let Some(link) = &mut self.link else { return Err(gone()) };
        follow(link.begin(statements), limit, &mut self.lost).await
    }

    /// Ends a transaction. After an error other than a conflict, the connection is of no use.
    pub(super) async fn end(&mut self, statements: &str) -> QueryResult<()> {
        let limit = self.target.options().silence();
        let Some(link) = &mut self.link else { return Err(gone()) };
        let ended = follow(link.end(statements), limit, &mut self.lost).await;
        let conflict = |error: &Error| verdict::verdict(verdict::MYSQL, error) == Some(Verdict::Conflict);
        if ended.as_ref().is_err_and(|error| !conflict(error)) {
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

/// Waits for the answer to a statement, within the time-outs of a statement and of connecting. After an error that is not from
/// the server, the connection is unusable or out of step.
async fn follow<T>(
    answer: impl Future<Output = Result<T, mysql_async::Error>>,
    limit: Duration,
    lost: &mut bool,
) -> QueryResult<T> {
    let text = match tokio::time::timeout(limit, answer).await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(mysql_async::Error::Server(error))) => return Err(from_server(error)),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("the database did not answer within {limit:?}"),
    };
    *lost = true;
    Err(Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(text)))
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
    type Backend = Mysql;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        let limit = self.target.options().silence();
        let query = Query::of(&source.as_query());
        Box::pin(async move {
            let Some(link) = &mut self.link else { return Err(gone()) };
            let rows = follow(link.load(query?), limit, &mut self.lost).await?;
            let unreadable = |error| Error::DeserializationError(Box::new(error));
            Ok(stream::iter(rows).map(move |row| Self::Row::from_row_opt(row).map_err(unreadable)).boxed())
        })
    }

    fn execute_returning_count<'conn, 'query, T>(&'conn mut self, source: T) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        let limit = self.target.options().silence();
        let query = Query::of(&source);
        Box::pin(async move {
            let Some(link) = &mut self.link else { return Err(gone()) };
            let count = follow(link.execute(query?), limit, &mut self.lost).await?;
            usize::try_from(count).map_err(|error| Error::DeserializationError(Box::new(error)))
        })
    }
}
