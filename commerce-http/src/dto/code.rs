//! Promotion codes: added to a cart, or tried.

use commerce_core::cart::{Code, MAX_LINES};
use commerce_core::engine::{Basket, CodeCheck};
use commerce_core::ids::CartId;
use commerce_core::money::Currency;
use commerce_core::pricing::{CodeRejection, Outcome, Quote};
use commerce_core::problem::{Findings, Read};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Figure;
use super::cart::NewItem;
use super::quote::{ExplainedDto, QuoteDto};
use super::shape::shape;

/// A promotion code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCode {
    #[schema(value_type = Code)]
    code: String,
}

impl NewCode {
    pub(crate) fn read(self, f: &mut Findings) -> Read<Code> {
        f.parse("code", &self.code)
    }
}

/// A code to try on a cart or on items.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeTrial {
    #[schema(value_type = Code)]
    code: String,
    /// The cart, with the codes that it has.
    cart_id: Option<Uuid>,
    /// Lines at catalog prices, instead of a cart.
    #[schema(min_items = 1, max_items = 500)]
    items: Option<Vec<NewItem>>,
}

impl CodeTrial {
    pub(crate) fn read(self, f: &mut Findings) -> Read<(Code, Basket)> {
        let code = f.parse("code", &self.code);
        let basket = match (self.cart_id, self.items) {
            (Some(cart), None) => Some(Basket::Cart(CartId::new(cart))),
            (None, Some(items)) if (1..=MAX_LINES).contains(&items.len()) => {
                let items = f.field("items", |f| f.list(items, NewItem::read));
                items.map(|items| Basket::Items(items.into_iter().map(|item| (item.sku, item.quantity)).collect()))
            }
            (None, Some(_)) => f.refuse("items", "out_of_range", format_args!("has 1 to {MAX_LINES} lines")),
            _ => f.refuse("", "invalid", "must contain either a cart_id or items"),
        };
        Some((code?, basket?))
    }
}

/// Whether a code works.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Verdict {
    /// Whether the code is valid for the items.
    valid: bool,
    /// Why the code is not valid, or has no effect: `unknown_code`, `expired`, `not_started`, `usage_limit`, `min_spend`,
    /// `not_eligible`; `beaten`, `no_effect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "min_spend")]
    reason: Option<&'static str>,
    /// The reason, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Verdict {
    /// The verdict on a code, from its rejection or the outcomes of its promotions. A valid code without effect has a reason.
    fn of<'o>(rejected: Option<CodeRejection>, mut outcomes: impl Iterator<Item = &'o Outcome>) -> Self {
        if let Some(rejected) = rejected {
            return Self { valid: false, reason: Some(rejected.code()), message: Some(rejected.to_string()) };
        }
        let first = outcomes.next();
        let is_applied = first.into_iter().chain(outcomes).any(|outcome| matches!(outcome, Outcome::Applied { .. }));
        let idle = first.filter(|_| !is_applied);
        Self { valid: true, reason: idle.map(Outcome::code), message: idle.map(ToString::to_string) }
    }
}

/// The result of adding a code to a cart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CodeCheck)]
pub(crate) struct GivenCode<'a> {
    #[serde(flatten)]
    verdict: Verdict,
    /// The current price of the cart.
    quote: QuoteDto<'a>,
}

impl<'a> GivenCode<'a> {
    pub(crate) fn of(code: &Code, quote: &'a Quote) -> Self {
        let outcomes = quote.explained(code.as_str()).map(|explained| &explained.outcome);
        Self { verdict: Verdict::of(quote.rejection(code.as_str()), outcomes), quote: quote.into() }
    }
}

shape! {
    /// The result of trying a code.
    #[schema(as = CodeTrialResult)]
    pub(crate) struct TriedCode<'a> from check: &'a CodeCheck {
        #[serde(flatten)]
        verdict: Verdict = Verdict::of(check.rejected, check.outcomes.iter().map(|explained| &explained.outcome)),
        /// The outcome of each promotion with the code.
        outcomes: Vec<ExplainedDto<'a>> = check.outcomes.iter().map(|entry| ExplainedDto::of(&check.quote, entry)).collect(),
        /// How much less the customer pays with the code.
        saving: Figure = check.saving.into(),
        currency: Currency = check.quote.currency,
        /// The price with the code.
        quote: QuoteDto<'a> = (&check.quote).into(),
    }
}
