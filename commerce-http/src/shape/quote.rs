//! The answer of pricing, as the document of this interface describes it. The core writes it itself.

#![expect(dead_code, reason = "describes what the core writes")]

use utoipa::ToSchema;

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

/// What became of one promotion; further members depend on the outcome.
#[derive(Debug, ToSchema)]
pub(crate) struct QuoteExplanation {
    promotion_id: String,
    code: Option<String>,
    /// `applied`, `not_met`, `beaten`, `no_effect`, `limited`, `expired` or `not_started`.
    outcome: String,
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
