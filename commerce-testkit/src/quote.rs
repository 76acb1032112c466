//! Quotes for orders that are built without the engine.

#![expect(clippy::expect_used, reason = "a price that cannot be computed is a bug of the test")]

use chrono::DateTime;
use commerce_core::money::{Currency, Money};
use commerce_core::order::OrderItem;
use commerce_core::pricing::{Line, Quote, Request, Shipping, Tax, TaxRate, price};
use commerce_core::promotion::{Condition, Effect, Percent, Promotion, PromotionDefinition, Target};
use rust_decimal::Decimal;

use crate::commit_builder::{CURRENCY, parse};

/// A promotion that takes a percentage off every order, in hundredths of a percent.
///
/// # Panics
/// If the id or the percentage is invalid.
pub fn percent_off(id: &str, hundredths: i64) -> PromotionDefinition {
    let percent = Percent::new(Decimal::new(hundredths, 2)).expect("a share of the whole");
    PromotionDefinition::new(parse(id), Effect::PercentOff { percent, target: Target::Order, max_amount: None })
}

/// The price of items without promotions or taxes. All have the same currency.
///
/// # Panics
/// If the sum does not fit.
pub fn plain<'a>(items: impl IntoIterator<Item = &'a OrderItem>) -> Quote<OrderItem> {
    let items: Vec<_> = items.into_iter().cloned().collect();
    price(&request(&items)).expect("the items can be priced").of_items(items)
}

/// A price with a discount on the order that splits unevenly, a promotion whose condition is not met, an unknown code, a
/// shipping fee, and tax on lines and fee.
///
/// # Panics
/// If the sum does not fit.
pub fn rich<'a>(items: impl IntoIterator<Item = &'a OrderItem>) -> Quote<OrderItem> {
    let items: Vec<_> = items.into_iter().cloned().collect();
    let mut request = request(&items);
    let currency = request.currency;
    for line in &mut request.lines {
        line.tax_category = Some("all".into());
    }
    let fee = Money::new(495, currency);
    request.shipping = Some(Shipping { method: "standard".into(), amount: fee, tax_category: Some("all".into()) });
    let rate = TaxRate { tax_category: "all".into(), rate: Decimal::new(825, 4) };
    request.tax = Tax { prices_include_tax: false, rates: vec![rate] };
    request.codes = vec!["NOBODY'S \"code\" 🦀".into()];
    request.promotions =
        vec![promotion(currency, "spring", 1234, None), promotion(currency, "big", 5000, Some(i64::MAX))];
    price(&request).expect("the items can be priced").of_items(items)
}

fn request(items: &[OrderItem]) -> Request {
    let currency = items.first().map_or(CURRENCY, |item| item.unit_price.currency());
    let line = |item: &OrderItem| Line::new(item.id.into(), item.sku.clone(), item.quantity, item.unit_price);
    Request::new(currency, DateTime::UNIX_EPOCH, items.iter().map(line).collect())
}

fn promotion(currency: Currency, id: &str, hundredths: i64, min_spend: Option<i64>) -> Promotion {
    let condition = |minor| Condition::MinSpend { amount: Money::new(minor, currency), filter: None };
    let conditions = min_spend.map(condition).into_iter().collect();
    Promotion::new(currency, PromotionDefinition { conditions, ..percent_off(id, hundredths) })
        .expect("the terms are sound")
}
