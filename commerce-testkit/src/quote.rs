//! Prices for orders that are made without the engine.

#![expect(clippy::expect_used, reason = "a price that cannot be made is a bug of the test that asks for it")]

use chrono::DateTime;
use commerce_core::money::{Currency, Money};
use commerce_core::order::OrderItem;
use commerce_core::pricing::{Line, Quote, Request, Shipping, Tax, TaxRate, price};
use commerce_core::promotion::{Condition, Effect, Percent, Promotion, PromotionDefinition, Target};
use rust_decimal::Decimal;

use crate::commit_builder::{CURRENCY, parse};

/// The plain price of items of one currency: units times unit price, nothing else.
///
/// # Panics
/// If the sum does not fit.
pub fn plain(items: &[OrderItem]) -> Quote {
    price(&request(items)).expect("the items can be priced")
}

/// A price with everything in it: a discount on the order that splits unevenly, a promotion whose condition is not met, a
/// code nobody knows, a shipping fee, and tax on lines and fee.
///
/// # Panics
/// If the sum does not fit.
pub fn rich(items: &[OrderItem]) -> Quote {
    let mut request = request(items);
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
    price(&request).expect("the items can be priced")
}

fn request(items: &[OrderItem]) -> Request {
    let currency = items.first().map_or(CURRENCY, |item| item.unit_price.currency());
    let line = |item: &OrderItem| Line {
        id: item.id.into(),
        sku: item.sku.clone(),
        quantity: item.quantity,
        unit_price: item.unit_price,
        categories: Vec::new(),
        tax_category: None,
    };
    Request::new(currency, DateTime::UNIX_EPOCH, items.iter().map(line).collect())
}

fn promotion(currency: Currency, id: &str, hundredths: i64, min_spend: Option<i64>) -> Promotion {
    let percent = Percent::new(Decimal::new(hundredths, 2)).expect("a share of the whole");
    let effect = Effect::PercentOff { percent, target: Target::Order, max_amount: None };
    let condition = |minor| Condition::MinSpend { amount: Money::new(minor, currency), filter: None };
    let conditions = min_spend.map(condition).into_iter().collect();
    Promotion::new(currency, PromotionDefinition { conditions, ..PromotionDefinition::new(parse(id), effect) })
        .expect("the terms are sound")
}
