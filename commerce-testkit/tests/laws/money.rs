//! Money is exact.

use commerce_core::money::{Money, MoneyError, allocate_minor};
use commerce_testkit::strategy::money::{amount, currency, money, weights};
use proptest::prelude::*;
use rust_decimal::Decimal;

fn wide(money: Money) -> i128 {
    money.minor().into()
}

proptest! {
    /// MNY-4, and the rest of what a split promises: whole shares, at most one minor unit from the exact ones, none of the
    /// other sign, none for a weight of zero.
    #[test]
    fn a_split_adds_up_and_is_fair(whole in money(), weights in weights()) {
        let parts = whole.allocate(&weights).unwrap();
        prop_assert_eq!(parts.len(), weights.len());
        prop_assert_eq!(parts.iter().copied().map(wide).sum::<i128>(), wide(whole));
        let scale = weights.iter().map(Decimal::scale).max().unwrap();
        let exact = |weight: &Decimal| weight.mantissa() * 10_i128.pow(scale - weight.scale());
        let total: i128 = weights.iter().map(exact).sum();
        for (part, weight) in parts.iter().zip(&weights) {
            let distance = wide(*part) * total - wide(whole) * exact(weight);
            prop_assert!(distance.abs() < total, "{part} of {whole} for {weight} in {weights:?}");
            prop_assert!(part.is_zero() || part.is_negative() == whole.is_negative());
            prop_assert!(!weight.is_zero() || part.is_zero());
        }
    }

    /// A split does not depend on the unit the weights are given in, and of two weights the larger gets no less.
    #[test]
    fn a_split_looks_at_proportions(whole in money(), weights in weights(), factor in 1..1000_i64) {
        let scaled: Vec<_> = weights.iter().map(|weight| weight * Decimal::from(factor)).collect();
        let parts = whole.allocate(&weights).unwrap();
        prop_assert_eq!(&parts, &whole.allocate(&scaled).unwrap());
        for (part, weight) in parts.iter().zip(&weights) {
            for (other, less) in parts.iter().zip(&weights) {
                prop_assert!(weight <= less || part.minor().unsigned_abs() >= other.minor().unsigned_abs());
            }
        }
    }

    /// What cannot be split is refused, not guessed.
    #[test]
    fn faulty_weights_are_refused(minor in 1..i64::MAX, count in 0..4_usize, negative in -5..0_i128) {
        prop_assert_eq!(allocate_minor(minor, &vec![0; count]), Err(MoneyError::InvalidWeights));
        prop_assert_eq!(allocate_minor(minor, &[5, negative]), Err(MoneyError::InvalidWeights));
        prop_assert_eq!(allocate_minor(minor, &[i128::MAX, 1]), Err(MoneyError::Overflow));
    }

    /// MNY-1 and MNY-3: sums and multiples are the exact ones, or an error where those do not fit.
    #[test]
    fn arithmetic_is_exact_or_refused(
        (left, right) in currency().prop_flat_map(|currency| (amount(currency), amount(currency))),
        count in any::<i64>(),
    ) {
        let exact = |figure: i128| i64::try_from(figure).map(|minor| Money::new(minor, left.currency())).ok();
        prop_assert_eq!(left.plus(right).ok(), exact(wide(left) + wide(right)));
        prop_assert_eq!(left.minus(right).ok(), exact(wide(left) - wide(right)));
        prop_assert_eq!(left.times(count).ok(), exact(wide(left) * i128::from(count)));
    }

    /// MNY-2.
    #[test]
    fn currencies_do_not_mix(left in money(), right in money()) {
        let mismatch = MoneyError::CurrencyMismatch { left: left.currency(), right: right.currency() };
        if left.currency() == right.currency() {
            prop_assert_ne!(left.plus(right), Err(mismatch));
        } else {
            prop_assert_eq!(left.plus(right), Err(mismatch.clone()));
            prop_assert_eq!(left.minus(right), Err(mismatch));
        }
    }

    /// Written and read again, as text and as a figure, it is the same.
    #[test]
    fn what_is_written_is_read(money in money()) {
        prop_assert_eq!(money.to_string().parse(), Ok(money));
        prop_assert_eq!(Money::from_decimal(money.to_decimal(), money.currency()), Ok(money));
        let json = serde_json::to_string(&money).unwrap();
        prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
    }

    /// One decimal more than the currency has is an error, never a rounding.
    #[test]
    fn too_many_decimals_are_refused(currency in currency(), figure in any::<i32>()) {
        let decimals = currency.decimals() + 1;
        let read = Money::from_decimal(Decimal::new(figure.into(), decimals), currency);
        prop_assert_eq!(read.is_ok(), figure % 10 == 0);
    }
}
