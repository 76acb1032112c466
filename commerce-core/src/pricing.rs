//! Pricing: one pure function, [`price`], from a [`Request`] to a [`Quote`], which is exact and explains itself.
//!
//! ```
//! use commerce_core::Quantity;
//! use commerce_core::money::Currency;
//! use commerce_core::pricing::{Line, Request, price};
//! use commerce_core::promotion::{Effect, Percent, Promotion, Target, PromotionDefinition};
//!
//! let effect = Effect::PercentOff { percent: Percent::new(10.into())?, target: Target::Order, max_amount: None };
//! let definition = PromotionDefinition { code: Some("TEN".into()), ..PromotionDefinition::new("ten".parse()?, effect) };
//! let mugs = Line::new("1".parse()?, "MUG".parse()?, Quantity::new(3)?, "9.99 EUR".parse()?);
//! let request = Request {
//!     codes: vec!["TEN".into()],
//!     promotions: vec![Promotion::new(Currency::EUR, definition)?],
//!     ..Request::new(Currency::EUR, "2026-01-15T12:00:00Z".parse()?, vec![mugs])
//! };
//! let quote = price(&request)?;
//! assert_eq!(quote.total.to_string(), "26.97 EUR");
//! assert_eq!(quote.explanation[0].outcome.to_string(), "Takes 3.00 EUR off.");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Order of evaluation
//! Subtotal; candidates (automatic or by a given code, within their dates and limits); an exclusive promotion alone, or
//! the [selected](Selection) ones, those on lines before those on shipping; tax on the remainder.
//!
//! * An exclusive promotion qualifies if it would discount the undiscounted cart. It then applies alone, under either
//!   selection.
//! * At most one promotion of a group applies. By priority that is the first that gives a discount.
//! * A discount is limited to the remaining budget of its promotion.
//! * Units of one line that were discounted differently have different prices: "the cheapest" is the one that is
//!   cheapest now.
//!
//! # Invariants
//! * `PRC-1`: a figure is rounded once, from the exact one, as the request specifies.
//! * `PRC-2`: the parts of every figure add up to it, to the minor unit.
//! * `PRC-3`: no line, fee, tax or total is negative, and no promotion raises a price.
//! * `PRC-4`: every candidate has one outcome, and the amounts of the applied ones add up to the discounts.
//! * `PRC-5`: equal requests have equal quotes. Pricing uses no clock, no randomness and no hash order.
//! * `PRC-6`: overflow is an error. Only sums and taxes can exceed `i64`, and both are checked; everything between is
//!   at most the checked subtotal.
//! * `PRC-7`: the time grows with lines × promotions, and only the answer is allocated per line.

mod best;
mod cart;
mod check;
mod explanation;
mod judge;
mod offer;
mod quote;
mod remains;
mod request;
mod selection;
mod split;
mod tax;

use alloc::vec::Vec;

use thiserror::Error;

pub use self::best::{PROVEN_CANDIDATES, PROVEN_LINES};
pub use self::explanation::{
    AppliedTo, CodeRejection, NoEffect, Outcome, PromotionOutcome, RejectedCode, UnmetCondition,
};
pub use self::quote::{Adjustment, Quote, QuotedLine, Share};
pub use self::request::{Buyer, CodeMatching, Line, LineId, Request, Selection, Shipping, Tax, TaxLevel, TaxRate};
use self::selection::Session;
use self::tax::Levy;
use crate::money::Money;
use crate::problem::{Findings, Problems};

/// The maximum number of lines of a request, a cart and an order.
pub const MAX_LINES: usize = 500;
/// The maximum number of promotions of a request.
pub const MAX_PROMOTIONS: usize = 1_000;
/// The maximum number of codes of a request or a cart.
pub const MAX_CODES: usize = 20;
/// The maximum number of categories of a line.
pub const MAX_CATEGORIES: usize = 50;
/// The maximum number of segments of a customer.
pub const MAX_SEGMENTS: usize = 100;
/// The maximum number of tax rates of a request.
pub const MAX_RATES: usize = 100;

/// Why a request cannot be priced.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PricingError {
    /// The request breaks a rule: a limit, a negative amount, a foreign currency, a rate out of range.
    #[error(transparent)]
    Invalid(#[from] Problems),
    /// A sum or a tax exceeds about 9.2 × 10¹⁸ minor units.
    #[error("the amounts are too large to add up")]
    Overflow,
}

/// Prices a request.
///
/// The ids of lines are not checked: two lines may have the same id.
///
/// # Errors
/// [`PricingError::Invalid`] with every problem of the request; [`PricingError::Overflow`].
pub fn price(request: &Request) -> Result<Quote, PricingError> {
    if !check::is_sound(request) {
        let mut findings = Findings::default();
        request.check(&mut findings);
        findings.finish(Some(()))?;
    }
    quote(request).ok_or(PricingError::Overflow)
}

/// Prices a checked request. `None` on overflow.
fn quote(request: &Request) -> Option<Quote> {
    let levy = Levy::of(request)?;
    let mut session = Session::new(request)?;
    session.select(&levy);
    let remains = session.remains();
    let money = |minor| Money::new(minor, request.currency);
    let taxes = levy.taxes(remains)?;
    let tax = taxes.iter().try_fold(0_i64, |sum, tax| sum.checked_add(*tax))?;
    let tax_on_top = |tax: i64| if request.tax.prices_include_tax { 0 } else { tax };
    let mut subtotal = 0_i64;
    let mut lines = Vec::with_capacity(request.lines.len());
    for ((line, left), tax) in request.lines.iter().zip(remains.lines()).zip(&taxes) {
        let listed = line.unit_price.minor().checked_mul(line.quantity.get())?;
        subtotal = subtotal.checked_add(listed)?;
        lines.push(QuotedLine {
            item: line.id.clone(),
            subtotal: money(listed),
            discount: money(listed.checked_sub(*left)?),
            tax: money(*tax),
            total: money(left.checked_add(tax_on_top(*tax))?),
        });
    }
    let shipping = request.shipping.as_ref().map_or(0, |shipping| shipping.amount.minor());
    let net = remains.total().checked_add(remains.fee())?;
    Some(Quote {
        currency: request.currency,
        subtotal: money(subtotal),
        discount: money(subtotal.checked_sub(remains.total())?),
        shipping: money(shipping),
        shipping_discount: money(shipping.checked_sub(remains.fee())?),
        shipping_tax: money(taxes.last().copied().unwrap_or(0)),
        tax: money(tax),
        total: money(net.checked_add(tax_on_top(tax))?),
        lines,
        rejected: rejected(request, &session.explanation),
        explanation: session.explanation,
        proven_best: session.proven_best,
        shares: session.shares,
    })
}

/// The given codes without effect, and why: no promotion has them, or every promotion that has one was refused.
fn rejected(request: &Request, explanation: &[PromotionOutcome]) -> Vec<RejectedCode> {
    let mut rejected: Vec<RejectedCode> = Vec::new();
    for (place, code) in request.codes.iter().enumerate() {
        let same = |other: &str| request.code_matching.same(code, other);
        if request.codes.iter().take(place).any(|earlier| same(earlier)) {
            continue;
        }
        let mut found = explanation.iter().filter(|explained| explained.code.as_deref().is_some_and(same));
        let reason = match found.next() {
            None => Some(CodeRejection::UnknownCode),
            Some(first) => {
                let others_refused = found.all(|other| other.outcome.rejection().is_some());
                first.outcome.rejection().filter(|_| others_refused)
            }
        };
        rejected.extend(reason.map(|reason| RejectedCode { code: code.clone(), reason }));
    }
    rejected
}
