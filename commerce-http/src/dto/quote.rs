//! The answer of pricing, as `PRICING.md` writes it: with the sentences for people.

use chrono::{DateTime, Utc, Weekday};
use commerce_core::ids::PromotionId;
use commerce_core::money::{Currency, Money};
use commerce_core::order::OrderItem;
use commerce_core::pricing::{
    Adjustment, AppliedTo, CodeRejection, LineId, NoEffect, Outcome, PromotionOutcome, Quote, QuotedLine, RejectedCode,
    UnmetCondition,
};
use commerce_core::promotion::Limit;
use serde::Serialize;
use utoipa::ToSchema;

use super::Figure;
use super::promotion::{ConditionDto, FilterDto};

/// What is to be paid, split to the minor unit, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Quote)]
pub struct QuoteDto<'q> {
    #[schema(example = "USD")]
    currency: Currency,
    /// Unit price × quantity as listed, over all lines.
    subtotal: Figure,
    /// What promotions took off the lines.
    discount: Figure,
    /// The shipping fee before discounts.
    shipping: Figure,
    /// What promotions took off the fee.
    shipping_discount: Figure,
    /// The tax on the discounted fee; part of `tax`.
    shipping_tax: Figure,
    /// The tax, on top of the prices or contained in them.
    tax: Figure,
    /// What the customer pays.
    total: Figure,
    lines: Vec<QuotedLineDto<'q>>,
    /// The promotions that gave something.
    applied: Vec<&'q PromotionId>,
    /// The codes that were refused.
    rejected: Vec<RejectedCodeDto<'q>>,
    /// What became of every promotion that could have applied.
    explanation: Vec<ExplainedDto<'q>>,
    /// Whether no other combination costs less, where the best one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    proven_best: Option<bool>,
}

/// What one line costs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuoteLine)]
pub struct QuotedLineDto<'q> {
    id: &'q LineId,
    subtotal: Figure,
    discount: Figure,
    tax: Figure,
    total: Figure,
    adjustments: Vec<AdjustmentDto<'q>>,
}

/// What one promotion took off one line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Adjustment)]
pub struct AdjustmentDto<'q> {
    promotion_id: &'q PromotionId,
    amount: Figure,
}

/// A code that was refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuoteRejection)]
pub struct RejectedCodeDto<'q> {
    code: &'q str,
    /// `unknown_code`, `expired`, `not_started`, `usage_limit`, `min_spend` or `not_eligible`.
    reason: CodeRejection,
    message: String,
}

/// What became of one promotion; which members it has depends on the outcome.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuoteExplanation)]
pub struct ExplainedDto<'q> {
    promotion_id: &'q PromotionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'q str>,
    #[serde(flatten)]
    outcome: OutcomeDto<'q>,
    /// The same for people.
    message: String,
}

/// What became of a promotion.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[schema(as = QuoteOutcome)]
#[expect(missing_docs, reason = "the outcomes of the core have these names")]
pub enum OutcomeDto<'q> {
    Applied {
        /// What it took off.
        amount: Figure,
        #[serde(flatten)]
        target: AppliedToDto<'q>,
    },
    NotMet {
        /// The conditions that do not hold, each with what is missing.
        unmet: Vec<UnmetDto<'q>>,
    },
    #[serde(rename = "beaten")]
    Superseded {
        /// The promotions that applied instead.
        by: &'q [PromotionId],
        /// What it would have taken off alone.
        would_save: Figure,
        /// What the others took off beyond that.
        by_amount: Figure,
    },
    NoEffect {
        /// `nothing_matches`, `nothing_left`, `too_few_units` or `nothing_to_take_off`.
        reason: NoEffect,
    },
    Limited {
        /// `uses`, `uses_per_customer` or `budget`.
        limit: Limit,
    },
    Expired {
        ends_at: DateTime<Utc>,
    },
    NotStarted {
        starts_at: DateTime<Utc>,
    },
}

