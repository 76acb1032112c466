//! The condition of a write (`If-Match`, `If-None-Match: *`).

use commerce_core::engine::EngineError;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use utoipa::IntoParams;

use crate::problem::Problem;

/// Under which condition a write may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Under any.
    Any,
    /// If it exists.
    Exists,
    /// If it does not exist.
    Absent,
    /// If it is at this version.
    At(u64),
}

/// A version that nothing ever has: a tag that is none of ours matches nothing.
const NEVER: u64 = u64::MAX;

/// The header of a conditional write.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes what `Condition::of` reads")]
pub(crate) struct IfMatch {
    /// The `ETag` the change is based on, or `*`; 412 if it is not the present one.
    #[param(rename = "If-Match", example = "\"3\"")]
    if_match: Option<String>,
}

impl Condition {
    /// What the headers of a request ask for.
    ///
    /// Of several tags the highest counts: versions only grow, so of those that ever were only that one can be present.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(IF_MATCH) else { return Self::of_none_match(headers) };
        let text = value.to_str().map_err(|_| malformed())?.trim();
        match text {
            "" => Err(malformed()),
            "*" => Ok(Self::Exists),
            tags => Ok(Self::At(tags.split(',').filter_map(version).max().unwrap_or(NEVER))),
        }
    }

    fn of_none_match(headers: &HeaderMap) -> Result<Self, Problem> {
        match headers.get(IF_NONE_MATCH).map(HeaderValue::as_bytes) {
            None => Ok(Self::Any),
            Some(b"*") => Ok(Self::Absent),
            Some(_) => Err(Problem::bad_request("malformed_precondition", "If-None-Match takes * on a write.")),
        }
    }

    /// The version a write has to name; version 0 is that of what does not exist.
    pub(crate) const fn version(self) -> Option<u64> {
        match self {
            Self::Any | Self::Exists => None,
            Self::Absent => Some(0),
            Self::At(version) => Some(version),
        }
    }

    /// Whether the condition fails because something is not there.
    pub(crate) fn needs(self, found: Result<(), EngineError>) -> Result<(), Problem> {
        match found {
            Err(EngineError::NotFound(noun)) if self == Self::Exists => {
                Err(failed(format!("There is no such {noun}.")))
            }
            Err(EngineError::NotFound(_)) | Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The condition does not hold.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &'static str, expected: Condition) {
        let headers = HeaderMap::from_iter([(IF_MATCH, HeaderValue::from_static(value))]);
        assert_eq!(Condition::of(&headers).unwrap(), expected);
    }

    #[test]
    fn a_tag_names_a_version() {
        check("\"3\"", Condition::At(3));
    }

    #[test]
    fn of_several_tags_the_highest_counts() {
        check("\"3\", \"12\",\"7\"", Condition::At(12));
    }

    #[test]
    fn weak_and_foreign_tags_match_nothing() {
        check("W/\"3\"", Condition::At(NEVER));
        check("\"abc\"", Condition::At(NEVER));
        check("3", Condition::At(NEVER));
    }

    #[test]
    fn a_star_asks_for_existence() {
        check(" * ", Condition::Exists);
    }

    #[test]
    fn no_header_asks_for_nothing() {
        assert_eq!(Condition::of(&HeaderMap::new()).unwrap(), Condition::Any);
    }
}
