//! Receiving the body of a request, with limits of size and time.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout;

use crate::problem::Problem;

pub(crate) const MAX_BYTES: usize = 256 * 1024;
/// The maximum of what a payment processor sends, and of a promotion. A promotion of 256 KiB takes 15 ms to read.
pub(crate) const MAX_SMALL: usize = 64 * 1024;

/// Receives a body of up to `max` bytes.
pub(crate) async fn receive<B>(
    headers: &HeaderMap,
    body: B,
    (max, patience): (usize, Duration),
) -> Result<Bytes, Problem>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if announced(headers).is_some_and(|bytes| bytes > max) {
        return Err(too_large(max));
    }
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    check_coding(headers)?;
    match timeout(patience, Limited::new(body, max).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(max)),
        Ok(Err(_)) => Err(Problem::bad_request("body_incomplete", "The body is incomplete.")),
        Err(_) => {
            let detail = "The body was not received in time.";
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", detail))
        }
    }
}

/// Bodies are read as they are: a compressed one could become far longer than the limit.
fn check_coding(headers: &HeaderMap) -> Result<(), Problem> {
    let plain = |coding: &HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity");
    if headers.get_all(CONTENT_ENCODING).iter().all(plain) {
        return Ok(());
    }
    let detail = "The body must not be compressed: send it without Content-Encoding.";
    let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_content_encoding", detail);
    Err(problem.header(ACCEPT_ENCODING, HeaderValue::from_static("identity")))
}

/// The memory that the body may take.
pub(crate) fn memory(headers: &HeaderMap, body: &impl Body, max: usize) -> usize {
    if body.is_end_stream() { 0 } else { announced(headers).unwrap_or(max).min(max) }
}

/// The announced size of the body. One that exceeds `usize` is too large anyway.
fn announced(headers: &HeaderMap) -> Option<usize> {
    let text = headers.get(CONTENT_LENGTH)?.to_str().ok()?;
    Some(text.parse().unwrap_or(usize::MAX))
}

fn too_large(max: usize) -> Problem {
    let detail = format!("The body is larger than {} KiB.", max / 1024);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
}
