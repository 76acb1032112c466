//! The invariants of every quote, as listed in [`commerce_core::pricing`].
//!
//! ```
//! use commerce_core::pricing::price;
//! use commerce_testkit::{invariants, strategy};
//! use proptest::prelude::*;
//!
//! proptest!(|(request in strategy::pricing::request())| {
//!     let quote = price(&request).expect("a sound request has a price");
//!     invariants::check_quote(&request, &quote)?;
//! });
//! ```
//!
//! The ids of lines and promotions must be unique in the request, as in every request that was read.

use commerce_core::money::Money;
use commerce_core::pricing::{Outcome, PromotionOutcome, Quote, QuotedLine, Request};
use commerce_core::promotion::Promotion;
use proptest::test_runner::TestCaseResult;
use proptest::{prop_assert, prop_assert_eq};

/// The sum in minor units, without overflow.
fn sum(amounts: impl Iterator<Item = Money>) -> i128 {
    amounts.map(wide).sum()
}

fn wide(amount: Money) -> i128 {
    amount.minor().into()
}

/// Checks all invariants.
///
/// # Errors
/// An invariant is violated.
pub fn check_quote(request: &Request, quote: &Quote) -> TestCaseResult {
    check_sums(request, quote)?;
    check_signs(quote)?;
    check_explanation(request, quote)
}

/// `PRC-2`: every figure is the sum of its parts.
///
/// # Errors
/// A sum is wrong.
pub fn check_sums(request: &Request, quote: &Quote) -> TestCaseResult {
    let lines = || quote.lines.iter();
    prop_assert_eq!(sum(lines().map(|line| line.subtotal)), wide(quote.subtotal), "subtotals");
    prop_assert_eq!(sum(lines().map(|line| line.discount)), wide(quote.discount), "discounts");
    prop_assert_eq!(sum(lines().map(|line| line.tax)) + wide(quote.shipping_tax), wide(quote.tax), "taxes");
    let on_top = |tax: Money| if request.tax.prices_include_tax { 0 } else { wide(tax) };
    for line in lines() {
        let total = wide(line.subtotal) - wide(line.discount) + on_top(line.tax);
        prop_assert_eq!(wide(line.total), total, "the total of {}", line.item);
    }
    let goods = wide(quote.subtotal) - wide(quote.discount);
    let fee = wide(quote.shipping) - wide(quote.shipping_discount);
    prop_assert_eq!(wide(quote.total), goods + fee + on_top(quote.tax), "the total");
    Ok(())
}

/// `PRC-3`: no figure is negative, and no discount exceeds the amount that it reduces.
///
/// # Errors
/// A figure is out of range.
pub fn check_signs(quote: &Quote) -> TestCaseResult {
    let figures = [quote.subtotal, quote.discount, quote.shipping, quote.shipping_discount, quote.tax, quote.total];
    let of_line = |line: &QuotedLine| [line.subtotal, line.discount, line.tax, line.total];
    let all = figures.into_iter().chain([quote.shipping_tax]).chain(quote.lines.iter().flat_map(of_line));
    for figure in all {
        prop_assert!(!figure.is_negative(), "{} is below zero", figure);
    }
    prop_assert!(quote.shipping_discount.minor() <= quote.shipping.minor());
    for line in &quote.lines {
        prop_assert!(line.discount.minor() <= line.subtotal.minor(), "{} is discounted below zero", line.item);
    }
    Ok(())
}

/// `PRC-4`: every candidate has one outcome, and the explained amounts are those of the lines.
///
/// # Errors
/// The explanation is incomplete or wrong.
pub fn check_explanation(request: &Request, quote: &Quote) -> TestCaseResult {
    let candidates = request.promotions.iter().filter(|promotion| {
        let code = promotion.definition().code.as_deref();
        code.is_none_or(|code| request.codes.iter().any(|given| request.code_matching.same(given, code)))
    });
    let explained: Vec<_> = quote.explanation.iter().map(|explained| &explained.promotion_id).collect();
    prop_assert_eq!(candidates.map(Promotion::id).collect::<Vec<_>>(), explained);
    for (place, line) in quote.lines.iter().enumerate() {
        prop_assert_eq!(sum(quote.adjustments(place).map(|one| one.amount)), wide(line.discount));
    }
    let fee = sum(quote.shipping_adjustments().map(|one| one.amount));
    prop_assert_eq!(fee, wide(quote.shipping_discount));
    let given = sum(quote.applied().map(|one| one.amount));
    prop_assert_eq!(given, wide(quote.discount) + fee, "what the promotions gave");
    for explained in &quote.explanation {
        check_outcome(quote, explained)?;
    }
    Ok(())
}

fn check_outcome(quote: &Quote, explained: &PromotionOutcome) -> TestCaseResult {
    match &explained.outcome {
        Outcome::Applied { amount, .. } => {
            prop_assert!(amount.minor() > 0, "an applied promotion gives something");
            let shares = sum(quote.shares(explained).map(|share| share.amount));
            let is_shipping = quote.shipping_adjustments().any(|one| one.promotion_id == &explained.promotion_id);
            prop_assert_eq!(shares, if is_shipping { 0 } else { wide(*amount) });
        }
        Outcome::ConditionsNotMet { unmet } => prop_assert!(!unmet.is_empty(), "a failed condition is named"),
        Outcome::Superseded { by, .. } => prop_assert!(!by.is_empty(), "a winner is named"),
        Outcome::NoEffect { .. }
        | Outcome::LimitReached { .. }
        | Outcome::Expired { .. }
        | Outcome::NotStarted { .. } => {}
    }
    prop_assert!(!explained.outcome.to_string().is_empty());
    Ok(())
}
