//! Money: whole minor units of an ISO 4217 currency, exact arithmetic, explicit rounding.
//!
//! # Invariants
//! * `MNY-1`: an amount is a whole number of minor units. No operation rounds unless its name or an argument says so.
//! * `MNY-2`: an operation on two currencies is an error; there is no conversion.
//! * `MNY-3`: overflow is an error; no figure wraps or saturates.
//! * `MNY-4`: the parts of an allocation add up to the whole.
//!
//! There is no conversion from or to a float.

mod allocation;
mod amount;
mod currency;
pub(crate) mod ratio;

use core::fmt;
use core::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

pub use self::allocation::allocate_minor;
pub use self::amount::Amount;
pub use self::currency::Currency;

/// An amount of money: whole minor units of one currency.
///
/// It prints and parses as `59.98 USD`, and that is its form in stored events.
///
/// ```
/// use commerce_core::money::{Currency, Money};
///
/// let price: Money = "29.99 USD".parse()?;
/// let total = price.times(2)?.plus(Money::new(500, Currency::USD))?;
/// assert_eq!(total.to_string(), "64.98 USD");
/// assert!(price.plus(Money::zero(Currency::EUR)).is_err());
/// # Ok::<(), commerce_core::money::MoneyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Why an operation on money failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum MoneyError {
    /// Not a known ISO 4217 code.
    #[error("unknown currency")]
    UnknownCurrency,
    /// Not a decimal figure, or not one followed by a currency.
    #[error("not an amount such as \"59.98 USD\"")]
    Malformed,
    #[error("{currency} has {} decimals, the amount has more", currency.decimals())]
    TooManyDecimals { currency: Currency },
    #[error("{left} and {right} cannot be combined")]
    CurrencyMismatch { left: Currency, right: Currency },
    /// The result exceeds about 9.2 × 10¹⁸ minor units.
    #[error("the amount is too large")]
    Overflow,
    /// The weights of a split are empty, negative, or all zero for a non-zero amount.
    #[error("an amount needs at least one positive weight, and no negative one, to be split")]
    InvalidWeights,
}

/// How a figure between two minor units is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearest; a half goes away from zero (2.5 → 3, −2.5 → −3).
    #[default]
    HalfAwayFromZero,
    /// To the nearest; a half goes to the even neighbour (2.5 → 2, 3.5 → 4).
    HalfEven,
    /// Towards zero (2.9 → 2).
    Down,
}

impl Rounding {
    /// The same rule of `rust_decimal`.
    pub const fn strategy(self) -> RoundingStrategy {
        match self {
            Self::HalfAwayFromZero => RoundingStrategy::MidpointAwayFromZero,
            Self::HalfEven => RoundingStrategy::MidpointNearestEven,
            Self::Down => RoundingStrategy::ToZero,
        }
    }
}

impl Money {
    /// `minor` whole minor units (cents, pence, yen) of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Zero of a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Converts a figure in major units.
    ///
    /// # Errors
    /// [`MoneyError::TooManyDecimals`] instead of rounding, [`MoneyError::Overflow`].
    pub fn from_decimal(figure: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let figure = figure.normalize();
        let missing =
            currency.decimals().checked_sub(figure.scale()).ok_or(MoneyError::TooManyDecimals { currency })?;
        let minor = figure.mantissa().checked_mul(10_i128.pow(missing)).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(i64::try_from(minor).map_err(|_| MoneyError::Overflow)?, currency))
    }

    /// The figure in major units, with all the decimals of the currency: `10.00`.
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.minor, self.currency.decimals())
    }

    /// The number of minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether the amount is zero.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Whether the amount is below zero.
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.with(other, i64::checked_add)
    }

    /// The difference, which may be negative.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.with(other, i64::checked_sub)
    }

    /// The amount `count` times.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn times(self, count: i64) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(count).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// The sum of amounts of one currency; zero without amounts.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    fn with(self, other: Self, operation: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency });
        }
        let minor = operation(self.minor, other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(amount::Figure::of_money(*self).text())
    }
}

crate::text::debug_as_display!(Money);

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (figure, currency) = text.split_once(' ').ok_or(MoneyError::Malformed)?;
        let known: Result<Currency, _> = currency.parse();
        if let Some(minor) = known.as_ref().ok().and_then(|known| amount::units(figure, known.decimals())) {
            return Ok(Self::new(minor, known?));
        }
        let figure = Decimal::from_str_exact(figure).map_err(|_| MoneyError::Malformed)?;
        Self::from_decimal(figure, known?)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(amount::Figure::of_money(*self).text())
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::deserialize_parsed(deserializer, "an amount such as \"59.98 USD\"")
    }
}
