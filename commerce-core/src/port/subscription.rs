//! Taking messages of other systems from a queue.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use async_trait::async_trait;
use thiserror::Error;

use super::publisher::harmless;

/// A queue from which messages are taken, such as a stream of a broker.
///
/// # Contract
/// * A message comes until it was acknowledged: again after it was given back, after the connection broke, and after the process died that
///   had taken it. It may come more than once all the same.
/// * Of several subscriptions to a queue, one has a message at a time. Another one gets it if that takes too long.
/// * A message that was given back holds up none of those behind it.
/// * A subscription connects when it is first used, and again after a failure.
///
/// `commerce-testkit` has a conformance suite of the contract, `subscription_suite!`.
#[async_trait]
pub trait Subscription: Send + Sync + fmt::Debug {
    /// The next messages, at most `limit`. Waits about a second if there are none. A call that is dropped loses none.
    ///
    /// # Errors
    /// The queue cannot be reached or read.
    async fn next(&self, limit: usize) -> Result<Vec<QueuedMessage>, SubscriptionError>;
}

/// A message that was taken, and what it is settled with.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct QueuedMessage {
    pub body: Vec<u8>,
    pub settlement: Box<dyn Settlement>,
}

/// Settles a message that was taken. One that is dropped unsettled comes again.
#[async_trait]
pub trait Settlement: Send + Sync + fmt::Debug {
    /// The message is dealt with and does not have to come again.
    ///
    /// # Errors
    /// The queue was not reached: the message comes again.
    async fn acknowledge(&self) -> Result<(), SubscriptionError>;

    /// The message cannot be dealt with now and has to come again, maybe to another subscription.
    ///
    /// # Errors
    /// The queue was not reached: the message comes again later.
    async fn give_back(&self) -> Result<(), SubscriptionError>;
}

/// Why a queue cannot be read. The text is shown to operators and has no secrets.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct SubscriptionError(alloc::string::String);

impl SubscriptionError {
    /// An error with what the queue said, short and on one line.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(harmless(&reason))
    }
}
