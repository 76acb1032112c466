//! Telling what was committed.

use core::fmt;

use chrono::TimeDelta;

use crate::payment::{DeclineCode, OperationKind, OperationState};
use crate::webhook::DeliveryOutcome;

/// Hears what was committed, such as for metrics. It cannot refuse anything.
pub trait Observer: Send + Sync + fmt::Debug {
    /// Called once for everything that a use case of this process committed. It must not block.
    fn note(&self, news: &News);
}

/// Something that was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum News {
    /// An operation of a payment is in another state. `decline` is why it was declined.
    #[expect(missing_docs, reason = "the names say it")]
    Operation { kind: OperationKind, state: OperationState, decline: Option<DeclineCode> },
    /// An order was paid, so long after it was placed.
    #[expect(missing_docs, reason = "the names say it")]
    Paid { after: TimeDelta },
    /// It was tried to deliver an event to an endpoint. This is not a part of a commit.
    #[expect(missing_docs, reason = "the names say it")]
    Webhook { outcome: DeliveryOutcome, took_ms: u64 },
}
