//! The result of a rebuild.

/// The numbers of rows that a rebuild processed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rebuilt {
    /// Events that were replayed.
    pub events: u64,
    /// Orders that were written.
    pub orders: u64,
    /// Skus whose stock was written.
    pub skus: u64,
    /// Promotions whose uses were counted.
    pub promotions: u64,
}
