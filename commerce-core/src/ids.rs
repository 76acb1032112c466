//! Ids: one type per noun, so that a cart id cannot be used as an order id.
//!
//! Ids of the engine are UUIDs (version 7, from the [`IdGenerator`](crate::port::IdGenerator) port). Users, products
//! and SKUs may be defined in other systems, so their ids are opaque text of 1 to [`MAX_TEXT_ID`] characters.
//!
//! [`FromStr`] checks this. [Stored](crate::stored) ids are read without checks, even if they are longer.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::text::{is_line, is_visible, shows_text};

/// The maximum length of a text id, in characters.
pub const MAX_TEXT_ID: usize = 64;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id of this UUID.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text).map(Self).map_err(|_| IdError::NotUuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        crate::text::debug_as_display!($name);
    )*};
}

uuid_ids! {
    /// Identifies a cart.
    CartId
    /// Identifies a line of a cart or of an order.
    ItemId
    /// Identifies an order.
    OrderId
    /// Identifies the payment of an order.
    PaymentId
    /// Identifies a means of payment that a customer has saved.
    PaymentMethodId
    /// Identifies an operation of a payment, also at the processor: its idempotency key.
    OperationId
    /// Identifies one refund of a payment.
    RefundId
    /// Identifies a return (RMA) of units of an order.
    ReturnId
    /// Identifies an event.
    EventId
    /// Identifies an endpoint of webhooks.
    WebhookEndpointId
    /// Identifies an attempt to deliver a webhook.
    DeliveryId
}

/// Why a text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum IdError {
    #[error("is empty")]
    Empty,
    /// More than [`MAX_TEXT_ID`] characters.
    #[error("is longer than {MAX_TEXT_ID} characters")]
    TooLong,
    /// Control characters, line breaks, or space at an end.
    #[error("has control characters, or space at an end")]
    Unprintable,
    /// No URL can name it: `.` and `..` are steps of a path.
    #[error("must not be \".\" or \"..\"")]
    Dots,
    /// Of an id of the engine.
    #[error("must be a UUID")]
    NotUuid,
}

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        shows_text!($name);

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                check_text(text)?;
                Ok(Self(text.into()))
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
    /// Identifies a target to which events are published.
    TargetName
    /// Identifies a user of the surrounding system: the `sub` of their token.
    UserId
    /// Identifies a product.
    ProductId
    /// Identifies a variant of a product, in stock, prices and orders.
    Sku
    /// Identifies a promotion.
    PromotionId
    /// Identifies a category of products.
    CategoryId
}

fn check_text(text: &str) -> Result<(), IdError> {
    if !is_visible(text) {
        return Err(IdError::Empty);
    }
    if matches!(text, "." | "..") {
        return Err(IdError::Dots);
    }
    if text.chars().nth(MAX_TEXT_ID).is_some() {
        return Err(IdError::TooLong);
    }
    if text.trim() != text || !is_line(text) {
        return Err(IdError::Unprintable);
    }
    Ok(())
}

/// The number of an order for people: `ORD-20260216-7K3F`.
///
/// It contains the date of placing in UTC and random characters of Crockford's base 32, which has no letters that look
/// like digits. Numbers are unique. A taken number is replaced by a longer one, so placing never fails for lack of
/// numbers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderNumber(String);

impl OrderNumber {
    /// The usual number of characters after the date.
    pub const SUFFIX: usize = 4;
    const MAX_SUFFIX: usize = 12;
    const ALPHABET: &'static [u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// Makes a number from a date and random bits, 5 per character of the suffix.
    pub fn new(day: NaiveDate, random: u64, suffix: usize) -> Self {
        let mut text = alloc::format!("ORD-{}-", day.format("%Y%m%d"));
        let shifts = (0_u32..).step_by(5).take(suffix.clamp(Self::SUFFIX, Self::MAX_SUFFIX));
        text.extend(shifts.filter_map(|shift| {
            let index = usize::try_from(random.checked_shr(shift)? & 31).ok()?;
            Self::ALPHABET.get(index).copied().map(char::from)
        }));
        Self(text)
    }
}

shows_text!(OrderNumber);

impl FromStr for OrderNumber {
    type Err = ParseOrderNumberError;

    /// Parses a number in upper or lower case.
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
