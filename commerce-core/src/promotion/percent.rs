//! A share of an amount, from 0 to 100 %.

use core::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::money::ratio::Ratio;

/// A percentage from 0 to 100, with at most [`Percent::DECIMALS`] decimals.
///
/// It is an exact fraction of whole numbers, so that applying it takes one multiplication and one division, rounded
/// once. Its stored form is a text: `"12.5"`.
///
/// ```
/// use commerce_core::promotion::Percent;
/// use rust_decimal::Decimal;
///
/// let percent = Percent::new(Decimal::new(12_50, 2))?;
/// assert_eq!(percent.to_string(), "12.5");
/// assert!(Percent::new(Decimal::from(101)).is_err());
/// # Ok::<(), commerce_core::promotion::ParsePercentError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Decimal", into = "Decimal")]
pub struct Percent {
    figure: Decimal,
    ratio: Ratio,
}

/// Why a figure is not a percentage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a percentage is a figure from 0 to 100 with at most {} decimals", Percent::DECIMALS)]
pub struct ParsePercentError;

impl Percent {
    /// The maximum number of decimals.
    pub const DECIMALS: u32 = 8;

    /// Takes a figure: 10 is ten percent.
    ///
    /// # Errors
    /// [`ParsePercentError`] below 0, over 100, or with too many decimals.
    pub fn new(figure: Decimal) -> Result<Self, ParsePercentError> {
        let figure = figure.normalize();
        if figure > Decimal::ONE_HUNDRED || figure.scale() > Self::DECIMALS {
            return Err(ParsePercentError);
        }
        let ratio = Ratio::of_decimal(figure).and_then(|ratio| ratio.divided_by(100)).ok_or(ParsePercentError)?;
        Ok(Self { figure, ratio })
    }

    /// The figure: 10 for ten percent.
    pub const fn decimal(self) -> Decimal {
        self.figure
    }

    /// The share as a fraction: 1/10 for ten percent.
    pub(crate) const fn ratio(self) -> Ratio {
        self.ratio
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.figure, f)
    }
}

impl fmt::Debug for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.figure)
    }
}

impl TryFrom<Decimal> for Percent {
    type Error = ParsePercentError;

    fn try_from(figure: Decimal) -> Result<Self, ParsePercentError> {
        Self::new(figure)
    }
}

impl From<Percent> for Decimal {
    fn from(percent: Percent) -> Self {
        percent.figure
    }
}
