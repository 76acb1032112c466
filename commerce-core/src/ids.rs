//! Names of things: one type per noun, so that a cart is never taken for an order.
//!
//! Ours are UUIDs (version 7, minted by the [`IdGenerator`](crate::port::IdGenerator) port). Users, products and stock
//! keeping units may live in other systems, so their names are opaque text of 1 to [`MAX_TEXT_ID`] characters.
//!
//! [`FromStr`] checks that. [Stored](crate::stored) ids are read as they are, even if they are longer than is allowed by now.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// The longest text id, in characters.
pub const MAX_TEXT_ID: usize = 64;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Takes a UUID minted for this noun.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::try_parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}

uuid_ids! {
    /// Names a cart.
    CartId
    /// Names a line of a cart or of an order.
    ItemId
    /// Names an order.
    OrderId
    /// Names the payment of an order.
    PaymentId
    /// Names one refund of a payment.
    RefundId
    /// Names a return (RMA) of units of an order.
    ReturnId
    /// Names an event.
    EventId
}

/// Why a text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    /// The text is empty.
    #[error("is empty")]
    Empty,
    /// The text has more than [`MAX_TEXT_ID`] characters.
    #[error("is longer than {MAX_TEXT_ID} characters")]
    TooLong,
    /// The text has control characters, or space at an end.
    #[error("has control characters, or space at an end")]
    Unprintable,
}

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                check_text(text)?;
                Ok(Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl core::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

text_ids! {
    /// Names a user of the surrounding system: the `sub` of their token.
    UserId
    /// Names a product.
    ProductId
    /// Names what is sold and counted: one variant of a product.
    Sku
    /// Names a promotion.
    PromotionId
    /// Names a category of products.
    CategoryId
}

fn check_text(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.chars().nth(MAX_TEXT_ID).is_some() {
        return Err(IdError::TooLong);
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(IdError::Unprintable);
    }
    Ok(())
}

/// The number of an order that people read and say: `ORD-20260216-7K3F`.
///
/// The date is the day of placing in UTC, the rest Crockford's base 32: no letters that look like digits. The store
/// keeps numbers unique; a taken one is replaced by a longer one, so a busy day has longer numbers, never a failure.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderNumber(String);

impl OrderNumber {
    /// The usual length of the part after the date.
    pub const SUFFIX: usize = 4;
    const MAX_SUFFIX: usize = 12;
    const ALPHABET: &'static [u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// Makes a number from a day and random bits, of which 5 are used per character of the suffix.
    pub fn new(day: NaiveDate, random: u64, suffix: usize) -> Self {
        let mut text = alloc::format!("ORD-{}-", day.format("%Y%m%d"));
        let shifts = (0_u32..).step_by(5).take(suffix.clamp(Self::SUFFIX, Self::MAX_SUFFIX));
        text.extend(shifts.filter_map(|shift| {
            let index = usize::try_from(random.checked_shr(shift)? & 31).ok()?;
            Self::ALPHABET.get(index).copied().map(char::from)
        }));
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OrderNumber {
    type Err = ParseOrderNumberError;

    /// Reads a number; lower case is taken, as people type it.
    fn from_str(text: &str) -> Result<Self, ParseOrderNumberError> {
        let upper = text.to_ascii_uppercase();
        let (day, suffix) =
            upper.strip_prefix("ORD-").and_then(|rest| rest.split_once('-')).ok_or(ParseOrderNumberError)?;
        let day_ok = day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit());
        let length_ok = (Self::SUFFIX..=Self::MAX_SUFFIX).contains(&suffix.len());
        let suffix_ok = length_ok && suffix.bytes().all(|byte| Self::ALPHABET.contains(&byte));
        if day_ok && suffix_ok { Ok(Self(upper)) } else { Err(ParseOrderNumberError) }
    }
}

/// The text is not an order number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an order number such as ORD-20260216-7K3F")]
pub struct ParseOrderNumberError;

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
