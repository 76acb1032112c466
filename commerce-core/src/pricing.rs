//! Pricing: what a cart costs, exactly, and why. One pure function, [`price`], from a [`Request`] to a [`Quote`].
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
//! Subtotal; candidates (automatic, or by a code given; within their dates and limits); an exclusive promotion that
//! applies alone, or else those [selected](Selection); those on lines before those on shipping; tax on what remains.
//!
//! * An exclusive promotion qualifies if it would take something off the undiscounted cart. It then applies alone, under
//!   either selection: *best* chooses among the others.
//! * At most one promotion of a group applies. By priority that is the first that takes something off.
//! * A budget that does not reach for the whole discount gives what is left of it.
//! * Units of a line that were discounted differently are units of different prices from then on: "the cheapest" is the
//!   one that is cheapest now.
//!
//! # Invariants
//! * `PRC-1`: a figure is rounded once, from the exact one, in the way the request says.
//! * `PRC-2`: the parts of every figure add up to it, to the minor unit.
//! * `PRC-3`: no line, fee, tax or total is below zero, and no promotion raises a price.
//! * `PRC-4`: every candidate has one outcome, and the amounts of the applied ones add up to the discounts.
//! * `PRC-5`: the same request has the same quote. There is no clock, no randomness and no hash order here.
//! * `PRC-6`: a figure that does not fit is an error, never a wrapped one. Only sums and taxes can outgrow `i64`, and
//!   both are checked; everything between is at most the checked subtotal.
//! * `PRC-7`: the time grows with lines × promotions, and nothing is allocated per line but the answer.

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

/// The most lines of a request, a cart and an order.
pub const MAX_LINES: usize = 500;
/// The most promotions of a request.
pub const MAX_PROMOTIONS: usize = 1_000;
/// The most codes a buyer gives, to a request or a cart.
pub const MAX_CODES: usize = 20;
/// The most categories of a line.
pub const MAX_CATEGORIES: usize = 50;
/// The most segments of a customer.
pub const MAX_SEGMENTS: usize = 100;
/// The most tax rates.
pub const MAX_RATES: usize = 100;

/// Why a request has no price.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PricingError {
    /// The request breaks a rule: a limit, an amount below zero or in another currency, a rate out of range.
    #[error(transparent)]
    Invalid(#[from] Problems),
    /// A sum or a tax does not fit: amounts end at about 9.2 × 10¹⁸ minor units.
    #[error("the amounts are too large to add up")]
    Overflow,
}

/// Prices a request.
///
/// Names are not looked at: two lines may have the same id.
///
/// # Errors
/// [`PricingError::Invalid`] with everything that is wrong in the request; [`PricingError::Overflow`].
pub fn price(request: &Request) -> Result<Quote, PricingError> {
    if !check::is_sound(request) {
        let mut findings = Findings::default();
        request.check(&mut findings);
        findings.finish(Some(()))?;
    }
    quote(request).ok_or(PricingError::Overflow)
}

/// Prices a sound request. `None` where a figure does not fit.
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

/// The codes that did nothing for the buyer, and why: no promotion has them, or each that has was refused.
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
