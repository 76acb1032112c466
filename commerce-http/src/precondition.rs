//! The condition of a write (`If-Match`, `If-None-Match: *`).

use commerce_core::engine::Expected;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use utoipa::IntoParams;

use crate::problem::Problem;

/// A version that nothing ever has: a tag that is none of ours matches nothing.
const NEVER: u64 = u64::MAX;

/// The header of a conditional write.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes what `expected` reads")]
pub(crate) struct IfMatch {
    /// The `ETag` the change is based on, or `*`; 412 if it is not the present one.
    #[param(rename = "If-Match", example = "\"3\"")]
    if_match: Option<String>,
}

/// What the headers of a write expect.
///
/// Of several tags the highest counts: versions only grow, so of those that ever were only that one can be present.
pub(crate) fn expected(headers: &HeaderMap) -> Result<Expected, Problem> {
    let Some(value) = headers.get(IF_MATCH) else { return unless_match(headers) };
    let text = value.to_str().map_err(|_| malformed())?.trim();
    match text {
        "" => Err(malformed()),
        "*" => Ok(Expected::Exists),
        tags => Ok(Expected::Version(tags.split(',').filter_map(version).max().unwrap_or(NEVER))),
    }
}

fn unless_match(headers: &HeaderMap) -> Result<Expected, Problem> {
    match headers.get(IF_NONE_MATCH).map(HeaderValue::as_bytes) {
        None => Ok(Expected::Any),
        Some(b"*") => Ok(Expected::Version(0)),
        Some(_) => Err(Problem::bad_request("malformed_precondition", "If-None-Match takes * on a write.")),
    }
}

pub(crate) fn failed(detail: String) -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", detail)
}

/// Weak tags and foreign ones match nothing here, as strong comparison has it.
fn version(tag: &str) -> Option<u64> {
    tag.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

fn malformed() -> Problem {
    Problem::bad_request("malformed_precondition", "If-Match takes * or entity tags such as \"3\".")
}
