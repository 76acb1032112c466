//! The target of a write, with the expected version.

use core::fmt;

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
    pub(super) const fn check(self, actual: u64) -> Result<()> {
        match self {
            Self::Version(version) if version != actual => Err(EngineError::VersionMismatch { expected: self, actual }),
            Self::Exists if actual == 0 => Err(EngineError::VersionMismatch { expected: self, actual }),
            Self::Any | Self::Exists | Self::Version(_) => Ok(()),
        }
    }

    /// The expected version, if any.
    pub(super) const fn version(self) -> Option<u64> {
        match self {
            Self::Version(version) => Some(version),
            Self::Any | Self::Exists => None,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("anything"),
            Self::Exists => f.write_str("any version"),
            Self::Version(u64::MAX) => f.write_str("a version that it never has"),
            Self::Version(version) => write!(f, "version {version}"),
        }
    }
}
