//! Conditional writes (`If-Match`, `If-None-Match: *`).

use commerce_core::engine::Expected;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use utoipa::IntoParams;

use crate::problem::Problem;

/// The version of an unknown tag. No value has it.
const NEVER: u64 = u64::MAX;

/// The header of a conditional write.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes what `expected` reads")]
pub(crate) struct IfMatch {
    /// The `ETag` that the change is based on, or `*`. If it is not the current one, the answer is 412.
    #[param(rename = "If-Match", example = "\"3\"")]
    if_match: Option<String>,
}

/// The condition in the headers of a write.
///
/// Of several tags the highest counts: versions increase, so no other can be the current one.
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
        Some(_) => Err(Problem::bad_request("malformed_precondition", "If-None-Match must be * on a write.")),
    }
}

pub(crate) fn failed(detail: String) -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", detail)
}

/// The version in a tag. With strong comparison, weak and unknown tags match nothing.
fn version(tag: &str) -> Option<u64> {
    let digits = tag.trim().strip_prefix('"')?.strip_suffix('"')?;
    let canonical = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    if canonical { digits.parse().ok() } else { None }
}

fn malformed() -> Problem {
    Problem::bad_request("malformed_precondition", "If-Match must be * or entity tags such as \"3\".")
}
