//! Reading messages.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::{
    DeadLetterReason, Envelope, InboxId, IncomingId, IncomingType, MAX_EVENT_ID, MAX_MESSAGE, Payload, Reason,
    SCHEMA_VERSION, Source, SourceName,
};

/// A message as it was received, from whom it claims to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Message<'a> {
    pub source: SourceName,
    /// What the transport recognizes a repeated message by. An event that cannot be read is known by it.
    pub id: IncomingId,
    pub body: &'a [u8],
}

/// An event of another system.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct IncomingEvent {
    pub source: SourceName,
    /// Unique within the source. Of `CloudEvents`, the attributes `source` and `id`.
    pub id: IncomingId,
    pub kind: IncomingType,
    pub time: DateTime<Utc>,
    pub data: Payload,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// An event that is taken.
    Event(Box<IncomingEvent>),
    /// An event whose type is not taken from the source.
    Ignored,
    /// It cannot be read.
    Unreadable(Unreadable),
}

/// What is known of a message that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Unreadable {
    /// That of the event, else that of the message.
    pub id: InboxId,
    pub kind: Option<IncomingType>,
    pub reason: Reason,
}

/// The envelope of an event without its data.
struct Head {
    id: IncomingId,
    time: DateTime<Utc>,
    sequence: Option<u64>,
    schema_version: u64,
}

#[derive(Deserialize)]
struct PlainType {
    event_type: String,
}

#[derive(Deserialize)]
struct PlainHead {
    event_id: String,
    timestamp: DateTime<Utc>,
    #[serde(default)]
    sequence: Option<u64>,
    #[serde(default)]
    schema_version: Option<u64>,
    #[serde(rename = "data")]
    _data: IgnoredAny,
}

#[derive(Deserialize)]
struct SpecVersion {
    specversion: String,
}

#[derive(Deserialize)]
struct CloudType {
    #[serde(rename = "type")]
    event_type: String,
}

#[derive(Deserialize)]
struct CloudHead {
    id: String,
    source: String,
    #[serde(default)]
    time: Option<DateTime<Utc>>,
    #[serde(default)]
    sequence: Option<String>,
    #[serde(default)]
    schemaversion: Option<u64>,
}

#[derive(Deserialize)]
struct WithData<T> {
    data: T,
}

/// Reads the data of an event as a type.
pub(super) fn data<T: DeserializeOwned>(text: &str) -> Result<T, Reason> {
    parse::<WithData<T>>(text).map(|event| event.data)
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Reason> {
    serde_json::from_str(text).map_err(|error| malformed(&error))
}

pub(super) fn malformed(detail: &impl alloc::string::ToString) -> Reason {
    Reason::new(DeadLetterReason::Malformed, detail)
}

impl Source {
    /// Reads a message that was received at an instant. The data of the event is read as its type says.
    pub fn read(&self, message: &Message<'_>, at: DateTime<Utc>) -> Reading {
        let unreadable = |kind, reason| {
            let id = InboxId::message(message.id.clone());
            Reading::Unreadable(Unreadable { id, kind, reason })
        };
        let typed = text_of(message.body).and_then(|text| Ok((text, self.envelope.event_type(text)?)));
        let (text, event_type) = match typed {
            Ok(typed) => typed,
            Err(reason) => return unreadable(None, reason),
        };
        // The rest of an event that is not taken may be anything.
        let Some(kind) = self.types.get(&event_type).copied() else { return Reading::Ignored };
        match self.envelope.head(text, at) {
            Ok(head) => head.reading(kind, text, &message.source),
            Err(reason) => unreadable(Some(kind), reason),
        }
    }
}

fn text_of(body: &[u8]) -> Result<&str, Reason> {
    if body.len() > MAX_MESSAGE {
        return Err(malformed(&format!("the message is larger than {MAX_MESSAGE} bytes")));
    }
    core::str::from_utf8(body).map_err(|error| malformed(&error))
}

impl Reading {
    /// What the event is about, as far as that could be read.
    pub const fn kind(&self) -> Option<IncomingType> {
        match self {
            Self::Event(event) => Some(event.kind),
            Self::Unreadable(unreadable) => unreadable.kind,
            Self::Ignored => None,
        }
    }

    /// The id by which the event is remembered.
    pub(crate) fn id(&self) -> Option<InboxId> {
        match self {
            Self::Event(event) => Some(InboxId::event(event.id.clone())),
            Self::Unreadable(unreadable) => Some(unreadable.id.clone()),
            Self::Ignored => None,
        }
    }
}

impl Envelope {
    /// The name of the type, from which follows whether the rest is read.
    fn event_type(self, text: &str) -> Result<String, Reason> {
        match self {
            Self::Plain => parse::<PlainType>(text).map(|typed| typed.event_type),
            Self::CloudEvents => {
                // First, because the rest of another version may be anything.
                let SpecVersion { specversion } = parse(text)?;
                if specversion != "1.0" {
                    let known = format!("specversion {specversion:.20}, this engine reads 1.0");
                    return Err(Reason::new(DeadLetterReason::FutureVersion, &known));
                }
                parse::<CloudType>(text).map(|typed| typed.event_type)
            }
        }
    }

    fn head(self, text: &str, received: DateTime<Utc>) -> Result<Head, Reason> {
        match self {
            Self::Plain => {
                let head: PlainHead = parse(text)?;
                let PlainHead { event_id, timestamp, sequence, schema_version, .. } = head;
                let id = id(&event_id, &event_id)?;
                let schema_version = schema_version.unwrap_or(SCHEMA_VERSION);
                Ok(Head { id, time: timestamp, sequence, schema_version })
            }
            Self::CloudEvents => {
                let head: CloudHead = parse(text)?;
                Ok(Head {
                    id: id(&head.id, &format!("{} {}", head.source, head.id))?,
                    time: head.time.unwrap_or(received),
                    sequence: head.sequence.and_then(|digits| digits.parse().ok()),
                    schema_version: head.schemaversion.unwrap_or(SCHEMA_VERSION),
                })
            }
        }
    }
}

/// An id as it is: without space at its ends, which would make two ids equal.
fn id(own: &str, whole: &str) -> Result<IncomingId, Reason> {
    let id = whole.parse::<IncomingId>().ok().filter(|id| id.as_str() == whole && !own.is_empty());
    id.ok_or_else(|| malformed(&format!("the id of an event is one line of 1 to {MAX_EVENT_ID} characters")))
}

impl Head {
    fn reading(self, kind: IncomingType, text: &str, source: &SourceName) -> Reading {
        match self.data(kind, text) {
            Ok(data) => {
                let Self { id, time, .. } = self;
                Reading::Event(Box::new(IncomingEvent { source: source.clone(), id, kind, time, data }))
            }
            Err(reason) => Reading::Unreadable(Unreadable { id: InboxId::event(self.id), kind: Some(kind), reason }),
        }
    }

    fn data(&self, kind: IncomingType, text: &str) -> Result<Payload, Reason> {
        if self.schema_version > SCHEMA_VERSION {
            let found = self.schema_version.to_string();
            let detail = format!("schema version {found}, this engine reads up to {SCHEMA_VERSION}");
            return Err(Reason::new(DeadLetterReason::FutureVersion, &detail));
        }
        Payload::read(kind, text, (&self.id, self.time, self.sequence))
    }
}
