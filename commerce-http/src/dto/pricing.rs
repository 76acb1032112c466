//! The pricing request.

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

/// A pricing request. Unknown fields are refused. Amounts may be strings or numbers.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteRequest)]
pub struct RequestDto {
    /// The currency of all amounts.
    #[schema(value_type = Currency)]
    pub currency: Option<String>,
    /// The instant for which the price is computed.
    #[schema(value_type = DateTime<Utc>)]
    pub at: Option<String>,
    /// The lines.
    #[schema(value_type = Vec<LineDto>, max_items = 500)]
    pub lines: Option<Vec<LineDto>>,
    /// The codes that the customer entered.
    #[schema(max_items = 20)]
    pub codes: Option<Vec<String>>,
    /// How codes are compared: `exact` or `ignore_case`.
    pub code_matching: Option<CodeMatching>,
    /// The customer.
    pub customer: Option<CustomerDto>,
    /// The shipping.
    pub shipping: Option<ShippingDto>,
    /// The taxes.
    pub tax: Option<TaxDto>,
    /// All promotions. Their order decides between equal priorities.
    #[schema(max_items = 1000)]
    pub promotions: Option<Vec<PromotionDto>>,
    /// How promotions are selected: `priority` or `best`.
    pub selection: Option<Selection>,
    /// Where taxes are rounded: `line` or `order`.
    pub tax_level: Option<TaxLevel>,
    /// How amounts are rounded: `half_away_from_zero`, `half_even` or `down`.
    pub rounding: Option<Rounding>,
}

/// A line of the request.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteRequestLine)]
pub struct LineDto {
    /// The id of the line. The answer repeats it.
    #[schema(value_type = LineId)]
    pub id: Option<String>,
    /// The SKU.
    #[schema(value_type = Sku)]
    pub sku: Option<String>,
    /// The number of units.
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000)]
    pub quantity: Option<Number>,
    /// The listed price of a unit.
    #[schema(value_type = DecimalDto)]
    pub unit_price: Option<DecimalDto>,
    /// The categories of the product.
    #[schema(value_type = Option<Vec<CategoryId>>, max_items = 50)]
    pub categories: Option<Vec<String>>,
    /// The tax category. Without one the line is not taxed.
    pub tax_category: Option<String>,
}

/// The facts about the customer that promotions may need.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteRequestCustomer)]
pub struct CustomerDto {
    /// The segments of the customer.
    #[schema(max_items = 100)]
    pub segments: Option<Vec<String>>,
    /// The number of completed orders.
    #[schema(value_type = Option<u32>)]
    pub completed_orders: Option<Number>,
}

/// The chosen shipping method.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteRequestShipping)]
pub struct ShippingDto {
    /// The name of the method.
    #[schema(value_type = String)]
    pub method: Option<String>,
    /// The fee before discounts.
    #[schema(value_type = DecimalDto)]
    pub amount: Option<DecimalDto>,
    /// The tax category. Without one the fee is not taxed.
    pub tax_category: Option<String>,
}

/// The taxes.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteRequestTax)]
pub struct TaxDto {
    /// Whether listed prices and fees include the tax. Default: false.
    pub prices_include_tax: Option<bool>,
    /// The rates. Those of one category are added.
    #[schema(max_items = 100)]
    pub rates: Option<Vec<TaxRateDto>>,
}

/// A rate of a tax category.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuoteRequestTaxRate)]
pub struct TaxRateDto {
    /// The tax category.
    #[schema(value_type = String)]
    pub tax_category: Option<String>,
    /// The rate as a share of the net price: 0.20 is 20 %.
    #[schema(value_type = crate::dto::schema::DecimalNumber)]
    pub rate: Option<DecimalDto>,
}

/// Reads the JSON of a pricing request.
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
/// [`Refused`], with all invalid values.
pub fn read_request(json: &[u8]) -> Result<Request, Refused> {
    Ok(read::<RequestDto>(json)?.read()?)
}

impl RequestDto {
    /// Converts the document.
    ///
    /// # Errors
    /// All invalid values.
    pub fn read(self) -> Result<Request, Problems> {
        let mut findings = Findings::default();
        let request = self.into_domain(&mut findings);
        findings.finish(request)
    }

    fn into_domain(self, f: &mut Findings) -> Read<Request> {
        let named = required(f, "currency", self.currency, currency);
        // If the currency is invalid, amounts are read with one of many decimals, so that other problems are found.
        let assumed = named.unwrap_or(Currency::KWD);
        let line = |line: LineDto, f: &mut Findings| line.into_domain(assumed, f);
        let promotion = |promotion: PromotionDto, f: &mut Findings| promotion.into_domain(assumed, f);
        let request: Request = all!(Request {
            currency: named,
            at: required(f, "at", self.at, instant),
            lines: required(f, "lines", self.lines, list(MAX_LINES, line)),
            // An empty code is valid here: it is an unknown code.
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

/// Repeated ids do not affect a price, but confuse readers of the answer.
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
