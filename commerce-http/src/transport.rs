//! Faults of requests at the level of HTTP, below routes and handlers.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};
use tracing::info_span;

use crate::answer::Answer;
use crate::problem::Problem;
use crate::request_id::RequestId;
use crate::service::complete;
use crate::telemetry::Served;

/// The method of a request that was not read, in metrics and logs.
const NO_METHOD: &str = "OTHER";
const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// A fault of an HTTP/1 request that HTTP libraries accept. A server that reads from the network puts it into the extensions of the
/// request, which is then refused, and its connection closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// HTTP/1.1 requires one `Host` with a name (RFC 9112, 3.2).
    Host,
    /// A transfer coding other than `chunked`, or several (RFC 9112, 6.1).
    TransferEncoding,
}

impl Malformed {
    /// The fault of a request, if it has one.
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        let (version, headers) = (request.version(), request.headers());
        if version > Version::HTTP_11 {
            None
        } else if !is_chunked(headers) {
            Some(Self::TransferEncoding)
        } else if !has_host(headers, version) {
            Some(Self::Host)
        } else {
            None
        }
    }
}

fn is_chunked(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let known = codings.next().is_none_or(|coding| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"));
    known && codings.next().is_none()
}

fn has_host(headers: &HeaderMap, version: Version) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let first = hosts.next().map_or(version < Version::HTTP_11, |host| host.as_bytes().iter().copied().all(is_of_host));
    first && hosts.next().is_none()
}

const fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'/' | b'?' | b'#' | b'@' | b',' | b'"' | b'<' | b'>' | b'\\')
}

impl From<Malformed> for Problem {
    fn from(malformed: Malformed) -> Self {
        let problem = match malformed {
            Malformed::Host => Self::bad_request("malformed_request", "The request must have one valid Host header."),
            Malformed::TransferEncoding => {
                let detail = "The only supported Transfer-Encoding is chunked.";
                Self::new(StatusCode::NOT_IMPLEMENTED, "unsupported_transfer_encoding", detail)
            }
        };
        problem.header(CONNECTION, CLOSE)
    }
}

/// The answer to a request whose head could not be read, with the status that the HTTP library chose. It is logged and counted as
/// other answers are.
pub fn unreadable(status: StatusCode) -> Response<Bytes> {
    let (code, detail) = match status {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => ("head_too_large", "The head of the request is too large."),
        StatusCode::URI_TOO_LONG => ("uri_too_long", "The URI of the request is too long."),
        _ => ("malformed_request", "The head of the request is not HTTP/1.1."),
    };
    let id = RequestId::of(&HeaderMap::new());
    let _span = info_span!("request", request_id = id.as_str()).entered();
    let problem = Problem::new(status, code, detail).header(CONNECTION, CLOSE);
    let answer = Answer::problem(problem, id.as_str());
    Served { method: NO_METHOD, route: None, path: None, took: Duration::ZERO }.note(&answer);
    complete(answer, id)
}
