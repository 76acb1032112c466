//! Promotion codes: given to a cart, or tried before.

use commerce_core::cart::{Code, MAX_LINES};
use commerce_core::engine::{Basket, CodeCheck};
use commerce_core::ids::CartId;
use commerce_core::money::Currency;
use commerce_core::pricing::{CodeRejection, Outcome, PromotionOutcome, Quote};
use commerce_core::promotion::code_key;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Figure;
use super::cart::NewItem;
use super::quote::{Explanation, QuoteExplanation, QuoteShape};
use super::reader::{Read, Reader};

/// A promotion code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCode {
    #[schema(max_length = 64)]
    code: String,
}

impl NewCode {
    /// The code.
    pub(crate) fn read(self, reader: &mut Reader) -> Read<Code> {
        reader.parse("code", &self.code)
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
    /// The code, and what it is tried on.
    pub(crate) fn read(self, reader: &mut Reader) -> Read<(Code, Basket)> {
        let code = reader.parse("code", &self.code);
        let basket = match (self.cart_id, self.items) {
            (Some(cart), None) => Ok(Basket::Cart(CartId::new(cart))),
            (None, Some(items)) if (1..=MAX_LINES).contains(&items.len()) => {
                reader.each("items", items, NewItem::read).map(Basket::Items)
            }
            (None, Some(_)) => Err(reader.note("items", "out_of_range", format_args!("has 1 to {MAX_LINES} lines"))),
            _ => Err(reader.note("", "invalid", "name either a cart_id or items")),
        };
        Ok((code?, basket?))
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
    #[schema(value_type = Option<String>, example = "min_spend")]
    reason: Option<serde_json::Value>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Verdict {
    /// What is said of a code that was refused, or of what became of the promotions that have it. A code that holds and
    /// takes nothing off says why.
    fn of<'q>(rejected: Option<CodeRejection>, outcomes: impl Iterator<Item = &'q Outcome> + Clone) -> Self {
        if let Some(rejected) = rejected {
            let reason = serde_json::to_value(rejected).ok();
            return Self { valid: false, reason, message: Some(rejected.to_string()) };
        }
        let is_applied = outcomes.clone().any(|outcome| matches!(outcome, Outcome::Applied { .. }));
        let idle = outcomes.into_iter().next().filter(|_| !is_applied);
        Self { valid: true, reason: idle.map(|idle| idle.code().into()), message: idle.map(ToString::to_string) }
    }
}

/// What became of a code that was given to a cart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CodeCheck)]
pub(crate) struct GivenCode<'a> {
    #[serde(flatten)]
    verdict: Verdict,
    /// What the cart costs now.
    #[schema(value_type = QuoteShape)]
    quote: &'a Quote,
}

impl<'a> GivenCode<'a> {
    /// What a quote says of a code.
    pub(crate) fn of(code: &Code, quote: &'a Quote) -> Self {
        let key = code_key(code.as_str());
        let rejected = quote.rejected.iter().find(|rejected| code_key(&rejected.code) == key);
        let has_code =
            |explained: &&PromotionOutcome| explained.code.as_deref().is_some_and(|known| code_key(known) == key);
        let outcomes = quote.explanation.iter().filter(has_code).map(|explained| &explained.outcome);
        Self { verdict: Verdict::of(rejected.map(|rejected| rejected.reason), outcomes), quote }
    }
}

/// What a code would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CodeTrialResult)]
pub(crate) struct TriedCode<'a> {
    #[serde(flatten)]
    verdict: Verdict,
    /// What became of each promotion that has the code, with what is missing where something is.
    #[schema(value_type = Vec<QuoteExplanation>)]
    outcomes: Explanation<'a>,
    /// What the customer pays less for giving the code.
    saving: Figure,
    #[schema(value_type = String, example = "USD")]
    currency: Currency,
    /// The price with the code.
    #[schema(value_type = QuoteShape)]
    quote: &'a Quote,
}

impl<'a> From<&'a CodeCheck> for TriedCode<'a> {
    fn from(check: &'a CodeCheck) -> Self {
        let outcomes = check.outcomes.iter().map(|explained| &explained.outcome);
        Self {
            verdict: Verdict::of(check.rejected, outcomes),
            outcomes: Explanation { quote: &check.quote, entries: &check.outcomes },
            saving: check.saving.into(),
            currency: check.quote.currency,
            quote: &check.quote,
        }
    }
}
