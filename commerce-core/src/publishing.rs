//! Publishing: how far a target has confirmed the feed, which process publishes to it, and when a failure is tried again.
//!
//! Each target has a position in the feed, and everything up to it was confirmed. One process at a time publishes to a target: the one
//! with its lease. A lease ends by itself, so another process goes on after a crash. The position is stored after the target has
//! confirmed, so after a crash some events are published again; none is left out.
//!
//! Every change makes the next version, and a store makes it only if the version before it is the stored one
//! ([`Targets`](crate::port::Targets)). A process that lost its lease therefore cannot move the position.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;
use uuid::Uuid;

use crate::ids::{EventId, TargetName};

pub mod names;

/// The maximum length of a stored error, in characters.
pub const MAX_ERROR: usize = 500;

/// The form in which a target gets events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Envelope {
    /// A `CloudEvent` in its JSON form.
    #[default]
    CloudEvents,
    /// The attributes of a `CloudEvent` beside the message, and its data as the body.
    CloudEventsBinary,
    /// A JSON object with `event_id`, `event_type`, `timestamp`, `sequence` and `data`.
    Plain,
}

/// How one event is to be written.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Form<'a> {
    /// The `source` of events.
    pub source: &'a str,
    /// The type as the target knows it.
    pub event_type: &'a str,
    pub envelope: Envelope,
}

/// An event as it was written for a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The media type of the body.
    pub content_type: &'static str,
    /// What goes beside the body: the attributes of a `CloudEvent` in binary mode, by their names in the specification. Otherwise nothing.
    pub attributes: Vec<(&'static str, String)>,
    /// A JSON document without line breaks.
    pub body: Vec<u8>,
}

/// An event in the form in which it leaves the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Message {
    /// In the feed.
    pub position: u64,
    /// Consumers recognize a repeated event by its id.
    pub id: EventId,
    /// Such as `order.paid`, or the name that the target has for it.
    pub event_type: String,
    /// Such as `order/019b76da-a812-7000-8000-000000000001`.
    pub stream: String,
    /// Within the stream.
    pub sequence: u64,
    pub at: DateTime<Utc>,
    /// See [`Written`].
    pub content_type: &'static str,
    /// See [`Written`].
    pub attributes: Vec<(&'static str, String)>,
    /// A JSON document without line breaks.
    pub body: Vec<u8>,
}

/// Which process may publish to a target, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Lease {
    /// Drawn by each process when it starts.
    pub holder: Uuid,
    pub until: DateTime<Utc>,
}

/// How far a target has confirmed the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TargetState {
    pub name: TargetName,
    /// All events up to it were confirmed, or are not of the wanted types.
    pub position: u64,
    pub version: u64,
    pub lease: Option<Lease>,
    /// The number of failures since the last success.
    pub failures: u32,
    /// The time of the first of them.
    pub failing_since: Option<DateTime<Utc>>,
    /// The earliest time of the next attempt after a failure.
    pub retry_at: Option<DateTime<Utc>>,
    pub last_error: Option<String>,
}

impl TargetState {
    /// A target to which nothing was published.
    pub const fn new(name: TargetName, position: u64) -> Self {
        Self {
            name,
            position,
            version: 1,
            lease: None,
            failures: 0,
            failing_since: None,
            retry_at: None,
            last_error: None,
        }
    }

    /// Whether a process may publish at an instant: no other process holds a lease then.
    pub fn is_free_for(&self, holder: Uuid, at: DateTime<Utc>) -> bool {
        self.lease.is_none_or(|lease| lease.holder == holder || lease.until <= at)
    }

    /// How long the target must not be tried at an instant, because of a failure.
    pub fn pause(&self, at: DateTime<Utc>) -> Option<TimeDelta> {
        let pause = self.retry_at?.signed_duration_since(at);
        (pause > TimeDelta::zero()).then_some(pause)
    }

    /// With a lease.
    #[must_use]
    pub fn leased(&self, lease: Lease) -> Self {
        Self { lease: Some(lease), ..self.next() }
    }

    /// Without a lease: another process may go on at once.
    #[must_use]
    pub fn released(&self) -> Self {
        Self { lease: None, ..self.next() }
    }

    /// The target has confirmed everything up to a position.
    #[must_use]
    pub fn confirmed(&self, position: u64) -> Self {
        Self { position, lease: self.lease, ..Self { version: self.next_version(), ..Self::new(self.name.clone(), 0) } }
    }

