//! The problems of a value: all at once, each with its place and a sentence.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Display};
use core::str::FromStr;

use thiserror::Error;

/// The maximum number of problems reported for one value.
pub const MAX_PROBLEMS: usize = 100;

/// A problem of a value, with its place in the whole value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}: {kind}")]
#[expect(missing_docs, reason = "the names say it")]
pub struct Problem {
    /// Empty for the whole value.
    pub path: Path,
    pub kind: ProblemKind,
}

/// The path to a part of a value. It prints as a JSON pointer (RFC 6901): `/promotions/3/effect/percent`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(Vec<Step>);

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into the field of this name.
    Field(&'static str),
    /// Into the entry of a map under this key.
    Key(String),
    /// Into the entry of a list at this index.
    Entry(usize),
}

impl Path {
    /// Whether it refers to the whole value.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| match step {
            Step::Field(name) => write!(f, "/{name}"),
            Step::Key(key) => write!(f, "/{}", key.replace('~', "~0").replace('/', "~1")),
            Step::Entry(index) => write!(f, "/{index}"),
        })
    }
}

/// A kind of problem.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum ProblemKind {
    /// A required field is missing.
    #[error("is required")]
    Required,
    /// An unknown field, probably misspelt, or a field that has no meaning here.
    #[error("is not a known field")]
    UnknownField,
    /// The value has another type.
    #[error("must be {expected}")]
    Type { expected: &'static str },
    /// The value has the right type, but is not valid.
    #[error("must be {expected}")]
    Invalid { expected: &'static str },
    #[error("must be {expected}")]
    OutOfRange { expected: &'static str },
    #[error("has more decimals than its currency")]
    TooManyDecimals,
    /// The amount exceeds about 9.2 × 10¹⁸ minor units.
    #[error("is too large")]
    TooLarge,
    #[error("is in another currency than the document")]
    CurrencyMismatch,
    #[error("must not be empty")]
    Empty,
    #[error("has more than {limit} entries")]
    TooMany { limit: usize },
    #[error("is longer than {limit} characters")]
    TooLong { limit: usize },
    /// The text is too long to be stored: more than `limit` bytes in UTF-8.
    #[error("is longer than {limit} bytes")]
    TooManyBytes { limit: usize },
    /// The conditions are nested too deeply.
    #[error("is nested deeper than {limit} levels")]
    TooDeep { limit: usize },
    #[error("occurs twice")]
    Duplicate,
    #[error("must be above the tier before it")]
    OutOfOrder,
    #[error("must be after starts_at")]
    EndsBeforeStart,
    /// The conditions can never all hold.
    #[error("can never hold together with the conditions before it")]
    Contradiction,
    /// The problem has a stable code and a sentence of its own.
    #[error("{message}")]
    Refused { code: &'static str, message: String },
}

impl ProblemKind {
    /// The stable code for clients.
    pub const fn code(&self) -> &'static str {
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
            Self::TooLong { .. } | Self::TooManyBytes { .. } => "too_long",
            Self::TooDeep { .. } => "too_deep",
            Self::Duplicate => "duplicate",
            Self::OutOfOrder => "out_of_order",
            Self::EndsBeforeStart => "ends_before_start",
            Self::Contradiction => "contradiction",
            Self::Refused { code, .. } => code,
        }
    }
}

/// All problems of a value, in the order of its parts; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The problems.
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }
}

impl Display for Problems {
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

/// The result of reading a value; `None` if problems were recorded.
pub type Read<T> = Option<T>;

/// Collects the problems of a value and tracks the current place in it.
///
/// ```
/// use commerce_core::problem::{Findings, ProblemKind};
///
/// let mut findings = Findings::default();
/// findings.field("lines", |findings| {
///     findings.each(&[3, 0], |findings, units| findings.require(*units > 0, ProblemKind::Empty));
/// });
/// assert_eq!(findings.finish(Some(())).unwrap_err().to_string(), "/lines/1: must not be empty");
/// ```
#[derive(Debug, Default)]
pub struct Findings {
    path: Vec<Step>,
    problems: Vec<Problem>,
}

impl Findings {
    /// Records a problem at the current place. Always `None`, for the caller to return.
    pub fn note<T>(&mut self, kind: ProblemKind) -> Option<T> {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { path: Path(self.path.clone()), kind });
        }
        None
    }

    /// Records a problem unless `well`.
    pub fn require(&mut self, well: bool, kind: ProblemKind) {
        if !well {
            self.note::<()>(kind);
        }
    }

    /// Records a problem of a field with a sentence of the caller. An empty name is the current place.
    pub fn refuse<T>(&mut self, name: &'static str, code: &'static str, message: impl Display) -> Read<T> {
        let kind = ProblemKind::Refused { code, message: message.to_string() };
        if name.is_empty() { self.note(kind) } else { self.field(name, |findings| findings.note(kind)) }
    }

    /// The value of a field. An error is recorded under a code.
    pub fn coded<T, E: Display>(&mut self, name: &'static str, code: &'static str, value: Result<T, E>) -> Read<T> {
        value.map_or_else(|error| self.refuse(name, code, error), Some)
    }

    /// The value of a field. An error is recorded.
    pub fn value<T, E: Display>(&mut self, name: &'static str, value: Result<T, E>) -> Read<T> {
        self.coded(name, "invalid", value)
    }

    /// Parses the text of a field.
    pub fn parse<T: FromStr<Err: Display>>(&mut self, name: &'static str, text: impl AsRef<str>) -> Read<T> {
        self.value(name, text.as_ref().parse())
    }

    /// Parses the text of an optional field.
    pub fn parse_option<T: FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
        text: Option<impl AsRef<str>>,
    ) -> Read<Option<T>> {
        self.value(name, text.map(|text| text.as_ref().parse()).transpose())
    }

    /// Reads every entry of a list; `None` if one of them has a problem.
    pub fn list<V, T>(&mut self, entries: Vec<V>, read: impl Fn(V, &mut Self) -> Read<T>) -> Read<Vec<T>> {
        let entries = entries.into_iter().enumerate();
        let all: Vec<_> = entries.map(|(index, entry)| self.entry(index, |f| read(entry, f))).collect();
        all.into_iter().collect()
    }

    /// Enters a field.
    pub fn field<T>(&mut self, name: &'static str, walk: impl FnOnce(&mut Self) -> T) -> T {
        self.step(Step::Field(name), walk)
    }

    /// Enters the entry of a map.
    pub fn key<T>(&mut self, key: &str, walk: impl FnOnce(&mut Self) -> T) -> T {
        self.step(Step::Key(key.into()), walk)
    }

    /// Enters an entry of a list.
    pub fn entry<T>(&mut self, index: usize, walk: impl FnOnce(&mut Self) -> T) -> T {
        self.step(Step::Entry(index), walk)
    }

    /// Enters every entry of a list.
    pub fn each<T>(&mut self, entries: &[T], mut walk: impl FnMut(&mut Self, &T)) {
        for (index, entry) in entries.iter().enumerate() {
            self.entry(index, |findings| walk(findings, entry));
        }
    }

    fn step<T>(&mut self, step: Step, walk: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let result = walk(self);
        self.path.pop();
        result
    }

    /// The value, if no problem was recorded.
    ///
    /// # Errors
    /// The recorded problems. Without a value and without a problem, the value as a whole is reported as unreadable.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<T, Problems> {
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
