//! A connection that can send statements without waiting for the answers to earlier ones.

use std::any::TypeId;
use std::collections::HashSet;
use std::future::Future;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel::QueryResult;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::{AsyncConnectionCore, AsyncPgConnection, SimpleAsyncConnection};
use diesel_bulk::Together;
use futures_util::TryFutureExt;
use tokio::sync::watch;

use super::target::{Made, Target};
use crate::network::DatabaseError;
use crate::network::verdict::{self, NOT_REPLICATED, Verdict};

/// A connection. Clones share it. Statements that are sent at the same time share a round trip and run in order.
#[derive(Clone)]
pub(crate) struct Conn {
    target: Arc<Target>,
    link: Arc<Link>,
}

/// Names a prepared statement: its type, or the types of the statements that it combines.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Name {
    One(TypeId),
    Together(Vec<TypeId>),
}

/// The connection to the server.
struct Link {
    client: AsyncPgConnection,
    signals: Arc<Signals>,
    made: Made,
    prepared: Mutex<HashSet<Name>>,
    /// The rows that the transaction writes next, with one statement.
    together: Mutex<Together>,
    /// The number of statements that are being prepared.
    preparing: watch::Sender<usize>,
    /// Whether the end of a transaction was sent. A later statement would be outside of it.
    sealed: AtomicBool,
}

/// What the server tells about a connection beside its answers.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// Set when the connection has ended.
    pub(super) closed: AtomicBool,
    /// Set when the wait of a commit for a standby was cancelled.
    pub(super) unreplicated: AtomicBool,
}

impl Link {
    async fn open(target: &Target) -> Result<Self, DatabaseError> {
        let ((client, signals), made) = target.connect().await?;
        let (preparing, sealed) = (watch::Sender::new(0), AtomicBool::new(false));
        Ok(Self { client, signals, made, prepared: Mutex::default(), together: Mutex::default(), preparing, sealed })
    }
}

impl Conn {
    pub(super) async fn open(target: Arc<Target>) -> Result<Self, DatabaseError> {
        let link = Arc::new(Link::open(&target).await?);
        Ok(Self { target, link })
    }

    /// How long to look for the outcome of a failed transaction.
    pub(super) fn patience(&self) -> std::time::Duration {
        self.target.options().patience
    }

    /// When the connection was made.
    pub(super) fn made(&self) -> Made {
        self.link.made
    }

    /// Whether the connection is unusable.
    pub(crate) fn is_lost(&self) -> bool {
        self.link.signals.closed.load(Ordering::Acquire)
    }

    /// Closes the connection. The server rolls back its transaction.
    pub(crate) fn give_up(&self) {
        self.link.signals.closed.store(true, Ordering::Release);
    }

    /// Reconnects if the connection is lost, or another server takes the writes now.
    pub(super) async fn restore(&mut self) -> Result<(), DatabaseError> {
        if self.is_lost() || self.target.has_moved(self.link.made) {
            self.link = Arc::new(Link::open(&self.target).await?);
        }
        Ok(())
    }

    /// Runs statements without parameters, which are not prepared.
    pub(super) async fn run(&self, statements: &str) -> QueryResult<()> {
        let mut client = &self.link.client;
        self.answer(client.batch_execute(statements)).await
    }

