//! The result of pricing: the amounts to pay, split to the minor unit, and their explanation.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::explanation::{AppliedTo, CodeRejection, Outcome, PromotionOutcome, RejectedCode};
use super::request::LineId;
use crate::ids::PromotionId;
use crate::money::{Currency, Money};
use crate::promotion::same_code;

/// What a [`Request`](super::Request) costs, and why.
///
/// All amounts are in one currency. A line is identified by its id in the request, or by any other `T`: the quote of an
/// order has [its items](Quote::of_items) as lines.
///
/// # Invariants
/// * `total` = `subtotal` − `discount` + `shipping` − `shipping_discount`, plus `tax` where prices exclude it.
/// * The figures of the lines add up: their subtotals, discounts, and their tax with `shipping_tax`.
/// * A line's discount is the sum of its [adjustments](Quote::adjustments). The amount of a promotion is the sum of its
///   [shares](Quote::shares).
/// * No amount is negative, and no discount is larger than what it is taken off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct Quote<T = LineId> {
    pub currency: Currency,
    /// Unit price × quantity as listed, over all lines.
    pub subtotal: Money,
    /// The discounts of the lines.
    pub discount: Money,
    /// The shipping fee before discounts.
    pub shipping: Money,
    /// The discounts of the fee.
    pub shipping_discount: Money,
    /// The tax on the discounted fee; part of `tax`.
    pub shipping_tax: Money,
    /// On top of the prices, or contained in them.
    pub tax: Money,
    /// What the customer pays.
    pub total: Money,
    /// In the order of the request.
    pub lines: Vec<QuotedLine<T>>,
    /// The refused codes, in the order given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<RejectedCode>,
    /// The outcomes of all candidates, in the order of the request. [An order](Quote::of_items) keeps some of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explanation: Vec<PromotionOutcome>,
    /// Whether no other combination costs less. `None` unless the selection is [best](super::Selection::Best).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proven_best: Option<bool>,
    /// What each promotion took off each line, in minor units: a row per applied promotion, a cell per line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) shares: Vec<i64>,
}

/// A line and what it costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotedLine<T = LineId> {
    /// The id of the line in the request, or any other `T`.
    pub item: T,
    /// Unit price × quantity as listed.
    pub subtotal: Money,
    /// All discounts, shares of order discounts included.
    pub discount: Money,
    /// The tax on the remainder: on top, or contained.
    pub tax: Money,
    /// What the customer pays for the line: the remainder, plus the tax if prices exclude it.
    pub total: Money,
}

/// What one promotion took off one line, or off the shipping fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Adjustment<'q> {
    pub promotion_id: &'q PromotionId,
    pub amount: Money,
}

/// The part of a discount that falls on one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Share<'q, T = LineId> {
    /// The id of the line in the request, or any other `T`.
    pub item: &'q T,
    pub amount: Money,
}

impl Quote {
    /// The quote that an order keeps: with `items` in place of the lines' ids, in the order of the lines. The explanation has the
    /// promotions that applied and those whose code was given.
    pub fn of_items<T>(self, items: impl IntoIterator<Item = T>) -> Quote<T> {
        let Self { currency, subtotal, discount, shipping, shipping_discount, shipping_tax, tax, total, .. } = self;
        let lines = self.lines.into_iter().zip(items).map(|(line, item)| {
            let QuotedLine { item: _, subtotal, discount, tax, total } = line;
            QuotedLine { item, subtotal, discount, tax, total }
        });
        let lines = lines.collect();
        let Self { rejected, mut explanation, proven_best, shares, .. } = self;
        explanation
            .retain(|explained| explained.code.is_some() || matches!(explained.outcome, Outcome::Applied { .. }));
        Quote {
            currency,
            subtotal,
            discount,
            shipping,
            shipping_discount,
            shipping_tax,
            tax,
            total,
            lines,
            rejected,
            explanation,
            proven_best,
            shares,
        }
    }
}

impl<T> Quote<T> {
    /// The items of the lines.
    pub fn items(&self) -> impl Iterator<Item = &T> {
        self.lines.iter().map(|line| &line.item)
    }

    /// The applied promotions, in the order of the request.
    pub fn applied(&self) -> impl Iterator<Item = Adjustment<'_>> {
        self.explanation.iter().filter_map(|explained| {
            let Outcome::Applied { amount, .. } = explained.outcome else { return None };
            Some(Adjustment { promotion_id: &explained.promotion_id, amount })
        })
    }

    /// What every promotion took off the line at an index of [`lines`](Self::lines), in the order of the request.
    pub fn adjustments(&self, line: usize) -> impl Iterator<Item = Adjustment<'_>> {
        self.explanation.iter().filter_map(move |explained| {
            let cell = self.row(explained)?.get(line).copied()?;
            (cell != 0)
                .then(|| Adjustment { promotion_id: &explained.promotion_id, amount: Money::new(cell, self.currency) })
        })
    }

    /// What every promotion took off the shipping fee.
    pub fn shipping_adjustments(&self) -> impl Iterator<Item = Adjustment<'_>> {
        self.explanation.iter().filter_map(|explained| {
            let Outcome::Applied { amount, off: AppliedTo::Shipping } = explained.outcome else { return None };
            Some(Adjustment { promotion_id: &explained.promotion_id, amount })
        })
    }

    /// What an applied promotion took off each line. Lines without a discount are left out.
    pub fn shares<'q>(&'q self, explained: &PromotionOutcome) -> impl Iterator<Item = Share<'q, T>> {
        let row = self.row(explained).unwrap_or_default();
        self.lines
            .iter()
            .zip(row)
            .filter(|(_, cell)| **cell != 0)
            .map(|(line, cell)| Share { item: &line.item, amount: Money::new(*cell, self.currency) })
    }

    /// Why a code was refused; `None` if it was not.
    pub fn rejection(&self, code: &str) -> Option<CodeRejection> {
        self.rejected.iter().find(|rejected| same_code(&rejected.code, code)).map(|rejected| rejected.reason)
    }

    /// The outcomes of the promotions that have a code.
    pub fn explained<'q>(&'q self, code: &'q str) -> impl Iterator<Item = &'q PromotionOutcome> {
        let has_code =
            move |explained: &&PromotionOutcome| explained.code.as_deref().is_some_and(|known| same_code(known, code));
        self.explanation.iter().filter(has_code)
    }

    /// The outcome of a promotion; `None` if it was no candidate.
    pub fn outcome(&self, promotion: &PromotionId) -> Option<&Outcome> {
        self.explanation
            .iter()
            .find(|explained| explained.promotion_id == *promotion)
            .map(|explained| &explained.outcome)
    }

    fn row(&self, explained: &PromotionOutcome) -> Option<&[i64]> {
        let Outcome::Applied { off: AppliedTo::Lines { turn }, .. } = explained.outcome else { return None };
        let start = turn.checked_mul(self.lines.len())?;
        self.shares.get(start..start.checked_add(self.lines.len())?)
    }
}
