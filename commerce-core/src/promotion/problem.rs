//! What is wrong in a document, where, and in which words.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use thiserror::Error;

/// The most problems one document is told of; after them the reading goes on, the telling stops.
pub const MAX_PROBLEMS: usize = 100;

/// One thing wrong with a value, and the place in its document.
///
/// It serializes to `{ "pointer", "code", "message" }`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{pointer}: {kind}")]
pub struct Problem {
    /// The place, as a JSON pointer (RFC 6901): `/promotions/3/effect/percent`. Empty for the whole document.
    pub pointer: String,
    /// What is wrong there.
    pub kind: ProblemKind,
}

/// What can be wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A field that must be there is not.
    #[error("is required")]
    Required,
    /// A field nobody reads, most likely misspelt, or one that means nothing beside its neighbours.
    #[error("is not a field that is read here")]
    UnknownField,
    /// The value is of another kind.
    #[error("must be {expected}")]
    Type {
        /// What would be read.
        expected: &'static str,
    },
    /// The value is of the right kind, but says nothing known.
    #[error("must be {expected}")]
    Invalid {
        /// What would be read.
        expected: &'static str,
    },
    /// The figure is outside its range.
    #[error("must be {expected}")]
    OutOfRange {
        /// The range in words.
        expected: &'static str,
    },
    /// The amount has more decimals than its currency.
    #[error("has more decimals than its currency")]
    TooManyDecimals,
    /// The amount does not fit: they end at about 9.2 × 10¹⁸ minor units.
    #[error("is too large")]
    TooLarge,
    /// The amount is in another currency than the document.
    #[error("is in another currency than the document")]
    CurrencyMismatch,
    /// The list or text is empty.
    #[error("must not be empty")]
    Empty,
    /// The list has too many entries.
    #[error("has more than {limit} entries")]
    TooMany {
        /// The most there may be.
        limit: usize,
    },
    /// The text is too long.
    #[error("is longer than {limit} characters")]
    TooLong {
        /// The most characters there may be.
        limit: usize,
    },
    /// The conditions are nested too deep.
    #[error("is nested deeper than {limit} levels")]
    TooDeep {
        /// The most levels there may be.
        limit: usize,
    },
    /// The value stands a second time.
    #[error("is there twice")]
    Duplicate,
    /// The tiers do not rise.
    #[error("must be above the tier before it")]
    OutOfOrder,
    /// The end is not after the start.
    #[error("must be after starts_at")]
    EndsBeforeStart,
    /// The conditions can never hold together.
    #[error("can never hold together with the conditions before it")]
    Contradiction,
}

impl ProblemKind {
    /// The stable code clients rely on.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::UnknownField => "unknown_field",
            Self::Type { .. } => "wrong_type",
            Self::Invalid { .. } => "invalid",
            Self::OutOfRange { .. } => "out_of_range",
            Self::TooManyDecimals => "too_many_decimals",
            Self::TooLarge => "too_large",
            Self::CurrencyMismatch => "currency_mismatch",
            Self::Empty => "empty",
            Self::TooMany { .. } => "too_many",
            Self::TooLong { .. } => "too_long",
            Self::TooDeep { .. } => "too_deep",
            Self::Duplicate => "duplicate",
            Self::OutOfOrder => "out_of_order",
            Self::EndsBeforeStart => "ends_before_start",
            Self::Contradiction => "contradiction",
        }
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Problem", 3)?;
        fields.serialize_field("pointer", &self.pointer)?;
        fields.serialize_field("code", self.kind.code())?;
        fields.serialize_field("message", &alloc::format!("{}", self.kind))?;
        fields.end()
    }
}

/// Everything found wrong in a document, in the order of reading; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The problems.
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, problem)| {
            let gap = if index == 0 { "" } else { "; " };
            write!(f, "{gap}{problem}")
        })
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = alloc::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Collects problems while a document or a value is walked, and knows where the walk is.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pointer: String,
    problems: Vec<Problem>,
}

impl Findings {
    /// Notes a problem at the present place; the `None` is for the caller to return.
    pub(crate) fn note<T>(&mut self, kind: ProblemKind) -> Option<T> {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { pointer: self.pointer.clone(), kind });
        }
        None
    }

    /// Notes a problem unless all is well.
    pub(crate) fn require(&mut self, well: bool, kind: ProblemKind) {
        if !well {
            self.note::<()>(kind);
        }
    }

    /// Walks into a field.
    pub(crate) fn field<T>(&mut self, name: &str, walk: impl FnOnce(&mut Self) -> T) -> T {
        let here = self.pointer.len();
        self.pointer.push('/');
        for letter in name.chars() {
            match letter {
                '~' => self.pointer.push_str("~0"),
                '/' => self.pointer.push_str("~1"),
                plain => self.pointer.push(plain),
            }
        }
        let result = walk(self);
        self.pointer.truncate(here);
        result
    }

    /// Walks into an entry of a list.
    pub(crate) fn entry<T>(&mut self, index: usize, walk: impl FnOnce(&mut Self) -> T) -> T {
        self.field(&alloc::format!("{index}"), walk)
    }

    /// Walks every entry of a list.
    pub(crate) fn each<T>(&mut self, entries: &[T], mut walk: impl FnMut(&mut Self, &T)) {
        for (index, entry) in entries.iter().enumerate() {
            self.entry(index, |findings| walk(findings, entry));
        }
    }

    /// The value, if nothing was found wrong on the way to it.
    ///
    /// # Errors
    /// What was found. A missing value notes why it is missing, so the errors are never empty.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, Problems> {
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => {
                if self.problems.is_empty() {
                    self.note::<()>(ProblemKind::Invalid { expected: "readable" });
                }
                Err(Problems(self.problems))
            }
        }
    }
}
