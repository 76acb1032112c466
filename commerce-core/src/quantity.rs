//! A number of units: a whole number from 1 to a million.

use core::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A number of units of one sku: 1 to [`Quantity::MAX`].
///
/// A [stored](crate::stored) quantity is read without checks, even if it is above the limit.
///
/// ```
/// use commerce_core::Quantity;
///
/// assert_eq!(Quantity::new(3)?.get(), 3);
/// assert!(Quantity::new(0).is_err());
/// assert!(Quantity::new(1_000_001).is_err());
/// # Ok::<(), commerce_core::QuantityError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(u32);

/// Why a number is not a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a quantity is a whole number from 1 to {max}, not {asked}", max = Quantity::MAX)]
pub struct QuantityError {
    /// The refused number.
    pub asked: i64,
}

impl Quantity {
    /// One unit.
    pub const ONE: Self = Self(1);
    /// The maximum number of units of one line.
    pub const MAX: i64 = 1_000_000;

    /// A quantity of this number of units.
    ///
    /// # Errors
    /// [`QuantityError`] outside 1 to [`Quantity::MAX`].
    pub fn new(units: i64) -> Result<Self, QuantityError> {
        match u32::try_from(units) {
            Ok(count) if (1..=Self::MAX).contains(&units) => Ok(Self(count)),
            _ => Err(QuantityError { asked: units }),
        }
    }

    /// The number of units.
    pub fn get(self) -> i64 {
        self.0.into()
    }

    /// The sum.
    ///
    /// # Errors
    /// [`QuantityError`] if the sum is above [`Quantity::MAX`].
    pub fn plus(self, other: Self) -> Result<Self, QuantityError> {
        Self::new(self.get().saturating_add(other.get()))
    }
}

impl TryFrom<i64> for Quantity {
    type Error = QuantityError;

    fn try_from(units: i64) -> Result<Self, QuantityError> {
        Self::new(units)
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> Self {
        quantity.get()
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

crate::text::debug_as_display!(Quantity);
