//! Amounts as Stripe counts them.
//!
//! Stripe counts in the smallest unit of a currency, with exceptions: ISK and UGX have two decimals there, which must be zeros, MGA
//! has none, and amounts with three decimals end in 0.

use commerce_core::money::{Currency, Money};

/// Currencies that Stripe counts with other decimals than ISO 4217.
const EXCEPTIONS: [(&str, u32); 3] = [("ISK", 2), ("MGA", 0), ("UGX", 2)];

fn decimals(currency: Currency) -> u32 {
    let exception = EXCEPTIONS.iter().find(|(code, _)| *code == currency.code());
    exception.map_or(currency.decimals(), |(_, decimals)| *decimals)
}

/// The number that Stripe takes for an amount. `None` if Stripe cannot take it: too large, or too fine.
pub(crate) fn to_stripe(amount: Money) -> Option<i64> {
    let currency = amount.currency();
    let (ours, theirs) = (currency.decimals(), decimals(currency));
    let number = if theirs >= ours {
        amount.minor().checked_mul(10_i64.checked_pow(theirs.checked_sub(ours)?)?)?
    } else {
        exactly(amount.minor(), 10_i64.checked_pow(ours.checked_sub(theirs)?)?)?
    };
    Some(number).filter(|number| theirs < 3 || number.rem_euclid(10) == 0)
}

/// The amount of a number of Stripe and the code of its currency in lower case.
pub(crate) fn from_stripe(number: i64, currency: &str) -> Option<Money> {
    let currency: Currency = currency.to_ascii_uppercase().parse().ok()?;
    let (ours, theirs) = (currency.decimals(), decimals(currency));
    let minor = if theirs >= ours {
        exactly(number, 10_i64.checked_pow(theirs.checked_sub(ours)?)?)?
    } else {
        number.checked_mul(10_i64.checked_pow(ours.checked_sub(theirs)?)?)?
    };
    Some(Money::new(minor, currency))
}

fn exactly(number: i64, by: i64) -> Option<i64> {
    (number.checked_rem(by)? == 0).then(|| number.checked_div(by))?
}

#[cfg(test)]
mod tests {
    use commerce_core::money::{Currency, Money};

    use super::{from_stripe, to_stripe};

    #[test]
    fn amounts_are_those_of_stripe() {
        for (amount, number) in [
            ("10.00 USD", Some(1_000)),
            ("500 JPY", Some(500)),
            ("5.120 KWD", Some(5_120)),
            ("5.125 KWD", None),
            ("700 UGX", Some(70_000)),
            ("700 ISK", Some(70_000)),
            ("700.00 MGA", Some(700)),
            ("700.20 MGA", None),
        ] {
            assert_eq!(to_stripe(amount.parse().expect("an amount")), number, "{amount}");
        }
        let largest: Money = Money::new(i64::MAX, "UGX".parse().expect("a currency"));
        assert_eq!(to_stripe(largest), None);
    }

    #[test]
    fn every_amount_that_stripe_takes_comes_back() {
        for currency in Currency::all() {
            for minor in [0, 1, 10, 100, 12_340, 99_999] {
                let amount = Money::new(minor, currency);
                if let Some(number) = to_stripe(amount) {
                    assert_eq!(from_stripe(number, &currency.code().to_ascii_lowercase()), Some(amount));
                }
            }
        }
        assert_eq!(from_stripe(70_050, "ugx"), None);
        assert_eq!(from_stripe(100, "xyz"), None);
    }
}
