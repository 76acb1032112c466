//! Recovery of a batch that could not be written: each commit gets a correct answer, and one failing commit does not affect the
//! others.

use std::time::{Duration, Instant};

use commerce_core::commit::{Accepted, Commit, ReadSet};
use commerce_core::port::{CommitError, StoreError, StoreErrorKind};

use super::{Conn, Failure, Fault, LockMode, Outcome, Submission, answer_all, attempt, commits, dialect, is_committed};

/// Tries the batch again, because another process may have interfered, and then each commit alone, so that a failing commit
/// does not affect the others.
pub(in super::super::super) async fn recover(conn: &mut Conn, batch: Vec<Submission>, failure: Failure) {
    let deadline = Instant::now() + dialect::patience(conn);
    let (mut batch, mut failure, mut round, mut pauses) = (batch, failure, 0, 0);
    while round < dialect::RETRIES {
        let waits = matches!(failure, Failure::Unavailable(_)) && is_unconfirmed(&batch) && Instant::now() < deadline;
        if !waits {
            let Some((rest, fault)) = lost(conn, batch, failure, deadline).await else { return };
            let in_time = Instant::now() < deadline;
            if round > 0 && !in_time {
                return answer_failure(rest, &fault);
            }
            batch = rest;
            // A conflict says nothing about the commits. Alone, they would meet more of them.
            round = round.saturating_add(u32::from(!in_time || !dialect::is_conflict(&fault)));
        }
        dialect::pause(pauses).await;
        pauses = pauses.saturating_add(1);
        match attempt(conn, &batch, ReadSet::of(commits(&batch)), LockMode::Pessimistic).await {
            Ok(outcomes) => return answer_again(conn, batch, outcomes, deadline).await,
            Err(next) => failure = next,
        }
    }
    if let Some((rest, _)) = lost(conn, batch, failure, deadline).await {
        Box::pin(one_by_one(conn, rest, deadline)).await;
    }
}

/// Whether the outcome of a commit is unknown without a connection.
fn is_unconfirmed(batch: &[Submission]) -> bool {
    batch.iter().any(|submission| !submission.unconfirmed.is_empty())
}

/// The commits that have not happened, and the reason. Answers the others.
async fn lost(
    conn: &mut Conn,
    batch: Vec<Submission>,
    failure: Failure,
    deadline: Instant,
) -> Option<(Vec<Submission>, Fault)> {
    let size = batch.len();
    let (rest, fault) = match failure {
        Failure::Unavailable(fault) => {
            answer_failure(batch, &fault);
            return None;
        }
        Failure::Within(fault @ Fault::Misfit) => (batch, fault),
        Failure::Within(fault) if dialect::is_conflict(&fault) => {
            tracing::debug!(size, error = %fault, "a batch was in conflict with another transaction");
            (batch, fault)
        }
        Failure::Within(fault) => {
            tracing::info!(size, error = %fault, "a batch failed, trying its commits again");
            (batch, fault)
        }
        Failure::Unconfirmed(fault, outcomes) => {
            tracing::warn!(size, error = %fault, "a transaction was not confirmed, looking for its commits");
            (answer_committed(conn, batch, outcomes, &fault, deadline).await, fault)
        }
    };
    (!rest.is_empty()).then_some((rest, fault))
}

async fn one_by_one(conn: &mut Conn, batch: Vec<Submission>, deadline: Instant) {
    let mut shut = None;
    for submission in batch {
        shut = match shut {
            None => serve_alone(conn, submission, deadline).await,
            Some(fault) => {
                answer_failure(vec![submission], &fault);
                Some(fault)
            }
        };
    }
}

/// Tries one commit, after a deadlock until the deadline. Returns the fault if no transaction could begin or the time is over,
/// so that the following commits need not wait.
async fn serve_alone(conn: &mut Conn, submission: Submission, deadline: Instant) -> Option<Fault> {
    let (mut alone, mut round) = (vec![submission], 0);
    loop {
        match attempt(conn, &alone, ReadSet::of(commits(&alone)), LockMode::Pessimistic).await {
            Ok(outcomes) => {
                answer_again(conn, alone, outcomes, deadline).await;
                return None;
            }
            Err(Failure::Unavailable(fault)) => {
                answer_failure(alone, &fault);
                return Some(fault);
            }
            Err(failure) => {
                let (rest, fault) = lost(conn, alone, failure, deadline).await?;
                let in_time = Instant::now() < deadline;
                if !in_time || !dialect::is_conflict(&fault) {
                    answer_failure(rest, &fault);
                    let out_of_time = !in_time && dialect::patience(conn) > Duration::ZERO;
                    return out_of_time.then_some(fault);
                }
                alone = rest;
            }
        }
        dialect::pause(round).await;
        round = round.saturating_add(1);
    }
}