    /// Ends a transaction after everything that was sent before. Waits for statements that are being prepared, which it would
    /// otherwise overtake.
    pub(super) async fn end(&self, statement: &str) -> QueryResult<()> {
        let mut preparing = self.link.preparing.subscribe();
        drop(preparing.wait_for(|count| *count == 0).await); // the sender is ours
        if !mem::take(&mut *self.together()).is_empty() && statement == "COMMIT" {
            let text = Box::new("rows were not written before the end of their transaction".to_owned());
            return Err(Error::DatabaseError(DatabaseErrorKind::Unknown, text));
        }
        self.link.sealed.store(true, Ordering::Release);
        self.link.signals.unreplicated.store(false, Ordering::Release);
        let answer = self.run(statement).await;
        self.link.sealed.store(false, Ordering::Release);
        if self.link.signals.unreplicated.load(Ordering::Acquire) {
            return Err(Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(NOT_REPLICATED.to_owned())));
        }
        answer
    }

    /// The rows that the transaction writes next, with one statement.
    pub(super) fn together(&self) -> MutexGuard<'_, Together> {
        self.link.together.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the rows of a transaction that failed.
    pub(super) fn forget_together(&self) {
        *self.together() = Together::default();
    }

    /// Writes the rows that the transaction writes next.
    pub(super) fn write_together(&self) -> Answered<'_, ()> {
        let together = mem::take(&mut *self.together());
        if together.is_empty() {
            return Box::pin(async { Ok(()) });
        }
        let (mut client, name) = (&self.link.client, Name::Together(together.names()));
        let answer = client.execute_returning_count(together);
        self.follow(Some(name), answer.map_ok(drop))
    }

    /// Waits for an answer with a time-out. The server ends a statement that takes too long, unless it is gone.
    async fn answer<T>(&self, answer: impl Future<Output = QueryResult<T>>) -> QueryResult<T> {
        let limit = self.target.options().silence();
        let answer = tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| {
            let text = Box::new(format!("the database did not answer within {limit:?}"));
            Err(Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand, text))
        });
        let unserved = |error: &Error| verdict::verdict(verdict::POSTGRES, error) == Some(Verdict::NotServed);
        let unsent = |error: &Error| matches!(error, Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand, _));
        if answer.as_ref().is_err_and(|error| unsent(error) || unserved(error)) {
            self.give_up();
        }
        answer
    }

    /// Waits for the answer to a statement, and remembers that it is prepared.
    fn follow<'conn, T: Send + 'conn>(
        &'conn self,
        name: Option<Name>,
        answer: impl Future<Output = QueryResult<T>> + Send + 'conn,
    ) -> Answered<'conn, T> {
        if self.link.sealed.load(Ordering::Acquire) {
            let text = Box::new("a statement was sent after the end of its transaction".to_owned());
            return Box::pin(async { Err(Error::DatabaseError(DatabaseErrorKind::Unknown, text)) });
        }
        let preparation = (!self.link.knows(name.as_ref())).then(|| Preparation::of(&self.link));
        Box::pin(async move {
            let answer = self.answer(answer).await;
            if let (Some(_), Ok(_)) = (&preparation, &answer) {
                self.link.learn(name);
            }
            answer
        })
    }
}

type Answered<'conn, T> = futures_util::future::BoxFuture<'conn, QueryResult<T>>;

impl Link {
    fn knows(&self, name: Option<&Name>) -> bool {
        name.is_some_and(|name| self.prepared.lock().unwrap_or_else(PoisonError::into_inner).contains(name))
    }

    fn learn(&self, name: Option<Name>) {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).extend(name);
    }
}

/// Counts a statement that is being prepared until it is dropped.
struct Preparation<'c>(&'c Link);

impl<'c> Preparation<'c> {
    fn of(link: &'c Link) -> Self {
        link.preparing.send_modify(|count| *count = count.saturating_add(1));
        Self(link)
    }
}

impl Drop for Preparation<'_> {
    fn drop(&mut self) {
        self.0.preparing.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl SimpleAsyncConnection for Conn {
    async fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.run(query).await
    }
}

impl AsyncConnectionCore for Conn {
    type ExecuteFuture<'conn, 'query> = Answered<'conn, usize>;
    type LoadFuture<'conn, 'query> = Answered<'conn, Self::Stream<'conn, 'query>>;
    type Stream<'conn, 'query> = <AsyncPgConnection as AsyncConnectionCore>::Stream<'conn, 'query>;
    type Row<'conn, 'query> = <AsyncPgConnection as AsyncConnectionCore>::Row<'conn, 'query>;
    type Backend = diesel::pg::Pg;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        let mut client = &self.link.client;
        let answer = AsyncConnectionCore::load(&mut client, source);
        self.follow(T::Query::query_id().map(Name::One), answer)
    }

    fn execute_returning_count<'conn, 'query, T>(&'conn mut self, source: T) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        let mut client = &self.link.client;
        let answer = client.execute_returning_count(source);
        self.follow(T::query_id().map(Name::One), answer)
    }
}
