use std::future::pending;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use commerce_core::port::{PublishError, Publisher};
use commerce_core::publishing::Message;

/// A target of published events in memory, which fails on demand.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use commerce_core::port::Publisher;
/// use commerce_testkit::suite::publisher::message;
/// use commerce_testkit::{FakeTarget, TargetBehavior};
///
/// let target = FakeTarget::default();
/// target.be(TargetBehavior::TakesSome(1));
/// let refused = target.publish(&[message("order/1", 1), message("order/1", 2)]).await.unwrap_err();
/// assert_eq!(refused.confirmed, 1);
/// assert_eq!(target.received().len(), 1);
/// # });
/// ```
#[derive(Debug, Default)]
pub struct FakeTarget {
    state: Mutex<State>,
}

/// How a [`FakeTarget`] treats messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TargetBehavior {
    /// Takes and confirms them.
    #[default]
    Confirms,
    /// Takes nothing.
    Unavailable,
    /// Takes and confirms so many messages of each batch, and then fails.
    TakesSome(usize),
    /// Takes all, but its answer is lost.
    LosesAnswers,
    /// Takes nothing and gives no answer.
    Hangs,
    /// Refuses messages of a type.
    Refuses(String),
}

#[derive(Debug, Default)]
struct State {
    behavior: TargetBehavior,
    received: Vec<Message>,
    calls: u64,
}

impl FakeTarget {
    /// Changes how messages are treated.
    pub fn be(&self, behavior: TargetBehavior) {
        self.state().behavior = behavior;
    }

    /// Everything that it took, in order.
    pub fn received(&self) -> Vec<Message> {
        self.state().received.clone()
    }

    /// How often it was called.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what it takes of a batch. `None`: it does not answer.
    fn take(&self, messages: &[Message]) -> Option<Result<(), PublishError>> {
        let mut state = self.state();
        state.calls = state.calls.saturating_add(1);
        let all = messages.len();
        let (taken, answer) = match &state.behavior {
            TargetBehavior::Unavailable => (0, Some(Err(PublishError::unavailable(0, "away")))),
            TargetBehavior::TakesSome(some) if *some < all => {
                (*some, Some(Err(PublishError::unavailable(*some, "full"))))
            }
            TargetBehavior::Confirms | TargetBehavior::TakesSome(_) => (all, Some(Ok(()))),
            TargetBehavior::LosesAnswers => (all, Some(Err(PublishError::unavailable(0, "no answer")))),
            TargetBehavior::Hangs => (0, None),
            TargetBehavior::Refuses(event_type) => {
                match messages.iter().position(|message| message.event_type == *event_type) {
                    Some(first) => (first, Some(Err(PublishError::refused(first, "not wanted")))),
                    None => (all, Some(Ok(()))),
                }
            }
        };
        state.received.extend(messages.iter().take(taken).cloned());
        answer
    }
}

#[async_trait]
impl Publisher for FakeTarget {
    async fn publish(&self, messages: &[Message]) -> Result<(), PublishError> {
        match self.take(messages) {
            Some(answer) => answer,
            None => pending().await,
        }
    }
}
