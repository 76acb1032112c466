//! The connections that read.
//!
//! Included by each database on a server.

use std::sync::Arc;

use commerce_core::port::{StoreError, StoreErrorKind};
use deadpool::Runtime;
use deadpool::managed::{self, Metrics, PoolError, RecycleError, RecycleResult, Timeouts};

use super::connection::Conn;
use super::dialect;
use super::target::Target;
use crate::fault::Fault;
use crate::network::{DatabaseError, DatabaseOptions};

/// Makes connections, and checks whether a returned one can be used again.
pub(super) struct Manager(Arc<Target>);

impl managed::Manager for Manager {
    type Type = Lease;
    type Error = DatabaseError;

    async fn create(&self) -> Result<Lease, DatabaseError> {
        Ok(Lease { conn: Conn::open(Arc::clone(&self.0)).await?, used: false })
    }

    async fn recycle(&self, lease: &mut Lease, _: &Metrics) -> RecycleResult<DatabaseError> {
        if lease.used || lease.conn.is_lost() {
            return Err(RecycleError::message("the connection is lost, or was left in the middle"));
        }
        if self.0.is_outdated(lease.conn.made()) {
            return Err(RecycleError::message("another server may take the writes now"));
        }
        Ok(())
    }
}

/// A connection, and whether an operation on it is unfinished.
pub(super) struct Lease {
    conn: Conn,
    used: bool,
}

pub(super) struct Readers(managed::Pool<Manager>);

impl Readers {
    pub(super) fn new(target: Arc<Target>, options: &DatabaseOptions) -> Self {
        let timeouts = Timeouts {
            wait: Some(options.acquire_timeout),
            create: Some(options.connect_timeout),
            recycle: Some(options.connect_timeout),
        };
        let pool = managed::Pool::builder(Manager(target))
            .max_size(options.readers.max(1))
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1);
        #[expect(clippy::expect_used, reason = "only a missing runtime is an error, and there is one")]
        Self(pool.build().expect("a pool with a runtime"))
    }

    pub(super) async fn lease(&self) -> Result<managed::Object<Manager>, StoreError> {
        self.0.get().await.map_err(|error| StoreError::new(StoreErrorKind::Unavailable, reason(&error)))
    }
}

fn reason(error: &PoolError<DatabaseError>) -> String {
    match error {
        PoolError::Timeout(_) => "all connections are busy".to_owned(),
        PoolError::Backend(error) => error.to_string(),
        PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            "there is no connection".to_owned()
        }
    }
}

impl Lease {
    /// Starts an operation on the connection.
    pub(super) fn begin(&mut self) -> &mut Conn {
        self.used = true;
        &mut self.conn
    }

    /// Ends the operation. An operation that was dropped never gets here.
    pub(super) fn end(&mut self) {
        self.used = false;
    }
}

pub(super) fn store_error(fault: &Fault) -> StoreError {
    StoreError::new(dialect::kind(fault), fault.to_string())
}

/// Runs a query that sees the database at one point in time.
macro_rules! in_snapshot {
    ($store:ident, [$($value:ident),*]; $conn:ident => $query:expr) => {
        super::readers::on_a_connection!($store, $conn, super::dialect::snapshot!($conn, $query))
    };
}

/// Runs a query of one statement.
macro_rules! in_statement {
    ($store:ident, [$($value:ident),*]; $conn:ident => $query:expr) => {
        super::readers::on_a_connection!($store, $conn, $query.await)
    };
}

/// Runs an operation that only reads. A lost connection is replaced once, because the server may have been restarted.
macro_rules! on_a_connection {
    ($store:ident, $conn:ident, $work:expr) => {{
        let mut replaced = false;
        loop {
            let mut lease = $store.shared.readers.lease().await?;
            let $conn = lease.begin();
            match $work {
                Ok(answer) => {
                    lease.end();
                    break Ok(answer);
                }
                Err(_) if $conn.is_lost() && !replaced => replaced = true,
                Err(fault) => break Err(super::readers::store_error(&fault)),
            }
        }
    }};
}

/// Runs an operation in its own transaction, and again after a deadlock.
macro_rules! in_transaction {
    ($store:ident, [$($value:ident),*]; $conn:ident => $query:expr) => {{
        let mut round = 0;
        loop {
            let mut lease = $store.shared.readers.lease().await?;
            let $conn = lease.begin();
            let written = async {
                super::dialect::begin_write($conn).await?;
                let answer = $query.await?;
                super::dialect::commit($conn).await?;
                Ok::<_, $crate::fault::Fault>(answer)
            };
            let written = written.await;
            if written.is_err() {
                super::dialect::rollback($conn).await;
            }
            lease.end();
            match written {
                Err(fault) if super::dialect::is_conflict(&fault) && round < super::dialect::RETRIES => {
                    super::dialect::pause(round).await;
                    round += 1;
                }
                written => break written.map_err(|fault| super::readers::store_error(&fault)),
            }
        }
    }};
}

/// An answer, or an operation, may be long or short: both are the same to a connection.
pub(super) use in_statement as in_listing;
pub(super) use in_transaction as in_short_transaction;
pub(super) use {in_snapshot, in_statement, in_transaction, on_a_connection};
