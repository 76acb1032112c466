//! What a write is about, and what it expects to find there.

use core::fmt;

use super::EngineError;

/// What a write expects to find. It is checked on what the decision is made of, which the commit's guards hold fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Anything, or nothing.
    Any,
    /// Something, at whatever version.
    Exists,
    /// This version; 0 is that of what does not exist.
    Version(u64),
}

/// What a write is about, and what it expects to find there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<I> {
    /// The id.
    pub id: I,
    /// What the caller expects it to be.
    pub expected: Expected,
}

impl<I> Target<I> {
    /// Whatever is there.
    pub const fn any(id: I) -> Self {
        Self { id, expected: Expected::Any }
    }

    /// One version of it.
    pub const fn at(id: I, version: u64) -> Self {
        Self { id, expected: Expected::Version(version) }
    }
}

impl Expected {
    /// Whether the present version is what is expected; 0 where there is nothing.
    pub(super) const fn check(self, actual: u64) -> Result<(), EngineError> {
        match self {
            Self::Version(version) if version != actual => Err(EngineError::VersionMismatch { expected: self, actual }),
            Self::Exists if actual == 0 => Err(EngineError::VersionMismatch { expected: self, actual }),
            Self::Any | Self::Exists | Self::Version(_) => Ok(()),
        }
    }

    /// The version, if one is expected.
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
            Self::Version(version) => write!(f, "version {version}"),
        }
    }
}
