//! The feed as [server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html).

use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use commerce_core::actor::Actor;
use commerce_core::engine::{Engine, FeedPage};
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use tokio::time::Instant;

use super::{EVENTS, Look, Reading, round};
use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::drain::Drain;
use crate::dto::event::cloud_event;
use crate::memory::{Budget, Memory};
use crate::page;
use crate::problem::Problem;
use crate::readers::Place;
use crate::response_body::Parts;

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
/// The age at which a stream ends. The client connects again, and its token is checked.
const MAX_AGE: Duration = Duration::from_secs(600);
/// The pause after which a stream without events sends its position.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The size at which a part of a stream is sent.
const PART: usize = 256 * 1024;
/// Tells the client to connect again after a second.
const GREETING: Bytes = Bytes::from_static(b"retry: 1000\n\n");

/// A stream of events.
#[derive(Debug)]
struct Events {
    engine: Engine,
    source: String,
    caller: Actor,
    reading: Reading,
    position: u64,
    budget: Option<Budget>,
    drain: Drain,
    until: Instant,
    _place: Place,
}

/// Starts a stream.
pub(super) fn answer(app: &App, call: &RequestContext, reading: Reading) -> Outcome {
    let caller = call.caller()?;
    let position = last_event(call)?.unwrap_or(reading.after);
    let events = Events {
        engine: app.engine.clone(),
        source: app.options.event_source.clone(),
        caller: caller.clone(),
        position,
        reading,
        budget: call.parts.extensions.get::<Budget>().cloned(),
        drain: app.options.drain.clone(),
        until: Instant::now() + MAX_AGE,
        _place: app.readers.admit(caller)?,
    };
    let parts = stream::unfold((events, Some(GREETING)), |(mut events, greeting)| async move {
        let part = match greeting {
            Some(greeting) => greeting,
            None => events.part().await.inspect_err(Problem::log).ok().flatten()?,
        };
        Some((part, (events, None)))
    });
    let mut answer = Answer::empty(StatusCode::OK);
    answer.headers.insert(CONTENT_TYPE, EVENT_STREAM);
    answer.parts = Some(Parts(Box::pin(parts)));
    Ok(answer)
}

fn last_event(call: &RequestContext) -> Result<Option<u64>, Problem> {
    let Some(given) = call.headers().get("last-event-id").filter(|given| !given.is_empty()) else { return Ok(None) };
    let cursor = given.to_str().ok().and_then(|given| page::read(EVENTS, given));
    let invalid = || Problem::invalid_parameter("Last-Event-ID", "invalid_cursor", "must be an id of this stream");
    cursor.map(Some).ok_or_else(invalid)
}

impl Events {
    /// The next part. `None`: the stream ends.
    async fn part(&mut self) -> Result<Option<Bytes>, Problem> {
        let until = self.until.min(Instant::now() + HEARTBEAT);
        while !self.drain.has_begun() {
            let memory = Memory::of_request(self.budget.as_ref(), page::MAX_BYTES).await?;
            let page =
                self.engine.feed(&self.caller, &self.reading.types, &round(&self.reading, self.position)).await?;
            let text = self.write(&page);
            if !text.is_empty() {
                return Ok(Some(memory.hold(text.into())));
            }
            drop(memory);
            let look = Look { engine: &self.engine, caller: &self.caller, drain: &self.drain, until };
            let found = page.more || look.for_events_after(self.position).await?;
            if Instant::now() >= self.until {
                return Ok(None);
            }
            if !found || Instant::now() >= until {
                return Ok(Some(format!("id: {}\n\n", cursor(self.position)).into()));
            }
        }
        Ok(None)
    }

    /// The events of a page, up to the size of a part.
    fn write(&mut self, page: &FeedPage) -> String {
        let mut text = String::new();
        for item in &page.items {
            let Ok(json) = cloud_event(item, &self.source) else { continue };
            let (id, kind, json) = (cursor(item.position), item.event.event_type(), String::from_utf8_lossy(&json));
            write!(text, "id: {id}\nevent: {kind}\ndata: {json}\n\n").ok();
            self.position = item.position;
            if text.len() >= PART {
                return text;
            }
        }
        self.position = page.end;
        text
    }
}

fn cursor(position: u64) -> String {
    page::cursor(EVENTS, &position).unwrap_or_default()
}
