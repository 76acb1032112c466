//! `ExportTraceServiceRequest` in the JSON form: ids are hexadecimal, whole numbers of 64 bits are texts.

use std::time::{Duration, SystemTime};

use commerce_trace::{Ended, Kind, Value};
use serde_json::{Value as Json, json};

/// What takes the spans as one request.
pub(crate) fn request(service: &str, batch: &[Ended]) -> Json {
    let resource = [attribute("service.name", &service.into()), version()];
    let scope = json!({ "name": "commerce", "version": env!("CARGO_PKG_VERSION") });
    let spans: Vec<_> = batch.iter().map(span).collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": resource },
        "scopeSpans": [{ "scope": scope, "spans": spans }],
    }] })
}

fn version() -> Json {
    attribute("service.version", &env!("CARGO_PKG_VERSION").into())
}

fn span(span: &Ended) -> Json {
    let attributes: Vec<_> = span.attributes.iter().map(|(name, value)| attribute(name, value)).collect();
    let started = span.started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut written = json!({
        "traceId": format!("{:032x}", span.span.trace),
        "spanId": format!("{:016x}", span.span.span),
        "name": span.name,
        "kind": kind(span.kind),
        "startTimeUnixNano": nanos(started),
        "endTimeUnixNano": nanos(started.saturating_add(span.took)),
        "attributes": attributes,
        "status": if span.failed { json!({ "code": 2 }) } else { json!({}) },
    });
    if let (Some(parent), Some(members)) = (span.parent, written.as_object_mut()) {
        members.insert("parentSpanId".to_owned(), json!(format!("{parent:016x}")));
    }
    written
}

fn attribute(name: &str, value: &Value) -> Json {
    let value = match value {
        Value::Text(text) => json!({ "stringValue": text }),
        Value::Number(number) => json!({ "intValue": number.to_string() }),
    };
    json!({ "key": name, "value": value })
}

/// `SpanKind`.
const fn kind(kind: Kind) -> u8 {
    match kind {
        Kind::Internal => 1,
        Kind::Server => 2,
        Kind::Client => 3,
    }
}

fn nanos(since: Duration) -> String {
    since.as_nanos().to_string()
}
