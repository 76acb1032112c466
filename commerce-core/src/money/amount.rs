//! A decimal figure as it was written, before a currency gives it a meaning.

use alloc::format;
use core::fmt;

use rust_decimal::Decimal;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Currency, Money, MoneyError};

/// A decimal figure as a document writes it: `"59.98"`, or the JSON number `59.98`.
///
/// Documents name their currency once, so a single amount does not carry one. [`Amount::in_currency`] is the only way
/// to money, and it refuses more decimals than the currency has: nothing is rounded on the way in.
///
/// A JSON number reaches a parser as binary floating point. Up to 15 significant digits survive that unchanged and are
/// taken; a longer one is refused rather than guessed. Strings have no such limit.
///
/// ```
/// use commerce_core::money::{Amount, Currency, Money};
///
/// let amount: Amount = serde_json::from_str("59.98")?;
/// assert_eq!(amount.in_currency(Currency::USD)?, Money::new(5998, Currency::USD));
/// assert!(amount.in_currency(Currency::JPY).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(Decimal);

/// More digits than this, and a binary float may not give back what was written.
const EXACT_FLOAT_DIGITS: usize = 15;

/// More bytes than this are no figure of any trade.
const MAX_BYTES: usize = 40;

impl Amount {
    /// Takes a decimal as it is.
    pub const fn new(figure: Decimal) -> Self {
        Self(figure)
    }

    /// The figure.
    pub const fn decimal(self) -> Decimal {
        self.0
    }

    /// Gives the figure a currency.
    ///
    /// # Errors
    /// [`MoneyError::TooManyDecimals`] and [`MoneyError::Overflow`].
    pub fn in_currency(self, currency: Currency) -> Result<Money, MoneyError> {
        Money::from_decimal(self.0, currency)
    }

    fn parse(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
        if !plain || text.len() > MAX_BYTES || text.ends_with('.') {
            return None;
        }
        Decimal::from_str_exact(text).ok().map(Self)
    }
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self(money.to_decimal())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AmountVisitor)
    }
}

struct AmountVisitor;

impl Visitor<'_> for AmountVisitor {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal amount such as \"59.98\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
        Amount::parse(text).ok_or_else(|| E::custom("not a decimal amount such as \"59.98\""))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Amount, E> {
        Ok(Amount(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Amount, E> {
        Ok(Amount(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Amount, E> {
        let text = format!("{number}");
        if text.bytes().filter(u8::is_ascii_digit).count() > EXACT_FLOAT_DIGITS {
            return Err(E::custom("too many digits for a JSON number, write the amount as a string"));
        }
        self.visit_str(&text)
    }
}
