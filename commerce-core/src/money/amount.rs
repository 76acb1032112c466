//! A decimal figure without a currency.

use alloc::format;
use core::fmt;

use rust_decimal::Decimal;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Currency, Money, MoneyError};

/// A decimal figure in a document: `"59.98"`, or the JSON number `59.98`.
///
/// Documents name their currency once, so a single amount has none. [`Amount::in_currency`] is the only conversion to
/// money. It refuses more decimals than the currency has: input is never rounded.
///
/// Parsers read a JSON number as binary floating point. Up to 15 significant digits survive that unchanged and are
/// accepted. Longer numbers are refused. Strings have no such limit.
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

/// The number of significant digits that a binary float preserves.
const EXACT_FLOAT_DIGITS: usize = 15;

/// The maximum length of a figure as text.
const MAX_BYTES: usize = 40;

impl Amount {
    /// An amount of this figure.
    pub const fn new(figure: Decimal) -> Self {
        Self(figure)
    }

    /// The figure.
    pub const fn decimal(self) -> Decimal {
        self.0
    }

    /// The figure as money of a currency.
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

crate::text::debug_as_display!(Amount);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(self.0.mantissa()) {
            Ok(units) if units != 0 || self.0.is_sign_positive() => {
                serializer.serialize_str(Figure::of(units, self.0.scale()).text())
            }
            _ => serializer.collect_str(&self.0),
        }
    }
}

/// The units of a figure that is written with exactly these decimals, as [`Figure`] writes it. `None` for any other text.
pub(super) fn units(text: &str, decimals: u32) -> Option<i64> {
    let (whole, fraction) = if decimals == 0 { (text, "") } else { text.split_once('.')? };
    if u32::try_from(fraction.len()) != Ok(decimals) || whole.is_empty() || whole == "-" {
        return None;
    }
    let is_negative = whole.starts_with('-');
    let digits = whole.strip_prefix('-').unwrap_or(whole).bytes().chain(fraction.bytes());
    digits.map(|byte| char::from(byte).to_digit(10)).try_fold(0_i64, |units, digit| {
        let shifted = units.checked_mul(10)?;
        let digit = i64::from(digit?);
        if is_negative { shifted.checked_sub(digit) } else { shifted.checked_add(digit) }
    })
}

/// Units and decimals as text. Quotes have many figures, and formatting a [`Decimal`] is slow.
pub(super) struct Figure {
    bytes: [u8; Self::LENGTH],
    start: usize,
}

impl Figure {
    /// The bytes for a sign, a point and the digits of an `i64` or of a zero with the maximum number of decimals, and for a
    /// currency after those of an `i64`.
    const LENGTH: usize = 32;

    const EMPTY: Self = Self { bytes: [b'0'; Self::LENGTH], start: Self::LENGTH };

    fn of(units: i64, decimals: u32) -> Self {
        Self::EMPTY.before(units, decimals)
    }

    /// An amount with its currency: `59.98 USD`.
    pub(super) fn of_money(money: Money) -> Self {
        let currency = money.currency();
        let mut figure = Self::EMPTY;
        currency.code().bytes().rev().for_each(|letter| figure.put(letter));
        figure.put(b' ');
        figure.before(money.minor(), currency.decimals())
    }

    /// With a number before what is there.
    fn before(mut self, units: i64, decimals: u32) -> Self {
        let (mut rest, mut left) = (units.unsigned_abs(), decimals);
        if decimals > 0 {
            while left > 0 {
                self.put_digit(&mut rest);
                left = left.saturating_sub(1);
            }
            self.put(b'.');
        }
        self.put_digit(&mut rest);
        while rest > 0 {
            self.put_digit(&mut rest);
        }
        if units < 0 {
            self.put(b'-');
        }
        self
    }

    fn put_digit(&mut self, rest: &mut u64) {
        let digit = u8::try_from(rest.wrapping_rem(10)).unwrap_or_default();
        self.put(b'0'.saturating_add(digit));
        *rest = rest.wrapping_div(10);
    }

    fn put(&mut self, byte: u8) {
        self.start = self.start.saturating_sub(1);
        if let Some(place) = self.bytes.get_mut(self.start) {
            *place = byte;
        }
    }

    pub(super) fn text(&self) -> &str {
        let bytes = self.bytes.get(self.start..).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
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

#[cfg(test)]
#[path = "../../tests/unit/amount.rs"]
mod tests;
