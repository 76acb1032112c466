//! Text, ids and addresses.

use std::fmt::Debug;
use std::str::FromStr;

use chrono::NaiveDate;
use commerce_core::address::Address;
use commerce_core::ids::{MAX_TEXT_ID, OrderNumber};
use commerce_core::metadata::{MAX_ENTRIES, Metadata};
use commerce_core::text::BoundedString;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Builder;

/// Characters of one to four bytes, including those with a meaning in SQL, JSON and URLs.
const CHARACTERS: [char; 30] = [
    'a', 'b', 'c', 'X', 'Y', 'Z', '0', '7', '9', '-', '_', '%', '\'', '"', '\\', '/', '?', '#', '&', ';', '<', '{',
    'é', 'ß', 'Ω', 'ي', '日', '﷽', '🦀', '👩',
];

/// A text of 1 to `MAX` characters, mostly short, without surrounding white space.
pub fn text<const MAX: usize>() -> impl Strategy<Value = BoundedString<MAX>> {
    characters(MAX).prop_map(|text| text.parse().expect("bounded and printable"))
}

/// A textual id, such as that of a user, product, SKU or promotion.
pub fn text_id<T: FromStr<Err: Debug> + Debug>() -> impl Strategy<Value = T> {
    characters(MAX_TEXT_ID).prop_map(|text| text.parse().expect("bounded and printable"))
}

/// An id that is a UUID in the form of version 7.
pub fn uuid_id<T: From7 + Debug>() -> impl Strategy<Value = T> {
    (0..1_u64 << 48, any::<[u8; 10]>()).prop_map(|(milliseconds, random)| {
        T::from7(Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid())
    })
}

/// An id that is a UUID.
pub trait From7 {
    /// Wraps a UUID.
    fn from7(uuid: uuid::Uuid) -> Self;
}

macro_rules! from7 {
    ($($id:ident)*) => {$(
        impl From7 for commerce_core::ids::$id {
            fn from7(uuid: uuid::Uuid) -> Self {
                Self::new(uuid)
            }
        }
    )*};
}

from7! { CartId ItemId OrderId PaymentId RefundId ReturnId EventId }

/// An order number.
pub fn order_number() -> impl Strategy<Value = OrderNumber> {
    (0..3650_i32, any::<u64>(), OrderNumber::SUFFIX..=12).prop_map(|(days, random, suffix)| {
        let day = NaiveDate::from_num_days_from_ce_opt(739_000 + days).expect("a day of our time");
        OrderNumber::new(day, random, suffix)
    })
}

/// An address with or without its optional parts.
pub fn address() -> impl Strategy<Value = Address> {
    let country = select(vec!["GB", "DE", "JP", "US", "BR"]);
    (option::of(text()), text(), option::of(text()), text(), option::of(text()), text(), country).prop_map(
        |(name, line1, line2, city, state, postal_code, country)| {
            let country = country.parse().expect("an assigned code");
            let mut address = Address::new(line1, city, postal_code, country);
            (address.name, address.line2, address.state) = (name, line2, state);
            address
        },
    )
}

/// Metadata, mostly with few entries.
pub fn metadata() -> impl Strategy<Value = Metadata> {
    let figures =
        (any::<i64>(), 0..=14_u32).prop_map(|(digits, decimals)| decimal(digits % 1_000_000_000_000_000, decimals));
    let value = prop_oneof![
        3 => characters(125).prop_map(Value::from),
        1 => Just(Value::from("")),
        1 => any::<bool>().prop_map(Value::from),
        2 => any::<i64>().prop_map(Value::from),
        2 => figures,
    ];
    let count = prop_oneof![3 => 0..=0_usize, 3 => 1..=3_usize, 1 => Just(MAX_ENTRIES)];
    let entries = count.prop_flat_map(move |count| btree_map("[A-Za-z0-9_.-]{1,40}", value.clone(), count));
    entries.prop_map(|entries| Metadata::new(entries).expect("within the limits"))
}

/// A JSON number with at most 15 digits.
fn decimal(digits: i64, decimals: u32) -> Value {
    let text = Decimal::new(digits, decimals).to_string();
    serde_json::from_str(&text).expect("a number")
}

fn characters(most: usize) -> impl Strategy<Value = String> {
    let length = prop_oneof![6 => 1..=most.min(8), 1 => 1..=most, 1 => Just(most)];
    let inner = length.prop_flat_map(|length| vec(select(CHARACTERS.to_vec()), length));
    inner.prop_map(|characters| characters.into_iter().collect())
}
