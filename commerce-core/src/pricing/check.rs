//! The checks of a request beyond its types.

use super::request::Request;
use super::tax;
use super::{MAX_CATEGORIES, MAX_CODES, MAX_LINES, MAX_PROMOTIONS, MAX_RATES, MAX_SEGMENTS};
use crate::money::{Currency, Money};
use crate::problem::{Findings, ProblemKind};
use crate::promotion::MAX_CODE;

/// Whether a request has no problem: the fast form of [`Request::check`].
pub(super) fn is_sound(request: &Request) -> bool {
    let good = |money: Money| money.currency() == request.currency && !money.is_negative();
    request.lines.len() <= MAX_LINES
        && request.promotions.len() <= MAX_PROMOTIONS
        && request.codes.len() <= MAX_CODES
        && request.tax.rates.len() <= MAX_RATES
        && request.customer.segments.len() <= MAX_SEGMENTS
        && request.lines.iter().all(|line| good(line.unit_price) && line.categories.len() <= MAX_CATEGORIES)
        && request.shipping.as_ref().is_none_or(|shipping| good(shipping.amount))
        && request.promotions.iter().all(|promotion| promotion.currency() == request.currency)
        && request.codes.iter().all(|code| code.len() <= MAX_CODE || code.chars().nth(MAX_CODE).is_none())
        && request.tax.rates.iter().all(|rate| tax::is_rate(rate.rate))
}

impl Request {
    /// Records every problem: an exceeded limit, a negative amount, a foreign currency, a rate out of range.
    /// [`price`](super::price) calls this itself.
    pub fn check(&self, findings: &mut Findings) {
        check_limits(self, findings);
        findings.field("lines", |findings| {
            findings.each(&self.lines, |findings, line| {
                findings.field("unit_price", |findings| check_amount(line.unit_price, self.currency, findings));
                findings.field("categories", |findings| check_length(line.categories.len(), MAX_CATEGORIES, findings));
            });
        });
        if let Some(shipping) = &self.shipping {
            findings.field("shipping", |findings| {
                findings.field("amount", |findings| check_amount(shipping.amount, self.currency, findings));
            });
        }
        findings.field("codes", |findings| {
            findings.each(&self.codes, |findings, code| {
                findings.require(code.chars().nth(MAX_CODE).is_none(), ProblemKind::TooLong { limit: MAX_CODE });
            });
        });
        findings.field("promotions", |findings| {
            findings.each(&self.promotions, |findings, promotion| {
                promotion.check_currency(self.currency, findings);
            });
        });
        check_rates(self, findings);
    }
}

fn check_limits(request: &Request, findings: &mut Findings) {
    let lengths = [
        ("lines", "", request.lines.len(), MAX_LINES),
        ("codes", "", request.codes.len(), MAX_CODES),
        ("promotions", "", request.promotions.len(), MAX_PROMOTIONS),
        ("tax", "rates", request.tax.rates.len(), MAX_RATES),
        ("customer", "segments", request.customer.segments.len(), MAX_SEGMENTS),
    ];
    for (outer, inner, length, limit) in lengths {
        findings.field(outer, |findings| match inner {
            "" => check_length(length, limit, findings),
            inner => findings.field(inner, |findings| check_length(length, limit, findings)),
        });
    }
}

fn check_rates(request: &Request, findings: &mut Findings) {
    findings.field("tax", |findings| {
        findings.field("rates", |findings| {
            findings.each(&request.tax.rates, |findings, rate| {
                let well = tax::is_rate(rate.rate);
                findings.field("rate", |f| f.require(well, ProblemKind::OutOfRange { expected: tax::RATE }));
            });
        });
    });
}

fn check_length(length: usize, limit: usize, findings: &mut Findings) {
    findings.require(length <= limit, ProblemKind::TooMany { limit });
}

fn check_amount(amount: Money, currency: Currency, findings: &mut Findings) {
    findings.require(amount.currency() == currency, ProblemKind::CurrencyMismatch);
    findings.require(!amount.is_negative(), ProblemKind::OutOfRange { expected: "zero or more" });
}
