//! What follows when a batch could not be written: everybody gets a true answer, and the innocent get theirs as if nothing
//! had happened.

use commerce_core::commit::{Commit, Needs};
use commerce_core::port::{CommitError, StoreError, StoreErrorKind};

use super::{Conn, Failure, Fault, Outcome, Submission, answer_all, attempt, commits, dialect, landed};

/// Tries each commit by itself, so that the one that is to blame, if it is one, harms nobody else.
pub(super) async fn recover(conn: &mut Conn, batch: Vec<Submission>, failure: Failure) {
    let size = batch.len();
    match failure {
        Failure::Shut(fault) => answer_failure(batch, &fault),
        Failure::Within(fault) => {
            tracing::warn!(size, error = %fault, "a batch failed, trying its commits one by one");
            one_by_one(conn, batch).await;
        }
        Failure::Unconfirmed(fault, outcomes) => {
            tracing::warn!(size, error = %fault, "a transaction was not confirmed, looking for its commits");
            let rest = answer_landed(conn, batch, outcomes, &fault).await;
            one_by_one(conn, rest).await;
        }
    }
}

async fn one_by_one(conn: &mut Conn, batch: Vec<Submission>) {
    let mut shut = None;
    for submission in batch {
        shut = match shut {
            None => serve_alone(conn, submission).await,
            Some(fault) => {
                submission.answer(Err(failed(&fault)));
                Some(fault)
            }
        };
    }
}

/// Gives back why no transaction could begin, if so: those behind need not wait as long for the same.
async fn serve_alone(conn: &mut Conn, submission: Submission) -> Option<Fault> {
    let alone = vec![submission];
    match attempt(conn, &alone, Needs::of(commits(&alone))).await {
        Ok(outcomes) => answer_all(alone, outcomes),
        Err(Failure::Within(fault)) => answer_failure(alone, &fault),
        Err(Failure::Unconfirmed(fault, outcomes)) => {
            let rest = answer_landed(conn, alone, outcomes, &fault).await;
            answer_failure(rest, &fault);
        }
        Err(Failure::Shut(fault)) => {
            answer_failure(alone, &fault);
            return Some(fault);
        }
    }
    None
}

fn answer_failure(batch: Vec<Submission>, fault: &Fault) {
    for submission in batch {
        submission.answer(Err(failed(fault)));
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
        match fate(conn, &submission.prepared.commit, outcome).await {
            Fate::Landed => submission.answer(Ok(())),
            Fate::Lost => rest.push(submission),
            Fate::Unknown => {
                submission.answer(Err(StoreError::new(StoreErrorKind::Unknown, fault.to_string()).into()));
            }
        }
    }
    rest
}

/// What a look into the database tells of a commit.
enum Fate {
    Landed,
    Lost,
    Unknown,
}

async fn fate(conn: &mut Conn, commit: &Commit, outcome: Outcome) -> Fate {
    // What was refused may have been refused for a neighbour that was lost, so it is settled anew.
    let Ok(settled) = outcome else { return Fate::Lost };
    match landed(conn, commit, &settled).await {
        Ok(Some(true)) => Fate::Landed,
        Ok(Some(false)) => Fate::Lost,
        Ok(None) | Err(_) => Fate::Unknown,
    }
}
