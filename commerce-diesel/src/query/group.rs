//! Group commit: settles and writes the waiting commits in one transaction, then answers each.

#[path = "group/recovery.rs"]
mod recovery;

pub(in super::super) use self::recovery::recover;

use std::time::{Duration, Instant};

use commerce_core::commit::{Accepted, Commit, LoadedState, ReadSet, Refusal, settle};
use commerce_core::port::CommitError;
use commerce_core::promotion::RedemptionMove;
use commerce_core::stock::{StockAction, StockMove};
use tokio::sync::oneshot;

use super::committed::is_committed;
use super::loaded_state::{Locks, Rows, Writable};
use super::{Answer, Conn, Fault, dialect, loaded_state, write};
use crate::changes::Changes;
use crate::prepared::Prepared;

/// A batch that takes longer is logged as a warning.
const SLOW: Duration = Duration::from_millis(500);

/// A waiting commit, with the channel for its answer.
#[derive(Debug)]
pub(in super::super) struct Submission {
    prepared: Prepared,
    reply: oneshot::Sender<Reply>,
    /// Its earlier outcomes, in transactions whose commit was not confirmed.
    unconfirmed: Vec<Accepted>,
}

/// The answer with the commit, so that the submitter frees the commit and not the writer.
#[derive(Debug)]
pub(in super::super) struct Reply {
    pub(in super::super) answer: Result<(), CommitError>,
    _prepared: Prepared,
}

impl Submission {
    pub(in super::super) const fn new(prepared: Prepared, reply: oneshot::Sender<Reply>) -> Self {
        Self { prepared, reply, unconfirmed: Vec::new() }
    }

    /// Answers, unless the submitter has stopped waiting.
    fn answer(self, answer: Result<(), CommitError>) {
        let Self { prepared, reply, .. } = self;
        drop(reply.send(Reply { answer, _prepared: prepared }));
    }
}

/// The outcome of a commit. `None` if an earlier attempt had committed it.
pub(in super::super) type Outcome = Result<Option<Accepted>, Refusal>;

/// The reason why a batch was not written.
pub(in super::super) enum Failure {
    /// No transaction could begin: another process has locked the database, or it is not reachable.
    Unavailable(Fault),
    /// A statement failed, and the transaction was rolled back.
    Within(Fault),
    /// The database did not confirm the commit with these outcomes.
    Unconfirmed(Fault, Vec<Outcome>),
}

/// When the rows of stock and of uses are locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LockMode {
    /// When they are read.
    Pessimistic,
    /// When they are written, last, if possible.
    Optimistic,
}

/// Writes a batch and answers each commit.
pub(in super::super) async fn serve(conn: &mut Conn, batch: Vec<Submission>) {
    let began = Instant::now();
    let size = batch.len();
    if let Err((batch, failure)) = try_serve(conn, batch).await {
        Box::pin(recover(conn, batch, failure)).await;
    }
    let elapsed = began.elapsed();
    if elapsed > SLOW {
        tracing::warn!(size, ?elapsed, "slow batch of commits");
    } else {
        tracing::debug!(size, ?elapsed, "batch of commits");
    }
}

/// Writes a batch and answers each commit. If the first attempt fails, returns the batch.
pub(in super::super) async fn try_serve(
    conn: &mut Conn,
    batch: Vec<Submission>,
) -> Result<(), (Vec<Submission>, Failure)> {
    // Assumes that everything that is inserted is new. If not, an insert violates a key, and the batch is retried with a
    // complete read set.
    match attempt(conn, &batch, ReadSet::assuming_inserts_are_new(commits(&batch)), LockMode::Optimistic).await {
        Ok(outcomes) => {
            answer_all(batch, outcomes);
            Ok(())
        }
        Err(failure) => Err((batch, failure)),
    }
}

fn answer_all(batch: Vec<Submission>, outcomes: Vec<Outcome>) {
    for (submission, outcome) in batch.into_iter().zip(outcomes) {
        submission.answer(outcome.map(drop).map_err(CommitError::Refused));
    }
}

fn commits(batch: &[Submission]) -> impl Iterator<Item = &Commit> {
    batch.iter().map(|submission| &submission.prepared.commit)
}

struct Ready {
    outcomes: Vec<Outcome>,
    loaded: Writable,
}

