//! Figures of amounts.

use alloc::string::ToString;

use rust_decimal::Decimal;

use super::Figure;

#[test]
fn a_figure_is_written_as_the_decimal_it_is() {
    let units = [0, 1, -1, 9, 10, -99, 100, 5998, -123_456, i64::MAX, i64::MIN];
    for (units, decimals) in units.into_iter().flat_map(|units| (0..=28).map(move |decimals| (units, decimals))) {
        let decimal = Decimal::from_i128_with_scale(units.into(), decimals);
        assert_eq!(Figure::of(units, decimals).text(), decimal.to_string());
    }
}
