//! `/events`: the feed, as pages or as a stream

mod stream;

use std::collections::BTreeSet;
use std::time::Duration;

use commerce_core::actor::Actor;
use commerce_core::engine::{Engine, EngineError, EventTypes, FeedPage};
use commerce_core::event::published_types;
use commerce_core::permission::Permission;
use commerce_core::port::PageRequest;
use http::HeaderMap;
use http::header::ACCEPT;
use tokio::time::{Instant, sleep};

use crate::answer::Outcome;
use crate::app::App;
use crate::call::RequestContext;
use crate::drain::Drain;
use crate::dto::event::{CloudEvent, EventList, FeedParameters};
use crate::page::{self, Entries};
use crate::query::Query;

/// The kind of the cursors.
const EVENTS: &str = "events";
/// The longest that a request waits for events.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(30);
/// The pause between two looks for new events.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The entries that are read at once, and those if only some types are wanted.
const ROUND: u16 = 20;
const FILTERED_ROUND: u16 = 100;
/// The most entries that a request reads to find events of the wanted types.
const MAX_READ: u64 = 2_000;

/// What a reader asks for.
#[derive(Debug)]
struct Reading {
    after: u64,
    types: EventTypes,
    limit: u16,
    wait: Duration,
}

impl Reading {
    fn of(query: &Query) -> Result<Self, crate::problem::Problem> {
        let PageRequest { limit, after } = page::asked_after::<u64>(query, EVENTS, "after")?;
        let types = query.parsed("types", types)?.unwrap_or_default();
        let wait = query.parsed("wait", |text| match text.parse() {
            Ok(seconds) if Duration::from_secs(seconds) <= MAX_WAIT => Ok(Duration::from_secs(seconds)),
            _ => Err("must be 0 to 30"),
        })?;
        Ok(Self { after: after.unwrap_or_default(), types, limit, wait: wait.unwrap_or_default() })
    }
}

/// The position of a cursor of the feed.
pub(crate) fn position(cursor: &str) -> Option<u64> {
    page::read(EVENTS, cursor)
}

fn types(text: &str) -> Result<EventTypes, String> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let known: BTreeSet<&str> = published_types().collect();
    names
        .map(|name| known.get(name).map(|name| (*name).to_owned()).ok_or(format!("`{name:.64}` is not an event type")))
        .collect()
}

/// The events of the shop, oldest first. Every change is an event; those of an order, a document, a SKU or a task come in their
/// order, at least once. With `Accept: text/event-stream` they are sent as they happen, until the stream ends; a client that
/// connects again goes on after the last `id`.
#[utoipa::path(
    get, path = "/events", tag = "events",
    params(
        FeedParameters,
        ("Last-Event-ID" = Option<String>, Header, description = "Like `after`, sent by clients of event streams.")
    ),
    responses((status = 200, content((EventList<'_> = "application/json"), (String = "text/event-stream"))))
)]
pub(crate) async fn list(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    caller.require(Permission::ReadFeed)?;
    let reading = Reading::of(&call.query()?)?;
    if wants_stream(call.headers()) {
        return stream::answer(app, call, reading);
    }
    let until = Instant::now() + reading.wait;
    let _place = if reading.wait.is_zero() { None } else { Some(app.readers.admit(caller)?) };
    let (mut entries, mut end) = (Entries::new(), reading.after);
    loop {
        call.memory.lock().await.for_page().await?;
        let found = app.engine.feed(caller, &reading.types, &round(&reading, end)).await?;
        if !add(app, &mut entries, &found, &mut end, reading.limit) || end - reading.after >= MAX_READ {
            break;
        }
        if !found.more {
            call.memory.lock().await.for_waiting().await?;
            let look = Look { engine: &app.engine, caller, drain: &app.options.drain, until };
            if !entries.is_empty() || !look.for_events_after(end).await? {
                break;
            }
        }
    }
    Ok(entries.finish(EVENTS, Some(&end)))
}

fn round(reading: &Reading, after: u64) -> PageRequest<u64> {
    let most = if reading.types.is_empty() { ROUND.min(reading.limit) } else { FILTERED_ROUND };
    PageRequest { limit: most, after: Some(after) }
}

/// Adds what was read, as far as the page has room. Returns whether there may be room for more.
fn add(app: &App, entries: &mut Entries, found: &FeedPage, end: &mut u64, limit: u16) -> bool {
    for item in &found.items {
        let event = CloudEvent::from((item, app.options.event_source.as_str()));
        if entries.count() >= limit || !entries.push(&event) {
            return false;
        }
        *end = item.position;
    }
    *end = found.end;
    entries.count() < limit
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let essence = range.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("text/event-stream")
    })
}

/// A look for events, until an instant or until the service ends.
#[derive(Debug)]
struct Look<'a> {
    engine: &'a Engine,
    caller: &'a Actor,
    drain: &'a Drain,
    until: Instant,
}

impl Look<'_> {
    /// Whether an event came.
    async fn for_events_after(&self, position: u64) -> Result<bool, EngineError> {
        loop {
            if self.drain.has_begun() || Instant::now() >= self.until {
                return Ok(false);
            }
            tokio::select! {
                () = self.drain.begun() => {}
                () = sleep(LOOK_EVERY.min(self.until.saturating_duration_since(Instant::now()))) => {}
            }
            if self.engine.has_events_after(self.caller, position).await? {
                return Ok(true);
            }
        }
    }
}