/// Settles and writes a batch in one transaction.
async fn attempt(
    conn: &mut Conn,
    batch: &[Submission],
    read_set: ReadSet<'_>,
    locks: LockMode,
) -> Result<Vec<Outcome>, Failure> {
    dialect::connected(conn).await.map_err(|error| Failure::Unavailable(error.into()))?;
    let ready = match begin(conn, batch, &read_set, locks).await {
        Ok(ready) => ready,
        Err(fault) => {
            dialect::rollback(conn).await;
            return Err(if dialect::is_unavailable(&fault) {
                Failure::Unavailable(fault)
            } else {
                Failure::Within(fault)
            });
        }
    };
    match write(conn, batch, &ready).await {
        Ok(()) => Ok(ready.outcomes),
        Err(WriteError::NotCommitted(fault)) => Err(Failure::Within(fault)),
        Err(WriteError::Unknown(fault)) => Err(Failure::Unconfirmed(fault, ready.outcomes)),
    }
}

/// Begins a transaction, and settles a batch.
async fn begin(conn: &mut Conn, batch: &[Submission], read_set: &ReadSet<'_>, mode: LockMode) -> Answer<Ready> {
    let locks = if mode == LockMode::Optimistic { needed_locks(batch) } else { Locks::ALL };
    dialect::pipeline!(conn; () = dialect::begin_write(conn), ready = ready_with(conn, batch, read_set, locks));
    match ready {
        Some(ready) => Ok(ready),
        None => ready_with(conn, batch, read_set, Locks::ALL).await?.ok_or(Fault::Misfit),
    }
}

/// Loads and settles a batch. `None` if the outcomes depend on rows that are not locked.
async fn ready_with(
    conn: &mut Conn,
    batch: &[Submission],
    read_set: &ReadSet<'_>,
    locks: Locks,
) -> Answer<Option<Ready>> {
    let mut loaded = loaded_state::load(conn, read_set, locks).await?;
    let outcomes = settled(conn, batch, &mut loaded.state).await?;
    let refusals = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    Ok(loaded.writable(refusals, read_set.at).map(|loaded| Ready { outcomes, loaded }))
}

/// The locks of a batch. Stock that is only reserved, and uses that commute, are locked when they are written. Uses are locked
/// after stock, so stock is not locked last if they are not.
fn needed_locks(batch: &[Submission]) -> Locks {
    if !dialect::SUPPORTS_OPTIMISTIC_RESERVE {
        return Locks::ALL;
    }
    let rows = |read| if read { Rows::Read } else { Rows::Locked };
    let commute = commits(batch).flat_map(|commit| &commit.redemptions).all(RedemptionMove::may_commute);
    let reserves = |step: &StockMove| matches!(step.action, StockAction::Reserve { .. });
    let reserve = commits(batch).flat_map(|commit| &commit.stock).all(reserves);
    Locks { stock: rows(reserve && commute), uses: rows(commute) }
}

/// Settles the commits that earlier attempts have not committed. The rows are locked, so unconfirmed transactions have ended,
/// and the answer is certain.
async fn settled(conn: &mut Conn, batch: &[Submission], loaded: &mut LoadedState) -> Answer<Vec<Outcome>> {
    let mut happened = Vec::with_capacity(batch.len());
    for submission in batch {
        happened.push(is_already_committed(conn, submission).await?);
    }
    let rest = commits(batch).zip(&happened).filter_map(|(commit, happened)| (!happened).then_some(commit));
    let mut outcomes = settle(rest, loaded).into_iter();
    let outcome = |happened: &bool| if *happened { Some(Ok(None)) } else { Some(outcomes.next()?.map(Some)) };
    Ok(happened.iter().filter_map(outcome).collect())
}

async fn is_already_committed(conn: &mut Conn, submission: &Submission) -> Answer<bool> {
    for settled in &submission.unconfirmed {
        if is_committed(conn, &submission.prepared.commit, settled).await? == Some(true) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The reason why settled commits are not, or may not be, written.
enum WriteError {
    NotCommitted(Fault),
    Unknown(Fault),
}

async fn write(conn: &mut Conn, batch: &[Submission], ready: &Ready) -> Result<(), WriteError> {
    let Ready { outcomes, loaded } = ready;
    let prepared = batch.iter().map(|submission| &submission.prepared);
    let accepted =
        prepared.zip(outcomes).filter_map(|(prepared, outcome)| Some((prepared, outcome.as_ref().ok()?.as_ref()?)));
    let changes = match Changes::of(accepted) {
        Ok(changes) => changes,
        Err(fault) => {
            dialect::rollback(conn).await;
            return Err(WriteError::NotCommitted(fault));
        }
    };
    let (written, committed) = dialect::commit_after!(conn, write::write(conn, changes, loaded));
    match (written, committed) {
        (Ok(()), Ok(())) => Ok(()),
        (Err(fault), Ok(())) => Err(WriteError::NotCommitted(fault)),
        (_, Err(error)) => {
            dialect::rollback(conn).await;
            let is_certain = dialect::is_certain(&error);
            Err(if is_certain { WriteError::NotCommitted(error.into()) } else { WriteError::Unknown(error.into()) })
        }
    }
}
