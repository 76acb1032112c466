//! How values of a document with one currency are written.

use serde::{Serialize, Serializer};

use crate::money::{Amount, Money};

/// Writes an amount as a plain decimal text: its currency is that of the document.
pub(crate) fn amount<S: Serializer>(money: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    Amount::from(*money).serialize(serializer)
}

/// As [`amount`], for one that may be absent.
#[expect(clippy::ref_option, reason = "serde hands over a reference to the field")]
pub(crate) fn optional_amount<S: Serializer>(money: &Option<Money>, serializer: S) -> Result<S::Ok, S::Error> {
    money.map(Amount::from).serialize(serializer)
}

/// Writes a value as the text it prints.
pub(crate) fn text<T: core::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
