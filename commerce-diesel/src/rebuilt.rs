//! What a rebuild did.

/// What a rebuild of the tables from the history found there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rebuilt {
    /// Events that were followed.
    pub events: u64,
    /// Orders that were written anew.
    pub orders: u64,
    /// Skus whose stock was made anew.
    pub skus: u64,
    /// Promotions whose uses were counted anew.
    pub promotions: u64,
}
