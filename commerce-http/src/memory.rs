//! The memory of requests in progress, and of answers that clients have not taken yet.
//!
//! A server that counts it puts a [`Budget`] into the extensions of each request. What a request exceeds it waits for briefly,
//! and is then refused with 503. The bytes of an answer return to the budget when the last of them is sent or dropped.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::page;
use crate::problem::Problem;

/// How long a request waits for memory.
const PATIENCE: Duration = Duration::from_secs(1);
/// What a request takes before its answer is known.
const REQUEST: usize = 32 * 1024;
/// What reading and writing a page takes.
const PAGE: usize = page::MAX_BYTES;
const UNIT: usize = 1024;

/// A limit of bytes. It may be a part of another one, which it then counts for as well.
#[derive(Clone, Debug)]
pub struct Budget(Arc<[Arc<Account>]>);

#[derive(Debug)]
struct Account {
    units: u32,
    free: Semaphore,
}

impl Budget {
    /// A limit of its own.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new([Account::new(bytes)]))
    }

    /// A limit for a part of this budget.
    #[must_use]
    pub fn part(&self, bytes: usize) -> Self {
        Self(std::iter::once(Account::new(bytes)).chain(self.0.iter().cloned()).collect())
    }

    /// The bytes that are taken.
    pub fn taken(&self) -> usize {
        self.0.first().map_or(0, |account| account.taken())
    }

    /// Takes units when all accounts have them. One that is larger than an account takes all of it.
    async fn take(&self, units: u32) -> Taken {
        let mut taken = Taken { budget: self.clone(), units: self.clamp(units), accounts: 0 };
        for account in self.0.iter() {
            if let Ok(permit) = account.free.acquire_many(taken.units).await {
                permit.forget();
                taken.accounts += 1;
            }
        }
        taken
    }

    fn clamp(&self, units: u32) -> u32 {
        self.0.iter().fold(units, |units, account| units.min(account.units))
    }
}

impl Account {
    fn new(bytes: usize) -> Arc<Self> {
        let units = units(bytes);
        Arc::new(Self { units, free: Semaphore::new(units.try_into().unwrap_or(Semaphore::MAX_PERMITS)) })
    }

    fn taken(&self) -> usize {
        usize::try_from(self.units).unwrap_or(usize::MAX).saturating_sub(self.free.available_permits()) * UNIT
    }
}

/// A part of a budget, until it is dropped.
#[derive(Debug)]
struct Taken {
    budget: Budget,
    units: u32,
    /// The number of accounts that it was taken from.
    accounts: usize,
}

impl Taken {
    /// Returns what is not needed.
    fn shrink(&mut self, units: u32) {
        self.give_back(self.units.saturating_sub(units));
        self.units = self.units.min(units);
    }

    fn give_back(&self, units: u32) {
        for account in self.budget.0.iter().take(self.accounts) {
            account.free.add_permits(units.try_into().unwrap_or_default());
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.give_back(self.units);
    }
}

/// The memory of a request. Without a budget it has no limit.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    budget: Option<Budget>,
    taken: Option<Taken>,
}

impl Memory {
    /// The memory of a request with a body of so many bytes.
    pub(crate) async fn of_request(budget: Option<&Budget>, body: usize) -> Result<Self, Problem> {
        let mut memory = Self { budget: budget.cloned(), taken: None };
        memory.set(REQUEST.saturating_add(body)).await?;
        Ok(memory)
    }

    /// Takes what a page of a list needs.
    pub(crate) async fn for_page(&mut self) -> Result<(), Problem> {
        self.set(PAGE).await
    }

    /// Returns what a page needed, until there is another one.
    pub(crate) async fn for_waiting(&mut self) -> Result<(), Problem> {
        self.set(REQUEST).await
    }

    /// Takes what an answer needs. `done` requests had their effect and are not refused.
    pub(crate) async fn for_answer(&mut self, bytes: usize, done: bool) -> Result<(), Problem> {
        let enough = self.taken.as_ref().is_none_or(|taken| taken.units >= units(bytes));
        if enough || done { Ok(()) } else { self.set(bytes).await }
    }

    /// Returns first what it has, so that no two requests wait for each other.
    async fn set(&mut self, bytes: usize) -> Result<(), Problem> {
        self.taken = None;
        let Some(budget) = &self.budget else { return Ok(()) };
        let taken = timeout(PATIENCE, budget.take(units(bytes))).await;
        self.taken = Some(taken.map_err(|_| exhausted())?);
        Ok(())
    }

    /// The bytes of the answer, which occupy memory until they are dropped.
    pub(crate) fn hold(self, bytes: Bytes) -> Bytes {
        let Some(mut taken) = self.taken.filter(|_| !bytes.is_empty()) else { return bytes };
        taken.shrink(units(bytes.len()));
        Bytes::from_owner(Held { bytes, _taken: taken })
    }
}

struct Held {
    bytes: Bytes,
    _taken: Taken,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn units(bytes: usize) -> u32 {
    bytes.div_ceil(UNIT).try_into().unwrap_or(u32::MAX)
}

fn exhausted() -> Problem {
    crate::telemetry::limited("memory");
    Problem::unavailable("overloaded", "The answers in progress take too much memory. Retry the request.")
}
