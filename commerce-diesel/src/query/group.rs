//! Group commit: what waits is settled and written in one transaction, and everybody gets their own answer after it.

use std::time::{Duration, Instant};

use commerce_core::commit::{Commit, Needs, Refusal, Settled, settle};
use commerce_core::port::{CommitError, StoreError, StoreErrorKind};
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

type Outcome = Result<Settled, Refusal>;

/// Why a batch was not written.
enum Failure {
    /// Nothing has happened.
    Before(Fault),
    /// The database did not confirm the commit of what was settled so.
    During(Fault, Vec<Outcome>),
}

/// Writes a batch and answers everybody in it.
///
/// Should it fail for a reason that no guard foresaw, each commit is tried by itself, so that the one that is to blame, if
/// it is one, harms nobody else.
pub(in super::super) async fn serve(conn: &mut Conn, batch: Vec<Submission>) {
    let began = Instant::now();
    let size = batch.len();
    match attempt(conn, &batch).await {
        Ok(outcomes) => answer_all(batch, outcomes),
        Err(failure) => recover(conn, batch, failure).await,
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
        answer(submission, outcome.map(drop).map_err(CommitError::Refused));
    }
}

/// Whoever does not wait any more is not told; the commit stands.
fn answer(submission: Submission, answer: Result<(), CommitError>) {
    let Submission { prepared, reply } = submission;
    drop(reply.send(Reply { answer, _prepared: prepared }));
}

async fn recover(conn: &mut Conn, batch: Vec<Submission>, failure: Failure) {
    match failure {
        Failure::Before(fault) => retry(conn, batch, &fault).await,
        Failure::During(fault, outcomes) => {
            tracing::warn!(size = batch.len(), error = %fault, "a commit was not confirmed, looking it up");
            let rest = answer_landed(conn, batch, outcomes, &fault).await;
            retry(conn, rest, &fault).await;
        }
    }
}

async fn retry(conn: &mut Conn, mut batch: Vec<Submission>, fault: &Fault) {
    if batch.len() > 1 {
        tracing::warn!(size = batch.len(), error = %fault, "a batch failed, trying its commits one by one");
        for submission in batch {
            serve_alone(conn, submission).await;
        }
    } else if let Some(submission) = batch.pop() {
        answer(submission, Err(failed(fault)));
    }
}

async fn serve_alone(conn: &mut Conn, submission: Submission) {
    let alone = vec![submission];
    match attempt(conn, &alone).await {
        Ok(outcomes) => answer_all(alone, outcomes),
        Err(Failure::Before(fault)) => answer_failure(alone, &fault),
        Err(Failure::During(fault, outcomes)) => {
            let rest = answer_landed(conn, alone, outcomes, &fault).await;
            answer_failure(rest, &fault);
        }
    }
}

fn answer_failure(batch: Vec<Submission>, fault: &Fault) {
    for submission in batch {
        answer(submission, Err(failed(fault)));
    }
}

fn failed(fault: &Fault) -> CommitError {
    StoreError::new(dialect::kind(fault), fault.to_string()).into()
}

/// Answers those whose fate can be told or never will be; gives back those that have not happened.
async fn answer_landed(
    conn: &mut Conn,
    batch: Vec<Submission>,
    outcomes: Vec<Outcome>,
    fault: &Fault,
) -> Vec<Submission> {
    let mut rest = Vec::new();
    for (submission, outcome) in batch.into_iter().zip(outcomes) {
        match told(conn, &submission.prepared.commit, outcome).await {
            Told::Landed => answer(submission, Ok(())),
            Told::Not => rest.push(submission),
            Told::Nothing => {
                answer(submission, Err(StoreError::new(StoreErrorKind::Unknown, fault.to_string()).into()));
            }
        }
    }
    rest
}

/// What a look into the database tells.
enum Told {
    Landed,
    Not,
    Nothing,
}

async fn told(conn: &mut Conn, commit: &Commit, outcome: Outcome) -> Told {
    // What was refused may have been refused for a neighbour that has not landed, so it is settled anew.
    let Ok(settled) = outcome else { return Told::Not };
    match landed(conn, commit, &settled).await {
        Ok(Some(true)) => Told::Landed,
        Ok(Some(false)) => Told::Not,
        Ok(None) | Err(_) => Told::Nothing,
    }
}

async fn attempt(conn: &mut Conn, batch: &[Submission]) -> Result<Vec<Outcome>, Failure> {
    dialect::begin_write(conn).await.map_err(|error| Failure::Before(error.into()))?;
    match settle_and_write(conn, batch).await {
        Ok(outcomes) => match dialect::commit(conn).await {
            Ok(()) => Ok(outcomes),
            Err(error) => {
                dialect::rollback(conn).await;
                Err(Failure::During(error.into(), outcomes))
            }
        },
        Err(fault) => {
            dialect::rollback(conn).await;
            Err(Failure::Before(fault))
        }
    }
}

async fn settle_and_write(conn: &mut Conn, batch: &[Submission]) -> Result<Vec<Outcome>, Fault> {
    let commits = || batch.iter().map(|submission| &submission.prepared.commit);
    let mut facts = facts::load(conn, &Needs::of(commits())).await?;
    let outcomes = settle(commits(), &mut facts);
    let prepared = batch.iter().map(|submission| &submission.prepared);
    let accepted = prepared.zip(&outcomes).filter_map(|(prepared, outcome)| Some((prepared, outcome.as_ref().ok()?)));
    write::write(conn, Changes::of(accepted)?, &facts).await?;
    Ok(outcomes)
}
