//! The one place where the testkit makes prices.

use commerce_core::money::{Currency, Money};
use commerce_core::order::OrderItem;
use commerce_core::pricing::{Quote, QuotedLine};

/// The plain price of items: units times unit price, nothing else.
pub(crate) fn plain(currency: Currency, items: &[OrderItem]) -> Quote {
    let totals = items.iter().map(|item| item.unit_price.times(item.quantity.get()).unwrap_or(item.unit_price));
    let lines: Vec<_> = totals.map(|total| QuotedLine { total }).collect();
    let total = Money::sum(currency, lines.iter().map(|line| line.total)).unwrap_or(Money::zero(currency));
    Quote { total, lines }
}