/// What an applied promotion took something off.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "target", rename_all = "snake_case")]
#[schema(as = QuoteTarget)]
#[expect(missing_docs, reason = "the targets of the core have these names")]
pub enum AppliedToDto<'q> {
    Lines {
        /// Its turn among the promotions that took something off the lines, from 0.
        turn: usize,
        /// The amount per line; lines that got nothing are left out.
        lines: Vec<ShareDto<'q>>,
    },
    Shipping,
}

/// What one promotion took off one line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuoteShare)]
pub struct ShareDto<'q> {
    #[schema(value_type = String)]
    id: IdOfLine<'q>,
    amount: Figure,
}

/// How a line is named: by the request, or as an item of an order.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum IdOfLine<'q> {
    Request(&'q LineId),
    Item(commerce_core::ids::ItemId),
}

impl<'q> From<&'q LineId> for IdOfLine<'q> {
    fn from(id: &'q LineId) -> Self {
        Self::Request(id)
    }
}

impl<'q> From<&'q OrderItem> for IdOfLine<'q> {
    fn from(item: &'q OrderItem) -> Self {
        Self::Item(item.id)
    }
}

/// A condition that does not hold, and what is missing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuoteGap)]
pub struct UnmetDto<'q> {
    #[serde(flatten)]
    gap: GapDto<'q>,
    /// The same for people.
    #[schema(example = "Spend 12.50 USD more to reach 50.00 USD.")]
    message: String,
}

/// What is missing for a condition.
#[expect(clippy::use_self, reason = "utoipa does not know Self")]
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = QuoteCondition)]
#[expect(missing_docs, reason = "the conditions of the core have these names and fields")]
pub enum GapDto<'q> {
    MinSpend {
        required: Figure,
        missing: Figure,
        #[serde(skip_serializing_if = "Option::is_none")]
        filter: Option<FilterDto>,
    },
    MinQuantity {
        required: i64,
        missing: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        filter: Option<FilterDto>,
    },
    Contains {
        filter: FilterDto,
    },
    Segment {
        any: &'q [String],
    },
    FirstOrder {
        completed_orders: u32,
    },
    NthOrder {
        n: u32,
        completed_orders: u32,
    },
    ShippingMethod {
        any: &'q [String],
        #[serde(skip_serializing_if = "Option::is_none")]
        chosen: Option<&'q str>,
    },
    Weekday {
        any: Vec<String>,
    },
    All {
        #[schema(no_recursion)]
        unmet: Vec<GapDto<'q>>,
    },
    Any {
        #[schema(no_recursion)]
        unmet: Vec<GapDto<'q>>,
    },
    Not {
        condition: Box<ConditionDto>,
    },
}

impl<'q> From<&'q Quote> for QuoteDto<'q> {
    fn from(quote: &'q Quote) -> Self {
        let line = |(at, line): (usize, &'q QuotedLine)| QuotedLineDto {
            id: &line.item,
            subtotal: line.subtotal.into(),
            discount: line.discount.into(),
            tax: line.tax.into(),
            total: line.total.into(),
            adjustments: quote.adjustments(at).map(AdjustmentDto::from).collect(),
        };
        Self {
            currency: quote.currency,
            subtotal: quote.subtotal.into(),
            discount: quote.discount.into(),
            shipping: quote.shipping.into(),
            shipping_discount: quote.shipping_discount.into(),
            shipping_tax: quote.shipping_tax.into(),
            tax: quote.tax.into(),
            total: quote.total.into(),
            lines: quote.lines.iter().enumerate().map(line).collect(),
            applied: quote.applied().map(|applied| applied.promotion_id).collect(),
            rejected: quote.rejected.iter().map(RejectedCodeDto::from).collect(),
            explanation: quote.explanation.iter().map(|entry| ExplainedDto::of(quote, entry)).collect(),
            proven_best: quote.proven_best,
        }
    }
}

impl<'q> From<Adjustment<'q>> for AdjustmentDto<'q> {
    fn from(Adjustment { promotion_id, amount }: Adjustment<'q>) -> Self {
        Self { promotion_id, amount: amount.into() }
    }
}

