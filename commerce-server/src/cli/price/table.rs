//! A quote as a text for people.

use std::fmt::{self, Write};

use commerce_core::money::Money;
use commerce_core::pricing::{Adjustment, PromotionOutcome, Quote, QuotedLine, RejectedCode};

/// A [`Quote`] as a table: the price of every line and the discounts on it, the shipping fee, the tax and the total, followed
/// by the outcome of every candidate and the refused codes.
///
/// Columns are as wide as their content. Codes are quoted, because a customer typed them.
///
/// ```
/// use commerce_core::pricing::price;
/// use commerce_server::cli::Table;
/// use commerce_http::dto::pricing::read_request;
///
/// let request = read_request(
///     br#"{ "currency": "EUR", "at": "2026-01-15T12:00:00Z", "codes": ["TEN", "NINE"],
///          "lines": [{ "id": "mug", "sku": "MUG", "quantity": 3, "unit_price": "9.99" }],
///          "promotions": [{ "id": "ten", "code": "TEN",
///              "effect": { "type": "percent_off", "target": "order", "percent": "10" } }] }"#,
/// )?;
/// assert_eq!(
///     Table::of(&price(&request)?).to_string(),
///     r#"EUR       Listed  Discount   Tax  Total
/// mug        29.97      3.00  0.00  26.97
///   ten                 3.00
/// Subtotal   29.97      3.00
/// Total                       0.00  26.97
///
/// Promotions
///   ten  "TEN"  applied  Takes 3.00 EUR off.
///
/// Refused codes
///   "NINE"  unknown_code  There is no such code.
/// "#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Table<'q> {
    quote: &'q Quote,
}

/// A name and its figures: listed, discount, tax, total.
type Figures = [String; 5];

impl<'q> Table<'q> {
    /// The table of a quote.
    pub const fn of(quote: &'q Quote) -> Self {
        Self { quote }
    }

    fn figures(self) -> Vec<Figures> {
        let tax = if self.tax_is_contained() { "Contained tax" } else { "Tax" };
        let head = [self.quote.currency.to_string(), "Listed".into(), "Discount".into(), tax.into(), "Total".into()];
        let mut rows = Vec::from([head]);
        for (place, line) in self.quote.lines.iter().enumerate() {
            let QuotedLine { item, subtotal, discount, tax, total } = line;
            rows.push(row(item, [Some(*subtotal), Some(*discount), Some(*tax), Some(*total)]));
            rows.extend(self.quote.adjustments(place).map(adjusted));
        }
        let Quote { subtotal, discount, tax, total, .. } = self.quote;
        rows.push(row("Subtotal", [Some(*subtotal), Some(*discount), None, None]));
        if !self.quote.shipping.is_zero() {
            rows.push(self.shipping());
            rows.extend(self.quote.shipping_adjustments().map(adjusted));
        }
        rows.push(row("Total", [None, None, Some(*tax), Some(*total)]));
        rows
    }

    fn shipping(self) -> Figures {
        let Quote { currency, shipping, shipping_discount, shipping_tax, .. } = self.quote;
        let on_top = if self.tax_is_contained() { 0 } else { shipping_tax.minor() };
        let total = shipping.minor().saturating_sub(shipping_discount.minor()).saturating_add(on_top);
        let total = Money::new(total, *currency);
        row("Shipping", [Some(*shipping), Some(*shipping_discount), Some(*shipping_tax), Some(total)])
    }

    /// Whether the prices include tax. A quote does not contain this; the totals of its lines show it.
    fn tax_is_contained(self) -> bool {
        let Quote { subtotal, discount, shipping, shipping_discount, tax, total, .. } = self.quote;
        let goods = subtotal.minor().saturating_sub(discount.minor());
        let fee = shipping.minor().saturating_sub(shipping_discount.minor());
        !tax.is_zero() && goods.saturating_add(fee) == total.minor()
    }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_columns(f, &self.figures(), 1)?;
        let Quote { explanation, rejected, proven_best, .. } = self.quote;
        if !explanation.is_empty() {
            f.write_str("\nPromotions\n")?;
            let rows: Vec<_> = explanation.iter().map(explained).collect();
            write_columns(f, &rows, 4)?;
        }
        if !rejected.is_empty() {
            f.write_str("\nRefused codes\n")?;
            let rows: Vec<_> = rejected.iter().map(refused).collect();
            write_columns(f, &rows, 3)?;
        }
        f.write_str(match proven_best {
            None => "",
            Some(true) => "\nNo other combination of these promotions costs less.\n",
            Some(false) => "\nThe best combination found; there are too many to try them all.\n",
        })
    }
}

fn row(name: impl fmt::Display, figures: [Option<Money>; 4]) -> Figures {
    let [listed, discount, tax, total] =
        figures.map(|figure| figure.map(|money| money.to_decimal().to_string()).unwrap_or_default());
    [name.to_string(), listed, discount, tax, total]
}

fn adjusted(Adjustment { promotion_id, amount }: Adjustment<'_>) -> Figures {
    row(format!("  {promotion_id}"), [None, Some(amount), None, None])
}

fn explained(explained: &PromotionOutcome) -> [String; 4] {
    let PromotionOutcome { promotion_id, code, outcome } = explained;
    let code = code.as_ref().map(|code| format!("{code:?}")).unwrap_or_default();
    [format!("  {promotion_id}"), code, outcome.code().to_owned(), outcome.to_string()]
}

fn refused(RejectedCode { code, reason }: &RejectedCode) -> [String; 3] {
    [format!("  {code:?}"), reason.code().to_owned(), reason.to_string()]
}

/// Writes rows with two spaces between their columns, of which the first `left` are aligned to the left. Omits empty columns.
fn write_columns<const N: usize>(f: &mut fmt::Formatter<'_>, rows: &[[String; N]], left: usize) -> fmt::Result {
    let mut widths = [0_usize; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in rows {
        let mut text = String::new();
        for (at, (cell, width)) in row.iter().zip(widths).enumerate().filter(|(_, (_, width))| *width > 0) {
            let gap = if text.is_empty() { "" } else { "  " };
            if at < left { write!(text, "{gap}{cell:<width$}")? } else { write!(text, "{gap}{cell:>width$}")? }
        }
        writeln!(f, "{}", text.trim_end())?;
    }
    Ok(())
}
