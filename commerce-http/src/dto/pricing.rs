//! What is to be priced, as `PRICING.md` writes it.

use commerce_core::money::{Currency, Rounding};
use commerce_core::pricing::{
    Buyer, CodeMatching, Line, MAX_CATEGORIES, MAX_CODES, MAX_LINES, MAX_PROMOTIONS, MAX_RATES, MAX_SEGMENTS, Request,
    Selection, Shipping, Tax, TaxLevel, TaxRate,
};
use commerce_core::problem::{Findings, ProblemKind, Problems, Read};
use commerce_core::promotion::MAX_CODE;
use serde::Deserialize;
use serde_json::Number;
use utoipa::ToSchema;

use super::leaf::{
    A_CATEGORY, A_SKU, DecimalDto, all, count, currency, instant, list, name, optional, parsed, quantity, required,
    text, usual,
};
use super::promotion::PromotionDto;
use super::{Refused, read};

/// What is to be priced. Unknown fields are refused; amounts may be texts or numbers.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteRequest)]
pub struct RequestDto {
    /// The currency of every amount.
    #[schema(value_type = String, example = "USD")]
    pub currency: Option<String>,
    /// The instant the price is for.
    #[schema(value_type = DateTime<Utc>)]
    pub at: Option<String>,
    /// What is bought; at most 500 lines.
    #[schema(value_type = Vec<LineDto>)]
    pub lines: Option<Vec<LineDto>>,
    /// The codes the buyer gave; at most 20.
    pub codes: Option<Vec<String>>,
    /// How codes compare: `exact` or `ignore_case`.
    pub code_matching: Option<CodeMatching>,
    /// Who buys.
    pub customer: Option<CustomerDto>,
    /// How it is shipped.
    pub shipping: Option<ShippingDto>,
    /// The taxes.
    pub tax: Option<TaxDto>,
    /// Every promotion there is, in the order that settles equal priorities; at most 1,000.
    pub promotions: Option<Vec<PromotionDto>>,
    /// Which of the promotions that could apply do: `priority` or `best`.
    pub selection: Option<Selection>,
    /// Where tax is rounded: `line` or `order`.
    pub tax_level: Option<TaxLevel>,
    /// How figures are rounded: `half_away_from_zero`, `half_even` or `down`.
    pub rounding: Option<Rounding>,
}

/// A line to be priced.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteRequestLine)]
pub struct LineDto {
    /// Its name in the request, which the answer repeats.
    #[schema(value_type = String, max_length = 64)]
    pub id: Option<String>,
    /// What is sold.
    #[schema(value_type = String, max_length = 64)]
    pub sku: Option<String>,
    /// The number of units.
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000)]
    pub quantity: Option<Number>,
    /// The listed price of one.
    #[schema(value_type = String, example = "9.99")]
    pub unit_price: Option<DecimalDto>,
    /// The categories of the product; at most 50.
    pub categories: Option<Vec<String>>,
    /// What it is taxed as; untaxed when absent.
    pub tax_category: Option<String>,
}

/// Who buys, as far as promotions ask.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteRequestCustomer)]
pub struct CustomerDto {
    /// The segments they are in; at most 100.
    pub segments: Option<Vec<String>>,
    /// The orders they have completed so far.
    #[schema(value_type = Option<u32>)]
    pub completed_orders: Option<Number>,
}

/// The chosen way of shipping.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteRequestShipping)]
pub struct ShippingDto {
    /// Its name.
    #[schema(value_type = String)]
    pub method: Option<String>,
    /// The fee before discounts.
    #[schema(value_type = String, example = "4.95")]
    pub amount: Option<DecimalDto>,
    /// What the fee is taxed as; untaxed when absent.
    pub tax_category: Option<String>,
}

/// The taxes of a place.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteRequestTax)]
pub struct TaxDto {
    /// Whether listed prices and fees already contain the tax.
    #[schema(default = false)]
    pub prices_include_tax: Option<bool>,
    /// The rates, at most 100; those of one category add up.
    pub rates: Option<Vec<TaxRateDto>>,
}

/// One rate of a tax category.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteRequestTaxRate)]
pub struct TaxRateDto {
    /// The category.
    #[schema(value_type = String)]
    pub tax_category: Option<String>,
    /// The share of the net price: 0.20 is 20 %.
    #[schema(value_type = String, example = "0.20")]
    pub rate: Option<DecimalDto>,
}

/// Reads the JSON of a request to price.
///
/// ```
/// use commerce_core::pricing::price;
/// use commerce_http::dto::pricing::read_request;
///
/// let request = read_request(
///     br#"{ "currency": "EUR", "at": "2026-01-15T12:00:00Z", "codes": ["TEN"],
///           "lines": [{ "id": "1", "sku": "MUG", "quantity": 3, "unit_price": "9.99" }],
///           "promotions": [{ "id": "ten", "code": "TEN",
///               "effect": { "type": "percent_off", "target": "order", "percent": "10" } }] }"#,
/// )?;
/// let quote = price(&request)?;
/// assert_eq!(quote.total.to_string(), "26.97 EUR");
/// assert_eq!(quote.explanation[0].outcome.to_string(), "Takes 3.00 EUR off.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Refused`], with every value that is not valid.
pub fn read_request(json: &[u8]) -> Result<Request, Refused> {
    Ok(read::<RequestDto>(json)?.read()?)
}