impl<'q> From<&'q RejectedCode> for RejectedCodeDto<'q> {
    fn from(RejectedCode { code, reason }: &'q RejectedCode) -> Self {
        Self { code, reason: *reason, message: reason.to_string() }
    }
}

impl<'q> ExplainedDto<'q> {
    /// An entry of the explanation of a quote, which has the amounts per line.
    pub(crate) fn of<T>(quote: &'q Quote<T>, entry: &'q PromotionOutcome) -> Self
    where
        IdOfLine<'q>: From<&'q T>,
    {
        let PromotionOutcome { promotion_id, code, outcome } = entry;
        let message = outcome.to_string();
        let outcome = match outcome {
            Outcome::Applied { amount, off } => {
                let share = |(item, amount): (&'q T, Money)| ShareDto { id: item.into(), amount: amount.into() };
                let shares = || quote.shares(entry).map(|shared| share((shared.item, shared.amount))).collect();
                let target = match off {
                    AppliedTo::Lines { turn } => AppliedToDto::Lines { turn: *turn, lines: shares() },
                    AppliedTo::Shipping => AppliedToDto::Shipping,
                };
                OutcomeDto::Applied { amount: (*amount).into(), target }
            }
            Outcome::ConditionsNotMet { unmet } => {
                OutcomeDto::NotMet { unmet: unmet.iter().map(UnmetDto::from).collect() }
            }
            Outcome::Superseded { by, would_save, by_amount } => {
                OutcomeDto::Superseded { by, would_save: (*would_save).into(), by_amount: (*by_amount).into() }
            }
            Outcome::NoEffect { reason } => OutcomeDto::NoEffect { reason: *reason },
            Outcome::LimitReached { limit } => OutcomeDto::Limited { limit: *limit },
            Outcome::Expired { ends_at } => OutcomeDto::Expired { ends_at: *ends_at },
            Outcome::NotStarted { starts_at } => OutcomeDto::NotStarted { starts_at: *starts_at },
        };
        Self { promotion_id, code: code.as_deref(), outcome, message }
    }
}

impl<'q> From<&'q UnmetCondition> for UnmetDto<'q> {
    fn from(unmet: &'q UnmetCondition) -> Self {
        Self { gap: unmet.into(), message: unmet.to_string() }
    }
}

impl<'q> From<&'q UnmetCondition> for GapDto<'q> {
    fn from(unmet: &'q UnmetCondition) -> Self {
        let days = |days: &[Weekday]| days.iter().map(|day| day.to_string().to_ascii_lowercase()).collect();
        let all = |unmet: &'q [UnmetCondition]| unmet.iter().map(Self::from).collect();
        match unmet {
            UnmetCondition::MinSpend { required, missing, filter } => Self::MinSpend {
                required: (*required).into(),
                missing: (*missing).into(),
                filter: filter.as_ref().map(FilterDto::from),
            },
            UnmetCondition::MinQuantity { required, missing, filter } => Self::MinQuantity {
                required: required.get(),
                missing: *missing,
                filter: filter.as_ref().map(FilterDto::from),
            },
            UnmetCondition::Contains { filter } => Self::Contains { filter: filter.into() },
            UnmetCondition::Segment { any } => Self::Segment { any },
            UnmetCondition::FirstOrder { completed_orders } => Self::FirstOrder { completed_orders: *completed_orders },
            UnmetCondition::NthOrder { n, completed_orders } => {
                Self::NthOrder { n: *n, completed_orders: *completed_orders }
            }
            UnmetCondition::ShippingMethod { any, chosen } => Self::ShippingMethod { any, chosen: chosen.as_deref() },
            UnmetCondition::Weekday { any } => Self::Weekday { any: days(any) },
            UnmetCondition::All { unmet } => Self::All { unmet: all(unmet) },
            UnmetCondition::Any { unmet } => Self::Any { unmet: all(unmet) },
            UnmetCondition::Not { condition } => Self::Not { condition: Box::new((&**condition).into()) },
        }
    }
}
