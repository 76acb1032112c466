//! What is wrong in a value that somebody gave, where, and in which words: all of it at once.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Display};
use core::str::FromStr;

use thiserror::Error;

/// The most problems one value is told of; after them the checking goes on, the telling stops.
pub const MAX_PROBLEMS: usize = 100;

/// One thing wrong with a value, and the place in what it is part of.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}: {kind}")]
pub struct Problem {
    /// The place. Empty for the whole value.
    pub path: Path,
    /// What is wrong there.
    pub kind: ProblemKind,
}

/// The way to a part of a value. It prints as a JSON pointer (RFC 6901): `/promotions/3/effect/percent`.
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
    /// Whether it leads nowhere: the whole value is meant.
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

/// What can be wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A field that must be there is not.
    #[error("is required")]
    Required,
    /// A field nobody reads, most likely misspelt, or one that means nothing beside its neighbours.
    #[error("is not a known field")]
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
    /// The text is too long for where it is kept.
    #[error("is longer than {limit} bytes")]
    TooManyBytes {
        /// The most bytes in UTF-8.
        limit: usize,
    },
    /// The conditions are nested too deep.
    #[error("is nested deeper than {limit} levels")]
    TooDeep {
        /// The most levels there may be.
        limit: usize,
    },
    /// The value stands a second time.
    #[error("occurs twice")]
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
    /// What takes the value has refused it, in words of its own.
    #[error("{message}")]
    Refused {
        /// The stable code clients rely on.
        code: &'static str,
        /// What is wrong.
        message: String,
    },
}

impl ProblemKind {
    /// The stable code clients rely on.
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

/// Everything found wrong in a value, in the order of its parts; never empty.
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

/// A value that was read; `None` where what is wrong with it was noted.
pub type Read<T> = Option<T>;

/// Collects problems while a value is walked, and knows where the walk is.
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
    /// Notes a problem at the present place; the `None` is for the caller to return.
    pub fn note<T>(&mut self, kind: ProblemKind) -> Option<T> {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { path: Path(self.path.clone()), kind });
        }
        None
    }

    /// Notes a problem unless all is well.
    pub fn require(&mut self, well: bool, kind: ProblemKind) {
        if !well {
            self.note::<()>(kind);
        }
    }

    /// Notes a problem with a field in words of the caller; without a name, with the present place.
    pub fn refuse<T>(&mut self, name: &'static str, code: &'static str, message: impl Display) -> Read<T> {
        let kind = ProblemKind::Refused { code, message: message.to_string() };
        if name.is_empty() { self.note(kind) } else { self.field(name, |findings| findings.note(kind)) }
    }

    /// The value of a field, unless it is an error, which is noted under a code.
    pub fn coded<T, E: Display>(&mut self, name: &'static str, code: &'static str, value: Result<T, E>) -> Read<T> {
        value.map_or_else(|error| self.refuse(name, code, error), Some)
    }

    /// The value of a field, unless it is an error, which is noted.
    pub fn value<T, E: Display>(&mut self, name: &'static str, value: Result<T, E>) -> Read<T> {
        self.coded(name, "invalid", value)
    }

    /// What the text of a field says.
    pub fn parse<T: FromStr<Err: Display>>(&mut self, name: &'static str, text: impl AsRef<str>) -> Read<T> {
        self.value(name, text.as_ref().parse())
    }

    /// What the text of a field says that may be absent.
    pub fn parse_option<T: FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
        text: Option<impl AsRef<str>>,
    ) -> Read<Option<T>> {
        self.value(name, text.map(|text| text.as_ref().parse()).transpose())
    }

    /// Reads every entry of a list; `None` where one of them cannot be.
    pub fn list<V, T>(&mut self, entries: Vec<V>, read: impl Fn(V, &mut Self) -> Read<T>) -> Read<Vec<T>> {
        let entries = entries.into_iter().enumerate();
        let all: Vec<_> = entries.map(|(index, entry)| self.entry(index, |f| read(entry, f))).collect();
        all.into_iter().collect()
    }

    /// Walks into a field.
    pub fn field<T>(&mut self, name: &'static str, walk: impl FnOnce(&mut Self) -> T) -> T {
        self.step(Step::Field(name), walk)
    }

    /// Walks into the entry of a map.
    pub fn key<T>(&mut self, key: &str, walk: impl FnOnce(&mut Self) -> T) -> T {
        self.step(Step::Key(key.into()), walk)
    }

    /// Walks into an entry of a list.
    pub fn entry<T>(&mut self, index: usize, walk: impl FnOnce(&mut Self) -> T) -> T {
        self.step(Step::Entry(index), walk)
    }

    /// Walks every entry of a list.
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

    /// The value, if nothing was found wrong on the way to it.
    ///
    /// # Errors
    /// What was found. Whoever has no value has noted why; should they not have, the value as a whole is called unreadable.
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