fn answer_failure(batch: Vec<Submission>, fault: &Fault) {
    for submission in batch {
        let unknown = !submission.unconfirmed.is_empty();
        submission.answer(Err(if unknown { unclear(fault) } else { failed(fault) }));
    }
}

fn failed(fault: &Fault) -> CommitError {
    StoreError::new(dialect::kind(fault), fault.to_string()).into()
}

fn unclear(fault: &Fault) -> CommitError {
    StoreError::new(StoreErrorKind::Unknown, fault.to_string()).into()
}

/// Answers the commits that were tried again. A commit may be refused because an earlier attempt of its own was committed after
/// all.
async fn answer_again(conn: &mut Conn, batch: Vec<Submission>, outcomes: Vec<Outcome>, deadline: Instant) {
    let (mut rest, mut settled) = (Vec::new(), Vec::new());
    for (submission, outcome) in batch.into_iter().zip(outcomes) {
        let resolution = if outcome.is_err() { refused(conn, &submission, deadline).await } else { Resolution::Lost };
        match resolution {
            Resolution::Committed => submission.answer(Ok(())),
            Resolution::Unknown => submission.answer(Err(unclear_refusal())),
            Resolution::Lost => {
                rest.push(submission);
                settled.push(outcome);
            }
        }
    }
    answer_all(rest, settled);
}

/// Whether a commit that is refused now was committed by an earlier attempt.
async fn refused(conn: &mut Conn, submission: &Submission, deadline: Instant) -> Resolution {
    for settled in &submission.unconfirmed {
        match resolution(conn, &submission.prepared.commit, settled, deadline).await {
            Resolution::Lost => {}
            known @ (Resolution::Committed | Resolution::Unknown) => return known,
        }
    }
    Resolution::Lost
}

fn unclear_refusal() -> CommitError {
    StoreError::new(StoreErrorKind::Unknown, "it is not known whether the commit has happened").into()
}

/// Answers the commits whose outcome is known or cannot be found out. Returns those that have not happened.
async fn answer_committed(
    conn: &mut Conn,
    batch: Vec<Submission>,
    outcomes: Vec<Outcome>,
    fault: &Fault,
    deadline: Instant,
) -> Vec<Submission> {
    let mut rest = Vec::new();
    for (mut submission, outcome) in batch.into_iter().zip(outcomes) {
        // The refusal may depend on a commit that was lost, so this one is settled again.
        let resolution = match &outcome {
            Ok(Some(_)) if dialect::is_unreplicated(fault) => Resolution::Unknown,
            Ok(Some(settled)) => resolution(conn, &submission.prepared.commit, settled, deadline).await,
            Ok(None) => Resolution::Committed,
            Err(_) => Resolution::Lost,
        };
        match resolution {
            Resolution::Committed => submission.answer(Ok(())),
            Resolution::Lost => {
                submission.unconfirmed.extend(outcome.ok().flatten());
                rest.push(submission);
            }
            Resolution::Unknown => submission.answer(Err(unclear(fault))),
        }
    }
    rest
}

/// The result of looking for a commit in the database.
enum Resolution {
    Committed,
    Lost,
    Unknown,
}

/// Looks for a commit until the deadline.
async fn resolution(conn: &mut Conn, commit: &Commit, settled: &Accepted, deadline: Instant) -> Resolution {
    let mut round = 0;
    loop {
        match look(conn, commit, settled).await {
            Ok(Some(true)) => return Resolution::Committed,
            Ok(Some(false)) => return Resolution::Lost,
            Err(_) if Instant::now() < deadline => dialect::pause(round).await,
            Ok(None) | Err(_) => return Resolution::Unknown,
        }
        round = round.saturating_add(1);
    }
}

async fn look(conn: &mut Conn, commit: &Commit, settled: &Accepted) -> Result<Option<bool>, Fault> {
    dialect::connected(conn).await?;
    is_committed(conn, commit, settled).await
}
