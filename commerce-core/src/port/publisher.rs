//! Publishing events, and how far each target has confirmed them.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use async_trait::async_trait;
use thiserror::Error;

use super::StoreResult;
use crate::ids::TargetName;
use crate::publishing::{MAX_ERROR, Message, TargetState};

/// A target to which events are published, such as a file, a broker or an endpoint of webhooks.
///
/// # Contract
/// * A batch is published in its order. Messages of a stream arrive in the order of their sequence.
/// * A message is confirmed only when the target has it so that a crash of the target or of this process does not lose it.
/// * After an error the caller sends the messages that were not confirmed again. A target may have a message more than once.
/// * A call that is dropped before it returns may have published any of its messages.
///
/// `commerce-testkit` has a conformance suite of the contract, `publisher_suite!`.
#[async_trait]
pub trait Publisher: Send + Sync + fmt::Debug {
    /// Publishes messages, and returns when the target has confirmed all of them.
    ///
    /// # Errors
    /// Why the target did not confirm all of them, and how many it did.
    async fn publish(&self, messages: &[Message]) -> Result<(), PublishError>;
}

/// Why a target did not confirm a whole batch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{failure}")]
pub struct PublishError {
    /// The number of messages, from the first one on, that it confirmed.
    pub confirmed: usize,
    /// What happened to the message after them.
    pub failure: PublishFailure,
}

/// Why a message was not confirmed. The texts are shown to operators and contain no secrets.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PublishFailure {
    /// The target cannot be reached, is busy or full, or did not answer in time.
    #[error("the target is unavailable: {0}")]
    Unavailable(String),
    /// The target will not take this message, such as one that is too long. It is tried again as well: no message is skipped.
    #[error("the target refuses an event: {0}")]
    Refused(String),
}

impl PublishError {
    /// The target is unavailable after it has confirmed some messages.
    pub fn unavailable(confirmed: usize, reason: impl fmt::Display) -> Self {
        Self { confirmed, failure: PublishFailure::Unavailable(harmless(&reason)) }
    }

    /// The target refuses a message after it has confirmed some.
    pub fn refused(confirmed: usize, reason: impl fmt::Display) -> Self {
        Self { confirmed, failure: PublishFailure::Refused(harmless(&reason)) }
    }
}

/// A text that comes from a target, short and on one line: what it says cannot look like another entry of a log.
pub(super) fn harmless(reason: &impl fmt::Display) -> String {
    let text = alloc::format!("{reason}");
    let is_harmful = |character: char| {
        character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().take(MAX_ERROR).map(|character| if is_harmful(character) { ' ' } else { character }).collect()
}

/// Stores how far each target has confirmed the feed.
///
/// # Contract
/// * A change is durable when the call returns, and visible to every read that starts afterwards.
/// * Of two changes of the same state, one is made.
#[async_trait]
pub trait Targets: Send + Sync + fmt::Debug {
    /// The state of a target. `None`: nothing was ever published to it.
    async fn target(&self, name: &TargetName) -> StoreResult<Option<TargetState>>;

    /// The states of all targets, by name in the order of its bytes.
    async fn targets(&self) -> StoreResult<Vec<TargetState>>;

    /// Stores the state of a target, or removes it, if it is unchanged since it was read as `before`: has the same version, or does not
    /// exist. Both are of the same target. Returns whether it did.
    async fn replace_target(&self, before: Option<&TargetState>, after: Option<&TargetState>) -> StoreResult<bool>;
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn what_a_target_says_is_one_short_line() {
        let said = "no\r\n{\"level\":\"ERROR\"}\u{1b}[2J\u{202e}\u{0}é";
        let refused = PublishError::refused(1, said);
        assert_eq!(refused.to_string(), "the target refuses an event: no  {\"level\":\"ERROR\"} [2J  é");
        let long = PublishError::unavailable(0, "🦀".repeat(MAX_ERROR + 1));
        assert_eq!(long.failure, PublishFailure::Unavailable("🦀".repeat(MAX_ERROR)));
    }
}