    /// The target has confirmed everything up to a position, and failed then.
    #[must_use]
    pub fn failed(&self, position: u64, failure: &Failure<'_>) -> Self {
        let before = if position > self.position { self.confirmed(position) } else { self.next() };
        let failures = before.failures.saturating_add(1);
        Self {
            failures,
            failing_since: before.failing_since.or(Some(failure.at)),
            retry_at: failure.at.checked_add_signed(failure.pauses.after(failures, failure.random)),
            last_error: Some(failure.error.chars().take(MAX_ERROR).collect()),
            ..before
        }
    }

    /// Moved by a person: the events after a position are published next, and at once. The process with the lease goes on from there.
    ///
    /// # Errors
    /// The feed ends before the position, or `skipping` is not allowed and events that were not confirmed would be left out.
    pub fn moved_to(&self, position: u64, feed_end: u64, skipping: Skipping) -> Result<Self, MoveRefused> {
        if position > feed_end {
            return Err(MoveRefused::BeyondEnd { feed_end });
        }
        if position > self.position && skipping == Skipping::Refused {
            return Err(MoveRefused::Skips { first: self.position.saturating_add(1), last: position });
        }
        Ok(self.confirmed(position))
    }

    fn next(&self) -> Self {
        Self { version: self.next_version(), ..self.clone() }
    }

    const fn next_version(&self) -> u64 {
        self.version.saturating_add(1)
    }
}

/// Whether a person may leave out events that were not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Skipping {
    Refused,
    Allowed,
}

/// Why a target was not moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum MoveRefused {
    #[error("the feed ends at {feed_end}")]
    BeyondEnd { feed_end: u64 },
    #[error("the events {first} to {last} were not confirmed and would be left out")]
    Skips { first: u64, last: u64 },
}

/// A failure of a target.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Failure<'a> {
    pub at: DateTime<Utc>,
    /// Without secrets.
    pub error: &'a str,
    pub pauses: Pauses,
    /// Any number; see [`Pauses::after`].
    pub random: u64,
}

/// The pauses after failures. Each failure in a row doubles the pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// After the first failure.
    pub first: TimeDelta,
    /// The longest one.
    pub longest: TimeDelta,
}

impl Pauses {
    /// The pause after failures in a row, between its half and the whole. `random` decides where, so that targets that failed together
    /// are not tried together.
    pub fn after(self, failures: u32, random: u64) -> TimeDelta {
        let doublings = failures.saturating_sub(1).min(30);
        let longest = self.longest.num_milliseconds();
        let whole = self
            .first
            .num_milliseconds()
            .saturating_mul(1_i64.checked_shl(doublings).unwrap_or(i64::MAX))
            .clamp(0, longest.max(0));
        let half = whole / 2;
        let spread = u64::try_from(whole.saturating_sub(half)).unwrap_or_default().saturating_add(1);
        let more = random.checked_rem(spread).and_then(|more| i64::try_from(more).ok());
        TimeDelta::milliseconds(half.saturating_add(more.unwrap_or_default()))
    }
}

/// How much is published at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// The most messages.
    pub messages: u16,
    /// The most bytes of their bodies. A longer message is a batch of its own.
    pub bytes: usize,
}

impl BatchLimits {
    /// How many messages, from the first one on, are one batch. At least one, if there is one.
    pub fn take(&self, messages: &[Message]) -> usize {
        let mut bytes = 0_usize;
        let fits = |message: &&Message| {
            bytes = bytes.saturating_add(message.body.len());
            bytes <= self.bytes
        };
        let count = messages.iter().take(self.messages.into()).take_while(fits).count();
        count.max(messages.len().min(1))
    }
}