impl RequestDto {
    /// The request.
    ///
    /// # Errors
    /// Every value that is not valid.
    pub fn read(self) -> Result<Request, Problems> {
        let mut findings = Findings::default();
        let request = self.into_domain(&mut findings);
        findings.finish(request)
    }

    fn into_domain(self, f: &mut Findings) -> Read<Request> {
        let named = required(f, "currency", self.currency, currency);
        // Amounts are read even where the currency is not known, so that the rest of the problems are told as well; with
        // many decimals then, for nothing is wrong with them.
        let assumed = named.unwrap_or(Currency::KWD);
        let line = |line: LineDto, f: &mut Findings| line.into_domain(assumed, f);
        let promotion = |promotion: PromotionDto, f: &mut Findings| promotion.into_domain(assumed, f);
        let request: Request = all!(Request {
            currency: named,
            at: required(f, "at", self.at, instant),
            lines: required(f, "lines", self.lines, list(MAX_LINES, line)),
            // An empty code is no mistake of the document: it is a code nobody knows.
            codes: usual(f, "codes", self.codes, list(MAX_CODES, text(MAX_CODE))),
            code_matching: Some(self.code_matching.unwrap_or_default()),
            customer: usual(f, "customer", self.customer, CustomerDto::into_domain),
            shipping: optional(f, "shipping", self.shipping, |shipping, f| shipping.into_domain(assumed, f)),
            tax: usual(f, "tax", self.tax, TaxDto::into_domain),
            promotions: usual(f, "promotions", self.promotions, list(MAX_PROMOTIONS, promotion)),
            selection: Some(self.selection.unwrap_or_default()),
            tax_level: Some(self.tax_level.unwrap_or_default()),
            rounding: Some(self.rounding.unwrap_or_default()),
        })?;
        check_unique("lines", request.lines.iter().map(|line| line.id.as_str()), f);
        check_unique("promotions", request.promotions.iter().map(|promotion| promotion.id().as_str()), f);
        request.check(f);
        Some(request)
    }
}

/// Names that stand twice do not matter to a price, but to whoever reads it.
fn check_unique<'a>(list: &'static str, ids: impl Iterator<Item = &'a str>, findings: &mut Findings) {
    let mut sorted: Vec<_> = ids.enumerate().map(|(index, id)| (id, index)).collect();
    sorted.sort_unstable();
    let twice = sorted.iter().zip(sorted.iter().skip(1)).filter(|((one, _), (other, _))| one == other);
    for (_, (_, index)) in twice {
        let note = |f: &mut Findings| f.field("id", |f| f.note::<()>(ProblemKind::Duplicate));
        findings.field(list, |f| f.entry(*index, note));
    }
}

impl LineDto {
    fn into_domain(self, currency: Currency, f: &mut Findings) -> Read<Line> {
        all!(Line {
            id: required(f, "id", self.id, parsed("a line id of 1 to 64 characters")),
            sku: required(f, "sku", self.sku, parsed(A_SKU)),
            quantity: required(f, "quantity", self.quantity, quantity),
            unit_price: required(f, "unit_price", self.unit_price, |figure, f| figure.money(currency, f)),
            categories: usual(f, "categories", self.categories, list(MAX_CATEGORIES, parsed(A_CATEGORY))),
            tax_category: optional(f, "tax_category", self.tax_category, name),
        })
    }
}

impl CustomerDto {
    fn into_domain(self, f: &mut Findings) -> Read<Buyer> {
        all!(Buyer {
            segments: usual(f, "segments", self.segments, list(MAX_SEGMENTS, name)),
            completed_orders: usual(f, "completed_orders", self.completed_orders, count),
        })
    }
}

impl ShippingDto {
    fn into_domain(self, currency: Currency, f: &mut Findings) -> Read<Shipping> {
        all!(Shipping {
            method: required(f, "method", self.method, name),
            amount: required(f, "amount", self.amount, |figure, f| figure.money(currency, f)),
            tax_category: optional(f, "tax_category", self.tax_category, name),
        })
    }
}

impl TaxDto {
    fn into_domain(self, f: &mut Findings) -> Read<Tax> {
        all!(Tax {
            prices_include_tax: Some(self.prices_include_tax.unwrap_or_default()),
            rates: usual(f, "rates", self.rates, list(MAX_RATES, TaxRateDto::into_domain)),
        })
    }
}

impl TaxRateDto {
    fn into_domain(self, f: &mut Findings) -> Read<TaxRate> {
        all!(TaxRate {
            tax_category: required(f, "tax_category", self.tax_category, name),
            rate: required(f, "rate", self.rate, DecimalDto::decimal),
        })
    }
}
