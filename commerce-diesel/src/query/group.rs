//! Group commit: what waits is settled and written in one transaction, and everybody gets their own answer after it.

#[path = "group/recovery.rs"]
mod recovery;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use commerce_core::commit::{Commit, Needs, Refusal, Settled, settle};
use commerce_core::port::CommitError;
use tokio::sync::oneshot;

use super::landed::landed;
use super::{Conn, Fault, dialect, facts, write};
use crate::changes::Changes;
use crate::prepared::Prepared;

/// A batch that takes longer than this is worth a warning.
const SLOW: Duration = Duration::from_millis(500);

/// A commit that waits for its turn, and who waits for the answer.
#[derive(Debug)]
pub(in super::super) struct Submission {
    pub(in super::super) prepared: Prepared,
    pub(in super::super) reply: oneshot::Sender<Reply>,
}

/// The answer, and the commit with it: it is freed by who submitted it, not by the writer for whom others wait.
#[derive(Debug)]
pub(in super::super) struct Reply {
    pub(in super::super) answer: Result<(), CommitError>,
    _prepared: Prepared,
}

impl Submission {
    /// Whoever does not wait any more is not told; the commit stands.
    fn answer(self, answer: Result<(), CommitError>) {
        let Self { prepared, reply } = self;
        drop(reply.send(Reply { answer, _prepared: prepared }));
    }
}

type Outcome = Result<Settled, Refusal>;

/// Why a batch was not written.
enum Failure {
    /// No transaction could begin: somebody else holds the database, or it is gone.
    Shut(Fault),
    /// Something in the transaction failed, and it was rolled back.
    Within(Fault),
    /// The database did not confirm the commit of what was settled so.
    Unconfirmed(Fault, Vec<Outcome>),
}

/// Writes a batch and answers everybody in it.
pub(in super::super) async fn serve(conn: &mut Conn, batch: Vec<Submission>) {
    let began = Instant::now();
    let size = batch.len();
    match attempt(conn, &batch, presuming_no_holds(&batch)).await {
        Ok(outcomes) => answer_all(batch, outcomes),
        Err(failure) => recovery::recover(conn, batch, failure).await,
    }
    let elapsed = began.elapsed();
    if elapsed > SLOW {
        tracing::warn!(size, ?elapsed, "slow batch of commits");
    } else {
        tracing::debug!(size, ?elapsed, "batch of commits");
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

/// What a batch needs, if the orders that it places hold nothing yet, which is not looked up.
///
/// Holds belong to orders, and placing one that exists is refused by its version. Should there be a hold all the same, the
/// insert of another fails on its key, and the commits are tried one by one with everything they need.
fn presuming_no_holds(batch: &[Submission]) -> Needs<'_> {
    let placed = commits(batch).flat_map(|commit| &commit.orders).filter(|change| change.expected() == 0);
    let placed: BTreeSet<_> = placed.map(|change| change.order().id).collect();
    let mut needs = Needs::of(commits(batch));
    for orders in needs.shelves.values_mut() {
        orders.retain(|order| !placed.contains(order));
    }
    needs
}

async fn attempt(conn: &mut Conn, batch: &[Submission], needs: Needs<'_>) -> Result<Vec<Outcome>, Failure> {
    dialect::begin_write(conn).await.map_err(|error| Failure::Shut(error.into()))?;
    let written = settle_and_write(conn, batch, needs).await;
    let failure = match written {
        Ok(outcomes) => match dialect::commit(conn).await {
            Ok(()) => return Ok(outcomes),
            Err(error) => Failure::Unconfirmed(error.into(), outcomes),
        },
        Err(fault) => Failure::Within(fault),
    };
    dialect::rollback(conn).await;
    Err(failure)
}

async fn settle_and_write(conn: &mut Conn, batch: &[Submission], needs: Needs<'_>) -> Result<Vec<Outcome>, Fault> {
    let mut facts = facts::load(conn, &needs).await?;
    let outcomes = settle(commits(batch), &mut facts);
    let prepared = batch.iter().map(|submission| &submission.prepared);
    let accepted = prepared.zip(&outcomes).filter_map(|(prepared, outcome)| Some((prepared, outcome.as_ref().ok()?)));
    write::write(conn, Changes::of(accepted)?, &facts).await?;
    Ok(outcomes)
}
