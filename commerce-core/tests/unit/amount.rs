//! Figures of amounts.

use alloc::string::ToString;

use proptest::{prop_assert_eq, proptest};
use rust_decimal::Decimal;

use super::{Figure, units};
use crate::money::{Currency, Money};

#[test]
fn a_figure_is_written_as_the_decimal_it_is() {
    let units = [0, 1, -1, 9, 10, -99, 100, 5998, -123_456, i64::MAX, i64::MIN];
    for (units, decimals) in units.into_iter().flat_map(|units| (0..=28).map(move |decimals| (units, decimals))) {
        let decimal = Decimal::from_i128_with_scale(units.into(), decimals);
        assert_eq!(Figure::of(units, decimals).text(), decimal.to_string());
    }
}

#[test]
fn every_currency_is_found_by_its_code() {
    for currency in Currency::all() {
        assert_eq!(currency.code().parse(), Ok(currency));
    }
    for wrong in ["", "EU", "EURO", "eur", "AAA", "ZZZ", " AF", "E R"] {
        assert!(wrong.parse::<Currency>().is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn the_short_way_reads_what_a_decimal_reads(text in r"[-+]?[0-9_]{0,22}(\.[0-9]{0,4})?", decimals in 0..4_u32) {
        let currency = [Currency::JPY, Currency::EUR, Currency::KWD].into_iter().find(|known| known.decimals() == decimals);
        if let (Some(minor), Some(currency)) = (units(&text, decimals), currency) {
            let decimal = Decimal::from_str_exact(&text);
            prop_assert_eq!(decimal.map(|figure| Money::from_decimal(figure, currency)), Ok(Ok(Money::new(minor, currency))));
        }
    }

    #[test]
    fn what_is_written_is_read_the_short_way(minor: i64) {
        for currency in [Currency::JPY, Currency::EUR, Currency::KWD] {
            let decimals = currency.decimals();
            prop_assert_eq!(units(Figure::of(minor, decimals).text(), decimals), Some(minor));
        }
    }
}
