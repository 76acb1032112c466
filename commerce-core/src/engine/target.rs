//! The target of a write, with the expected version.

use core::fmt;
use core::num::NonZeroU64;

use super::{EngineError, Result};

/// The expected state of a target. It is checked on the state of the decision, which the guards of the commit protect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Any state.
    Any,
    /// The target exists, at any version.
    Exists,
    /// The target has this version; 0: it does not exist.
    Version(u64),
    /// The target has one of these versions.
    OneOf(Versions),
}

/// Up to [`Versions::MAX`] versions. None of them: no version is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions([Option<NonZeroU64>; Self::MAX]);

impl Versions {
    /// The maximum number of versions.
    pub const MAX: usize = 8;

    /// `None` if there are more than [`Versions::MAX`]. Nothing has the version 0.
    pub fn new(versions: impl IntoIterator<Item = u64>) -> Option<Self> {
        let mut listed = [None; Self::MAX];
        for (at, version) in versions.into_iter().enumerate() {
            *listed.get_mut(at)? = NonZeroU64::new(version);
        }
        Some(Self(listed))
    }
}

/// The target of a write, with its expected state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Target<I> {
    pub id: I,
    pub expected: Expected,
}

impl<I> Target<I> {
    /// A target in any state.
    pub const fn any(id: I) -> Self {
        Self { id, expected: Expected::Any }
    }

    /// A target at a version.
    pub const fn at(id: I, version: u64) -> Self {
        Self { id, expected: Expected::Version(version) }
    }
}

impl Expected {
    /// Checks the present version; 0 if the target does not exist.
    pub(super) fn check(self, actual: u64) -> Result<()> {
        let holds = match self {
            Self::Any => true,
            Self::Exists => actual != 0,
            Self::Version(version) => version == actual,
            Self::OneOf(versions) => NonZeroU64::new(actual).is_some_and(|actual| versions.0.contains(&Some(actual))),
        };
        if holds { Ok(()) } else { Err(EngineError::VersionMismatch { expected: self, actual }) }
    }

    /// The version to guard, if the present one was expected.
    pub(super) fn guard(self, actual: u64) -> Option<u64> {
        matches!(self, Self::Version(_) | Self::OneOf(_)).then_some(actual)
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("anything"),
            Self::Exists => f.write_str("any version"),
            Self::Version(version) => write!(f, "version {version}"),
            Self::OneOf(versions) => match versions.0.iter().flatten().max() {
                Some(latest) => write!(f, "one of the listed versions, the latest of which is {latest}"),
                None => f.write_str("a strong tag of this server, such as \"3\""),
            },
        }
    }
}
