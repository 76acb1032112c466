//! The result of a rebuild or a comparison.

use std::fmt;

/// What a rebuild or a comparison processed and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rebuilt {
    /// Events that were replayed.
    pub events: u64,
    /// Orders in the history.
    pub orders: u64,
    /// Documents in the history.
    pub documents: u64,
    /// SKUs in the history.
    pub skus: u64,
    /// Promotions that were used.
    pub promotions: u64,
    /// Tasks that the history schedules.
    pub tasks: u64,
    /// The number of rows that differed.
    pub different: u64,
    /// The first thousand of them.
    pub differences: Vec<RowDifference>,
}

/// A row that is not as the history makes it. It contains no value but the key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowDifference {
    /// The table.
    pub table: &'static str,
    /// The first two columns of the key. Ids are hexadecimal digits.
    pub key: String,
    /// How it differs.
    pub kind: DifferenceKind,
    /// The columns with another value; those of the key if a row is missing or unknown.
    pub columns: Vec<&'static str>,
}

/// How a row differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DifferenceKind {
    /// It has other values.
    Changed,
    /// The table does not have it.
    Missing,
    /// The history does not make it.
    Unknown,
}

impl fmt::Display for RowDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = match self.kind {
            DifferenceKind::Changed => "other values in",
            DifferenceKind::Missing => "missing, a row with this",
            DifferenceKind::Unknown => "not in the history, a row with this",
        };
        write!(f, "{} {}: {found} {}", self.table, self.key, self.columns.join(", "))
    }
}
