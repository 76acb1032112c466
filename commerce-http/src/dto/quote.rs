//! The pricing response, with sentences for people.

use chrono::{DateTime, Utc};
use commerce_core::ids::PromotionId;
use commerce_core::money::{Currency, Money};
use commerce_core::order::OrderItem;
use commerce_core::pricing::{
    Adjustment, AppliedTo, CodeRejection, LineId, NoEffect, Outcome, PromotionOutcome, Quote, QuotedLine, RejectedCode,
    UnmetCondition,
};
use commerce_core::promotion::Limit;
use serde::Serialize;
use serde_with_macros::skip_serializing_none;
use utoipa::ToSchema;

use super::Figure;
use super::promotion::{ConditionDto, FilterDto, days};
use super::shape::shape;

shape! {
    /// A price with its explanation.
    #[schema(as = Quote)]
    pub struct QuoteDto<'q> from quote: &'q Quote {
        currency: Currency = quote.currency,
        /// Unit price × quantity as listed, of all lines.
        subtotal: Figure = quote.subtotal.into(),
        /// The discounts on the lines.
        discount: Figure = quote.discount.into(),
        /// The shipping fee before discounts.
        shipping: Figure = quote.shipping.into(),
        /// The discounts on the fee.
        shipping_discount: Figure = quote.shipping_discount.into(),
        /// The tax on the discounted fee; part of `tax`.
        shipping_tax: Figure = quote.shipping_tax.into(),
        /// The tax, in addition to the prices or included in them.
        tax: Figure = quote.tax.into(),
        /// The amount that the customer pays.
        total: Figure = quote.total.into(),
        lines: Vec<QuotedLineDto<'q>> = lines(quote),
        /// The promotions that gave a discount.
        applied: Vec<&'q PromotionId> = quote.applied().map(|applied| applied.promotion_id).collect(),
        /// The codes that were refused.
        rejected: Vec<RejectedCodeDto<'q>> = quote.rejected.iter().map(RejectedCodeDto::from).collect(),
        /// The outcome of every candidate.
        explanation: Vec<ExplainedDto<'q>> = ExplainedDto::all(quote),
        /// Whether no other combination costs less. Only with the selection `best`.
        proven_best: Option<bool> = quote.proven_best,
    }
}

shape! {
    /// The price of a line.
    #[schema(as = QuoteLine)]
    pub struct QuotedLineDto<'q> from (quote, at, line): (&'q Quote, usize, &'q QuotedLine) {
        id: &'q LineId = &line.item,
        subtotal: Figure = line.subtotal.into(),
        discount: Figure = line.discount.into(),
        tax: Figure = line.tax.into(),
        total: Figure = line.total.into(),
        adjustments: Vec<AdjustmentDto<'q>> = quote.adjustments(at).map(AdjustmentDto::from).collect(),
    }
}

shape! {
    /// The discount of one promotion on a line.
    #[schema(as = Adjustment)]
    pub struct AdjustmentDto<'q> from adjustment: Adjustment<'q> {
        promotion_id: &'q PromotionId = adjustment.promotion_id,
        amount: Figure = adjustment.amount.into(),
    }
}

shape! {
    /// A refused code.
    #[schema(as = QuoteRejection)]
    pub struct RejectedCodeDto<'q> from rejected: &'q RejectedCode {
        code: &'q str = &rejected.code,
        reason: CodeRejection = rejected.reason,
        message: String = rejected.reason.to_string(),
    }
}

/// The outcome of a promotion. Its members depend on the outcome.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuoteExplanation)]
pub struct ExplainedDto<'q> {
    promotion_id: &'q PromotionId,
    code: Option<&'q str>,
    #[serde(flatten)]
    outcome: OutcomeDto<'q>,
    /// The outcome, for people.
    message: String,
}

/// The outcome of a promotion.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[schema(as = QuoteOutcome)]
#[expect(missing_docs, reason = "the outcomes of the core have these names")]
pub enum OutcomeDto<'q> {
    Applied {
        /// The discount.
        amount: Figure,
        #[serde(flatten)]
        target: AppliedToDto<'q>,
    },
    NotMet {
        /// The conditions that do not hold.
        unmet: Vec<UnmetDto<'q>>,
    },
    #[serde(rename = "beaten")]
    Superseded {
        /// The promotions that applied instead.
        by: &'q [PromotionId],
        /// The discount that it would have given alone.
        would_save: Figure,
        /// The additional discount of the others.
        by_amount: Figure,
    },
    NoEffect {
        reason: NoEffect,
    },
    Limited {
        limit: Limit,
    },
    Expired {
        ends_at: DateTime<Utc>,
    },
    NotStarted {
        starts_at: DateTime<Utc>,
    },
}

/// The parts of an order that a promotion was applied to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "target", rename_all = "snake_case")]
#[schema(as = QuoteTarget)]
#[expect(missing_docs, reason = "the targets of the core have these names")]
pub enum AppliedToDto<'q> {
    Lines {
        /// The position among the promotions on lines, from 0.
        turn: usize,
        /// The discounts by line, without those of zero.
        lines: Vec<ShareDto<'q>>,
    },
    Shipping,
}

/// The discount of one promotion on a line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuoteShare)]
pub struct ShareDto<'q> {
    #[schema(value_type = String)]
    id: IdOfLine<'q>,
    amount: Figure,
}

/// The id of a line of the request, or of an item of an order.
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

shape! {
    /// A condition that does not hold, and what is missing.
    #[schema(as = QuoteGap)]
    pub struct UnmetDto<'q> from unmet: &'q UnmetCondition {
        #[serde(flatten)]
        gap: GapDto<'q> = unmet.into(),
        /// The condition, for people.
        #[schema(example = "Spend 12.50 USD more to reach 50.00 USD.")]
        message: String = unmet.to_string(),
    }
}

/// What is missing for a condition.
#[skip_serializing_none]
#[expect(clippy::use_self, reason = "utoipa does not know Self")]
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = QuoteCondition)]
#[expect(missing_docs, reason = "the conditions of the core have these names and fields")]
pub enum GapDto<'q> {
    MinSpend {
        required: Figure,
        missing: Figure,
        filter: Option<FilterDto>,
    },
    MinQuantity {
        required: i64,
        missing: i64,
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

fn lines(quote: &Quote) -> Vec<QuotedLineDto<'_>> {
    quote.lines.iter().enumerate().map(|(at, line)| (quote, at, line).into()).collect()
}

impl<'q> ExplainedDto<'q> {
    /// The explanation of a quote.
    pub(crate) fn all<T>(quote: &'q Quote<T>) -> Vec<Self>
    where
        IdOfLine<'q>: From<&'q T>,
    {
        quote.explanation.iter().map(|entry| Self::of(quote, entry)).collect()
    }

    /// An entry of the explanation of a quote, with the discounts by line.
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

impl<'q> From<&'q UnmetCondition> for GapDto<'q> {
    fn from(unmet: &'q UnmetCondition) -> Self {
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