/// How many messages, from the first one on, are of different streams. They may be sent at once: if one of them is not confirmed, no
/// later message of its stream has arrived.
pub fn independent(messages: &[Message]) -> usize {
    let mut streams = BTreeSet::new();
    messages.iter().take_while(|message| streams.insert(message.stream.as_str())).count()
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn target() -> TargetState {
        TargetState::new("books".parse().unwrap(), 7)
    }

    /// The pauses are 5, 10, 20 and 30 seconds.
    fn failure(seconds: i64, error: &str) -> Failure<'_> {
        let pauses = Pauses { first: TimeDelta::seconds(10), longest: TimeDelta::seconds(60) };
        Failure { at: at(seconds), error, pauses, random: 0 }
    }

    fn message(bytes: usize) -> Message {
        Message {
            position: 1,
            id: EventId::new(Uuid::nil()),
            event_type: "order.paid".into(),
            stream: "order/1".into(),
            sequence: 1,
            at: at(0),
            content_type: "application/json",
            attributes: Vec::new(),
            body: vec![b' '; bytes],
        }
    }

    #[test]
    fn a_lease_keeps_others_away_until_it_ends() {
        let (mine, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let leased = target().leased(Lease { holder: mine, until: at(10) });
        assert!(target().is_free_for(other, at(0)));
        assert!(leased.is_free_for(mine, at(9)));
        assert!(!leased.is_free_for(other, at(9)));
        assert!(leased.is_free_for(other, at(10)));
        assert!(leased.released().is_free_for(other, at(0)));
    }

    #[test]
    fn every_change_makes_the_next_version() {
        let (state, lease) = (target(), Lease { holder: Uuid::nil(), until: at(10) });
        let changes = [
            state.leased(lease),
            state.released(),
            state.confirmed(8),
            state.failed(7, &failure(1, "down")),
            state.moved_to(3, 9, Skipping::Refused).unwrap(),
        ];
        assert!(changes.iter().all(|after| after.version == 2), "{changes:?}");
    }

    #[test]
    fn failures_are_counted_until_something_is_confirmed() {
        let once = target().failed(7, &failure(1, "down"));
        let twice = once.failed(7, &failure(6, "still down"));
        assert_eq!((twice.failures, twice.failing_since, twice.retry_at), (2, Some(at(1)), Some(at(16))));
        assert_eq!(twice.pause(at(10)), Some(TimeDelta::seconds(6)));
        assert_eq!(twice.pause(at(16)), None);
        let further = twice.failed(9, &failure(16, "down again"));
        assert_eq!((further.position, further.failures, further.failing_since), (9, 1, Some(at(16))));
        assert_eq!(further.retry_at, Some(at(21)));
        let done = twice.confirmed(8);
        assert_eq!((done.position, done.failures, done.retry_at, done.last_error), (8, 0, None, None));
    }

    #[test]
    fn a_confirmed_target_keeps_its_lease() {
        let lease = Lease { holder: Uuid::nil(), until: at(10) };
        assert_eq!(target().leased(lease).confirmed(8).lease, Some(lease));
    }

    #[test]
    fn a_person_moves_back_and_skips_only_on_purpose() {
        let failed = target().failed(7, &failure(1, "refused"));
        let back = failed.moved_to(0, 9, Skipping::Refused).unwrap();
        assert_eq!((back.position, back.pause(at(1)), back.last_error), (0, None, None));
        assert_eq!(failed.moved_to(8, 9, Skipping::Refused), Err(MoveRefused::Skips { first: 8, last: 8 }));
        assert_eq!(failed.moved_to(8, 9, Skipping::Allowed).unwrap().position, 8);
        assert_eq!(failed.moved_to(10, 9, Skipping::Allowed), Err(MoveRefused::BeyondEnd { feed_end: 9 }));
    }

    #[test]
    fn a_long_error_is_cut_between_characters() {
        let failed = target().failed(7, &failure(1, &"🦀".repeat(MAX_ERROR + 1)));
        assert_eq!(failed.last_error.unwrap().chars().count(), MAX_ERROR);
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_spread_over_their_second_half() {
        let pauses = Pauses { first: TimeDelta::seconds(1), longest: TimeDelta::seconds(60) };
        for (failures, whole) in [(1, 1000), (2, 2000), (3, 4000), (7, 60_000), (u32::MAX, 60_000)] {
            assert_eq!(pauses.after(failures, 0).num_milliseconds(), whole / 2);
            let spread = u64::try_from(whole - whole / 2).unwrap();
            assert_eq!(pauses.after(failures, spread).num_milliseconds(), whole);
            assert!(pauses.after(failures, u64::MAX).num_milliseconds() <= whole);
        }
    }

    #[test]
    fn a_batch_is_limited_in_messages_and_bytes_and_never_empty() {
        let limits = BatchLimits { messages: 3, bytes: 10 };
        assert_eq!(limits.take(&[]), 0);
        assert_eq!(limits.take(&[message(11), message(1)]), 1);
        assert_eq!(limits.take(&[message(5), message(5), message(1)]), 2);
        assert_eq!(limits.take(&[message(1), message(1), message(1), message(1)]), 3);
    }

    #[test]
    fn messages_up_to_the_first_repeated_stream_are_independent() {
        let of = |stream: &str| Message { stream: stream.into(), ..message(1) };
        assert_eq!(independent(&[]), 0);
        assert_eq!(independent(&[of("a"), of("b")]), 2);
        assert_eq!(independent(&[of("a"), of("b"), of("a"), of("c")]), 2);
        assert_eq!(independent(&[of("a"), of("a")]), 1);
    }
}
