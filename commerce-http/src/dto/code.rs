//! Promotion codes: given to a cart, or tried before.

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

/// A promotion code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCode {
    #[schema(max_length = 64)]
    code: String,
}

impl NewCode {
    pub(crate) fn read(self, f: &mut Findings) -> Read<Code> {
        f.parse("code", &self.code)
    }
}

/// A code to try: on a cart, or on items.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeTrial {
    #[schema(max_length = 64)]
    code: String,
    /// The cart to try it on, beside the codes it has.
    cart_id: Option<Uuid>,
    /// Or 1 to 500 lines, at catalog prices.
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
            _ => f.refuse("", "invalid", "name either a cart_id or items"),
        };
        Some((code?, basket?))
    }
}

/// Whether a code works.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Verdict {
    /// Whether the code is one that holds for what is bought.
    valid: bool,
    /// Why it is not, or why it takes nothing off: `unknown_code`, `expired`, `not_started`, `usage_limit`, `min_spend`,
    /// `not_eligible`; `beaten`, `no_effect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "min_spend")]
    reason: Option<&'static str>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Verdict {
    /// What is said of a code that was refused, or of what became of the promotions that have it. A code that holds and
    /// takes nothing off says why.
    fn of(rejected: Option<CodeRejection>, outcomes: &[&Outcome]) -> Self {
        if let Some(rejected) = rejected {
            return Self { valid: false, reason: Some(rejected.code()), message: Some(rejected.to_string()) };
        }
        let is_applied = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Applied { .. }));
        let idle = outcomes.first().filter(|_| !is_applied);
        Self { valid: true, reason: idle.map(|idle| idle.code()), message: idle.map(ToString::to_string) }
    }
}

/// What became of a code that was given to a cart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CodeCheck)]
pub(crate) struct GivenCode<'a> {
    #[serde(flatten)]
    verdict: Verdict,
    /// What the cart costs now.
    quote: QuoteDto<'a>,
}

impl<'a> GivenCode<'a> {
    pub(crate) fn of(code: &Code, quote: &'a Quote) -> Self {
        let outcomes: Vec<_> = quote.explained(code.as_str()).map(|explained| &explained.outcome).collect();
        Self { verdict: Verdict::of(quote.rejection(code.as_str()), &outcomes), quote: quote.into() }
    }
}

/// What a code would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CodeTrialResult)]
pub(crate) struct TriedCode<'a> {
    #[serde(flatten)]
    verdict: Verdict,
    /// What became of each promotion that has the code, with what is missing where something is.
    outcomes: Vec<ExplainedDto<'a>>,
    /// What the customer pays less for giving the code.
    saving: Figure,
    #[schema(example = "USD")]
    currency: Currency,
    /// The price with the code.
    quote: QuoteDto<'a>,
}

impl<'a> From<&'a CodeCheck> for TriedCode<'a> {
    fn from(check: &'a CodeCheck) -> Self {
        let outcomes: Vec<_> = check.outcomes.iter().map(|explained| &explained.outcome).collect();
        Self {
            verdict: Verdict::of(check.rejected, &outcomes),
            outcomes: check.outcomes.iter().map(|entry| ExplainedDto::of(&check.quote, entry)).collect(),
            saving: check.saving.into(),
            currency: check.quote.currency,
            quote: (&check.quote).into(),
        }
    }
}
