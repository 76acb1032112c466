//! Money.

use commerce_core::money::{Currency, Money, Rounding};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;

/// Any currency. Shrinks to those with two decimals.
pub fn currency() -> impl Strategy<Value = Currency> {
    let usual = select(vec![Currency::USD, Currency::EUR, Currency::GBP, Currency::JPY, Currency::KWD]);
    prop_oneof![3 => usual, 1 => select(Currency::all().collect::<Vec<_>>())]
}

/// An amount of a currency, up to the limits of the type.
pub fn amount(currency: Currency) -> impl Strategy<Value = Money> {
    let limits = select(vec![i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX]);
    let minor = prop_oneof![4 => -100_000..=100_000_i64, 2 => any::<i64>(), 1 => limits];
    minor.prop_map(move |minor| Money::new(minor, currency))
}

/// An amount of any currency.
pub fn money() -> impl Strategy<Value = Money> {
    currency().prop_flat_map(amount)
}

/// The price of a unit in a currency: zero, small or large.
pub fn price_in(currency: Currency) -> impl Strategy<Value = Money> {
    let minor = prop_oneof![6 => 0..=20_000_i64, 1 => Just(0), 1 => 0..=1_000_000_000_000_i64];
    minor.prop_map(move |minor| Money::new(minor, currency))
}

/// The price of a unit.
pub fn price() -> impl Strategy<Value = Money> {
    currency().prop_flat_map(price_in)
}

/// Weights for a split, with up to four decimals. Some are zero, at least one is positive.
pub fn weights() -> impl Strategy<Value = Vec<Decimal>> {
    let weight =
        prop_oneof![1 => Just((0, 0)), 4 => (0..=10_000_i64, 0..=4_u32), 1 => (0..=1_000_000_000_000_i64, 0..=0_u32)];
    vec(weight.prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale)), 1..=12)
        .prop_filter("one weight must be positive", |weights| weights.iter().any(|weight| !weight.is_zero()))
}

/// Any rounding.
pub fn rounding() -> impl Strategy<Value = Rounding> {
    select(vec![Rounding::HalfAwayFromZero, Rounding::HalfEven, Rounding::Down])
}
