//! The one place that knows what a quote is made of.

use commerce_core::order::Order;
use commerce_core::pricing::Quote;

use crate::fault::{Answer, Fault};

/// The totals of an order, in minor units.
pub(super) struct Figures {
    pub(super) subtotal: i64,
    pub(super) discount: i64,
    pub(super) shipping: i64,
    pub(super) shipping_discount: i64,
    pub(super) tax: i64,
    pub(super) total: i64,
}

/// The figures of one line, in minor units.
#[derive(Default)]
pub(super) struct LineFigures {
    pub(super) subtotal: i64,
    pub(super) discount: i64,
    pub(super) tax: i64,
    pub(super) total: i64,
}

pub(super) const fn figures(quote: &Quote) -> Figures {
    Figures {
        subtotal: quote.subtotal.minor(),
        discount: quote.discount.minor(),
        shipping: quote.shipping.minor(),
        shipping_discount: quote.shipping_discount.minor(),
        tax: quote.tax.minor(),
        total: quote.total.minor(),
    }
}

/// The figures of every item, in the order of items.
pub(super) fn line_figures(order: &Order) -> impl Iterator<Item = LineFigures> {
    let lines = order.quote.lines.iter().map(|line| LineFigures {
        subtotal: line.subtotal.minor(),
        discount: line.discount.minor(),
        tax: line.tax.minor(),
        total: line.total.minor(),
    });
    lines.chain(std::iter::repeat_with(LineFigures::default))
}

/// The frozen quote as text.
///
/// # Errors
/// None that a quote can cause; serializing to text is fallible by type.
pub(crate) fn quote_text(quote: &Quote) -> Result<String, serde_json::Error> {
    serde_json::to_string(quote)
}

pub(super) fn read_quote(text: &str) -> Answer<Quote> {
    serde_json::from_str(text).map_err(|_| Fault::Corrupt("orders.quote"))
}
