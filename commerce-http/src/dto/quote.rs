//! The answer of pricing, as the document of this interface describes it. The core writes it itself.

#![expect(dead_code, reason = "describes what the core writes")]

use commerce_core::pricing::{PromotionOutcome, Quote};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// What became of promotions in a quote, each as the quote itself shows it.
#[derive(Debug)]
pub(crate) struct Explanation<'q> {
    /// The quote, which has the amounts per line.
    pub(crate) quote: &'q Quote,
    /// All of its entries, or some.
    pub(crate) entries: &'q [PromotionOutcome],
}

impl<'q> From<&'q Quote> for Explanation<'q> {
    fn from(quote: &'q Quote) -> Self {
        Self { quote, entries: &quote.explanation }
    }
}

impl Serialize for Explanation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.entries.iter().map(|entry| self.quote.explained(entry)))
    }
}

/// What is to be paid, split to the minor unit, and why.
#[derive(Debug, ToSchema)]
#[schema(as = Quote)]
pub(crate) struct QuoteShape {
    #[schema(example = "USD")]
    currency: String,
    /// Unit price × quantity as listed, over all lines.
    #[schema(example = "59.98")]
    subtotal: String,
    /// What promotions took off the lines.
    discount: String,
    /// The shipping fee before discounts.
    shipping: String,
    /// What promotions took off the fee.
    shipping_discount: String,
    /// The tax on the discounted fee; part of `tax`.
    shipping_tax: String,
    /// The tax, on top of the prices or contained in them.
    tax: String,
    /// What the customer pays.
    total: String,
    lines: Vec<QuoteLine>,
    /// The promotions that gave something.
    applied: Vec<String>,
    /// The codes that were refused.
    rejected: Vec<QuoteRejection>,
    /// What became of every promotion that could have applied.
    explanation: Vec<QuoteExplanation>,
    /// Whether no other combination costs less, where the best one was asked for.
    proven_best: Option<bool>,
}

/// What one line costs.
#[derive(Debug, ToSchema)]
pub(crate) struct QuoteLine {
    id: String,
    subtotal: String,
    discount: String,
    tax: String,
    total: String,
    adjustments: Vec<AdjustmentSchema>,
}

/// What one promotion took off.
#[derive(Debug, ToSchema)]
#[schema(as = QuoteAdjustment)]
pub(crate) struct AdjustmentSchema {
    promotion_id: String,
    amount: String,
}

/// A code that was refused.
#[derive(Debug, ToSchema)]
pub(crate) struct QuoteRejection {
    code: String,
    /// `unknown_code`, `expired`, `not_started`, `usage_limit`, `min_spend` or `not_eligible`.
    reason: String,
    message: String,
}

/// What became of one promotion; which members it has depends on the outcome.
#[derive(Debug, ToSchema)]
pub(crate) struct QuoteExplanation {
    promotion_id: String,
    code: Option<String>,
    /// `applied`, `not_met`, `beaten`, `no_effect`, `limited`, `expired` or `not_started`.
    #[schema(example = "applied")]
    outcome: String,
    /// Of `applied`: what it took off.
    #[schema(example = "5.00")]
    amount: Option<String>,
    /// Of `applied`: off what, `lines` or `shipping`.
    target: Option<String>,
    /// Of `applied` to lines: its turn among them, from 0.
    turn: Option<u64>,
    /// Of `applied` to lines: the amount per line.
    lines: Option<Vec<QuoteShare>>,
    /// Of `not_met`: the conditions that do not hold, each with what is missing.
    unmet: Option<Vec<QuoteGap>>,
    /// Of `beaten`: the promotions that applied instead.
    by: Option<Vec<String>>,
    /// Of `beaten`: what it would have taken off alone.
    would_save: Option<String>,
    /// Of `beaten`: what the others took off beyond that.
    by_amount: Option<String>,
    /// Of `no_effect`: `nothing_matches`, `nothing_left`, `too_few_units` or `nothing_to_take_off`.
    reason: Option<String>,
    /// Of `limited`: `uses`, `uses_per_customer` or `budget`.
    limit: Option<String>,
    /// Of `expired`.
    ends_at: Option<chrono::DateTime<chrono::Utc>>,
    /// Of `not_started`.
    starts_at: Option<chrono::DateTime<chrono::Utc>>,
    /// The same for people.
    message: String,
}

/// What one promotion took off one line.
#[derive(Debug, ToSchema)]
pub(crate) struct QuoteShare {
    id: String,
    amount: String,
}

/// A condition that does not hold, and what is missing; which members it has depends on its type.
#[derive(Debug, ToSchema)]
pub(crate) struct QuoteGap {
    /// The type of the condition.
    #[schema(example = "min_spend")]
    r#type: String,
    /// Of `min_spend` the amount, of `min_quantity` the units that are needed.
    #[schema(value_type = Option<String>, example = "50.00")]
    required: Option<serde_json::Value>,
    /// Of `min_spend` the amount, of `min_quantity` the units that are missing.
    #[schema(value_type = Option<String>, example = "12.50")]
    missing: Option<serde_json::Value>,
    /// The same for people.
    #[schema(example = "Spend 12.50 USD more to reach 50.00 USD.")]
    message: String,
}

/// What is to be priced; amounts may be texts or numbers, and unknown fields are refused.
#[derive(Debug, ToSchema)]
#[schema(as = QuoteRequest)]
pub(crate) struct QuoteRequestShape {
    #[schema(example = "USD")]
    currency: String,
    /// The instant the price is for.
    at: chrono::DateTime<chrono::Utc>,
    lines: Vec<QuoteRequestLine>,
    codes: Option<Vec<String>>,
    /// `exact` or `ignore_case`.
    code_matching: Option<String>,
    customer: Option<serde_json::Value>,
    shipping: Option<serde_json::Value>,
    tax: Option<serde_json::Value>,
    promotions: Option<Vec<serde_json::Value>>,
    /// `priority` or `best`.
    selection: Option<String>,
    /// `line` or `order`.
    tax_level: Option<String>,
    /// `half_away_from_zero`, `half_even` or `down`.
    rounding: Option<String>,
}

/// A line to be priced.
#[derive(Debug, ToSchema)]
pub(crate) struct QuoteRequestLine {
    id: String,
    sku: String,
    #[schema(minimum = 1, maximum = 1_000_000)]
    quantity: i64,
    #[schema(example = "9.99")]
    unit_price: String,
    categories: Option<Vec<String>>,
    tax_category: Option<String>,
}
