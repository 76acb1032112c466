//! Conditional requests: writes (`If-Match`, `If-None-Match: *`) and reads (`If-None-Match`).

use commerce_core::engine::{Expected, Versions};
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use utoipa::IntoParams;

use crate::problem::Problem;

/// The header of a conditional write.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes what `expected` reads")]
pub(crate) struct IfMatch {
    /// The `ETag` that the change is based on, several of them, or `*`. If none is the current one, the answer is 412. A weak tag
    /// (`W/`) never is.
    #[param(rename = "If-Match", example = "\"3\"")]
    if_match: Option<String>,
}

/// The header of a conditional read.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes what `is_known` reads")]
pub(crate) struct IfNoneMatch {
    /// The `ETag`s of the versions that the caller has, or `*`. If one is current, the answer is 304 without a body.
    #[param(rename = "If-None-Match", example = "\"3\"")]
    if_none_match: Option<String>,
}

/// Whether the reader has the version. Comparison is weak, and tags that are none match nothing.
pub(crate) fn is_known(headers: &HeaderMap, current: u64) -> bool {
    let lines = headers.get_all(IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || version(tag.strip_prefix("W/").unwrap_or(tag)) == Some(current))
}

/// The condition in the headers of a write. Of several tags one must be the current one.
pub(crate) fn expected(headers: &HeaderMap) -> Result<Expected, Problem> {
    let lines = headers.get_all(IF_MATCH).iter().map(|line| line.to_str().map_err(|_| malformed()));
    let lines: Vec<&str> = lines.collect::<Result<_, _>>()?;
    let tags = || lines.iter().flat_map(|line| line.split(',')).map(str::trim).filter(|tag| !tag.is_empty());
    match (lines.is_empty(), tags().next()) {
        (true, _) => unless_match(headers),
        (false, None) => Err(malformed()),
        (false, Some("*")) => Ok(Expected::Exists),
        (false, Some(_)) if tags().count() > Versions::MAX => Err(malformed()),
        (false, Some(tag)) => Ok(match (version(tag), tags().count()) {
            (Some(version), 1) => Expected::Version(version),
            _ => Expected::OneOf(Versions::new(tags().filter_map(version)).unwrap_or_default()),
        }),
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
    Problem::bad_request("malformed_precondition", "If-Match must be * or up to 8 entity tags such as \"3\".")
}
