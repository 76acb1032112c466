//! What a target has, against the feed.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

/// What is kept of an event, of which there may be many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    id: String,
    stream: String,
    sequence: String,
    /// Of the whole event.
    hash: u64,
}

impl Entry {
    pub(super) fn of(event: &Value) -> Self {
        let text = |member: &str| event[member].as_str().expect("a text").to_owned();
        let mut hasher = DefaultHasher::new();
        event.to_string().hash(&mut hasher);
        Self { id: text("id"), stream: text("subject"), sequence: text("sequence"), hash: hasher.finish() }
    }

    pub(super) fn parse(event: &[u8]) -> Self {
        Self::of(&serde_json::from_slice(event).expect("a JSON document"))
    }
}

/// What was found in a target that has everything.
pub(super) struct Found {
    events: usize,
    entries: usize,
    pub(super) duplicates: usize,
    /// How often the target goes back in the feed, and how far at most.
    returns: usize,
    furthest: usize,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, entries, duplicates, returns, furthest } = self;
        write!(
            f,
            "{events} events, {entries} entries, {duplicates} duplicates, {returns} times back, by {furthest} at most"
        )
    }
}

/// Every event of the feed is there and as it is in the feed, nothing else is, and each stream is in the order of its sequence if
/// repeated events are left out.
pub(super) fn check(feed: &[Entry], entries: &[Entry]) -> Found {
    let known: HashMap<&str, usize> = feed.iter().enumerate().map(|(at, event)| (event.id.as_str(), at)).collect();
    let (mut seen, mut last) = (HashSet::new(), HashMap::new());
    let (mut returns, mut furthest, mut before) = (0, 0, 0);
    for entry in entries {
        let at = *known.get(entry.id.as_str()).unwrap_or_else(|| panic!("{entry:?} is not in the feed"));
        assert_eq!(*entry, feed[at]);
        if seen.insert(&entry.id) {
            let number = last.insert(&entry.stream, &entry.sequence);
            assert!(number.is_none_or(|number| *number < entry.sequence), "{number:?} and then {entry:?}");
        }
        if at < before {
            (returns, furthest) = (returns + 1, furthest.max(before - at));
        }
        before = at;
    }
    let missing: Vec<_> = feed.iter().filter(|event| !seen.contains(&event.id)).collect();
    assert!(missing.is_empty(), "{} are missing, such as {:?}", missing.len(), missing.first());
    Found { events: feed.len(), entries: entries.len(), duplicates: entries.len() - seen.len(), returns, furthest }
}
