//! Orders through our store, on any database.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use benches::numbers::micros;
use commerce_core::commit::Commit;
use commerce_core::port::Store;
use commerce_diesel::DatabaseOptions;
use commerce_diesel::mysql::MysqlStore;
use commerce_diesel::postgres::PostgresStore;
use commerce_diesel::sqlite::{SqliteOptions, SqliteStore};

use super::{Job, say_ready};
use crate::Failure;
use crate::contender::Spread;
use crate::load::Placed;
use crate::measure::now;
use crate::order::Orders;

/// Creates the tables and stocks the SKUs.
pub(super) async fn prepare(url: &str) -> Result<(), Failure> {
    let store = open(url).await?;
    for commit in Orders::new(0, Spread::Uniform)?.stocking() {
        store.commit(commit).await?;
    }
    Ok(())
}

/// Opens the store for a URL.
pub(super) async fn open(url: &str) -> Result<Arc<dyn Store>, Failure> {
    match url.split_once(':') {
        Some(("postgres", _)) => Ok(Arc::new(PostgresStore::open(url, DatabaseOptions::default()).await?)),
        Some(("mysql", _)) => Ok(Arc::new(MysqlStore::open(url, DatabaseOptions::default()).await?)),
        Some(("sqlite", path)) => Ok(Arc::new(SqliteStore::open(Path::new(path), SqliteOptions::default()).await?)),
        _ => Err("there is no store for this database".into()),
    }
}

/// Orders, most of them built beforehand.
struct Supply {
    ready: Mutex<Vec<Commit>>,
    orders: Orders,
}

impl Supply {
    fn new(job: &Job) -> Result<Self, Failure> {
        let orders = Orders::new(job.seed, job.spread)?;
        let mut ready = (0..job.prepared).map(|_| orders.next()).collect::<Result<Vec<_>, _>>()?;
        ready.reverse();
        Ok(Self { ready: Mutex::new(ready), orders })
    }

    fn next(&self) -> Result<Commit, Failure> {
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner).pop();
        ready.map_or_else(|| self.orders.next(), Ok)
    }
}

/// Places orders concurrently.
pub(super) async fn run(job: &Job) -> Result<Vec<Placed>, Failure> {
    let store = open(&job.url).await?;
    let supply = Arc::new(Supply::new(job)?);
    say_ready();
    let until = Instant::now() + Duration::from_secs(job.seconds);
    let submitters = (0..job.clients).map(|_| tokio::spawn(submit(store.clone(), supply.clone(), until)));
    let mut placed = Vec::new();
    for submitter in submitters.collect::<Vec<_>>() {
        placed.extend(submitter.await??);
    }
    Ok(placed)
}

async fn submit(store: Arc<dyn Store>, supply: Arc<Supply>, until: Instant) -> Result<Vec<Placed>, Failure> {
    let mut placed = Vec::new();
    let mut begun = Instant::now();
    while begun < until {
        let commit = supply.next()?;
        begun = Instant::now();
        store.commit(commit).await?;
        placed.push(Placed { at: now(), latency: micros(begun.elapsed()) });
    }
    Ok(placed)
}
