//! The rows of the sandbox that wait to be written.

use std::collections::BTreeSet;
use std::mem;
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::rows::sandbox::NewSandboxRow;

/// Rows that come while others are written are written together.
#[derive(Debug, Default)]
pub(crate) struct BookQueue {
    waiting: Mutex<Vec<Waiting>>,
    /// The turn to write.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Waiting {
    row: NewSandboxRow,
    answer: oneshot::Sender<bool>,
}

/// What is answered once rows were written, or not.
#[derive(Debug)]
pub(crate) struct Answers {
    of_rows: Vec<oneshot::Sender<bool>>,
    of_others: Vec<oneshot::Sender<bool>>,
}

impl BookQueue {
    /// Adds a row. The answer tells whether it was written. No answer comes if the attempt failed.
    pub(crate) fn push(&self, row: NewSandboxRow) -> oneshot::Receiver<bool> {
        let (answer, written) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(Waiting { row, answer });
        written
    }

    /// All rows that wait. Of those about the same state of a payment, the first one.
    pub(crate) fn take(&self) -> (Vec<NewSandboxRow>, Answers) {
        let waiting = mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let (mut rows, mut known) = (Vec::new(), BTreeSet::new());
        let mut answers = Answers { of_rows: Vec::new(), of_others: Vec::new() };
        for Waiting { row, answer } in waiting {
            if known.insert(row.key()) {
                rows.push(row);
                answers.of_rows.push(answer);
            } else {
                answers.of_others.push(answer);
            }
        }
        (rows, answers)
    }
}

impl Answers {
    /// Answers all. The senders may have stopped waiting.
    pub(crate) fn send(self, written: &[bool]) {
        let of_rows = self.of_rows.into_iter().zip(written.iter().copied());
        for (answer, written) in of_rows.chain(self.of_others.into_iter().map(|answer| (answer, false))) {
            let _ = answer.send(written);
        }
    }
}
