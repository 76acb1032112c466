//! Reading a request from its document.

use alloc::string::String;
use alloc::vec::Vec;

use super::request::{CodeMatching, Customer, Line, Request, Selection, Shipping, Tax, TaxLevel, TaxRate};
use super::{MAX_CATEGORIES, MAX_CODES, MAX_LINES, MAX_PROMOTIONS, MAX_RATES, MAX_SEGMENTS};
use crate::money::{Currency, Money, Rounding};
use crate::promotion::read::{read_count, read_currency, read_instant, read_label, read_quantity, read_word};
use crate::promotion::{Document, Findings, MAX_CODE, ProblemKind, Problems, Promotion};

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// Everything that is wrong in the document, each with a JSON pointer to its place, a stable code and a sentence.
    pub fn read(document: &Document) -> Result<Self, Problems> {
        let mut findings = Findings::default();
        let request = read_request(document, &mut findings);
        if let Some(request) = &request {
            check_request(request, &mut findings);
        }
        findings.finish(request)
    }
}

fn read_request(document: &Document, f: &mut Findings) -> Option<Request> {
    let mut fields = document.fields(f)?;
    let currency = fields.required(f, "currency", read_currency);
    // Amounts are read even where the currency is not known, so that the rest of the problems are told as well; with
    // many decimals then, for nothing is wrong with them.
    let amounts = Amounts(currency.unwrap_or(Currency::KWD));
    let at = fields.required(f, "at", read_instant);
    let lines = fields.required(f, "lines", |lines, f| lines.list(f, MAX_LINES, |line, f| amounts.line(line, f)));
    let codes = fields.defaulted(f, "codes", |codes, f| codes.list(f, MAX_CODES, read_code));
    let code_matching = fields.defaulted(f, "code_matching", read_code_matching);
    let customer = fields.defaulted(f, "customer", read_customer);
    let shipping = fields.optional(f, "shipping", |shipping, f| amounts.shipping(shipping, f));
    let tax = fields.defaulted(f, "tax", read_tax);
    let promotions = fields.defaulted(f, "promotions", |promotions, f| {
        promotions.list(f, MAX_PROMOTIONS, |promotion, f| Promotion::read_in(promotion, Some(amounts.0), f))
    });
    let selection = fields.defaulted(f, "selection", read_selection);
    let tax_level = fields.defaulted(f, "tax_level", read_tax_level);
    let rounding = fields.defaulted(f, "rounding", read_rounding);
    fields.finish(f);
    Some(Request {
        currency: currency?,
        at: at?,
        lines: lines?,
        codes: codes?,
        code_matching: code_matching?,
        customer: customer?,
        shipping: shipping?,
        tax: tax?,
        promotions: promotions?,
        selection: selection?,
        tax_level: tax_level?,
        rounding: rounding?,
    })
}

/// What [`price`](super::price) relies on is checked there; names that stand twice only matter in a document.
fn check_request(request: &Request, findings: &mut Findings) {
    let lines: Vec<&str> = request.lines.iter().map(|line| line.id.as_str()).collect();
    let promotions: Vec<&str> = request.promotions.iter().map(|promotion| promotion.id().as_str()).collect();
    findings.field("lines", |findings| check_unique(&lines, findings));
    findings.field("promotions", |findings| check_unique(&promotions, findings));
    super::check::check(request, findings);
}

fn check_unique(ids: &[&str], findings: &mut Findings) {
    let mut sorted: Vec<(&str, usize)> = ids.iter().enumerate().map(|(index, id)| (*id, index)).collect();
    sorted.sort_unstable();
    for ((one, _), (other, index)) in sorted.iter().zip(sorted.iter().skip(1)) {
        if one == other {
            findings.entry(*index, |findings| findings.field("id", |f| f.note::<()>(ProblemKind::Duplicate)));
        }
    }
}

/// Reads what has amounts in it.
#[derive(Clone, Copy)]
struct Amounts(Currency);

impl Amounts {
    fn money(self, document: &Document, findings: &mut Findings) -> Option<Money> {
        document.money(findings, self.0)
    }

    fn line(self, document: &Document, f: &mut Findings) -> Option<Line> {
        let mut fields = document.fields(f)?;
        let id = fields.required(f, "id", |id, f| id.parsed(f, "a line id of 1 to 64 characters"));
        let sku = fields.required(f, "sku", |sku, f| sku.parsed(f, "a sku of 1 to 64 characters"));
        let quantity = fields.required(f, "quantity", read_quantity);
        let unit_price = fields.required(f, "unit_price", |price, f| self.money(price, f));
        let categories = fields.defaulted(f, "categories", |categories, f| {
            categories.list(f, MAX_CATEGORIES, |category, f| category.parsed(f, "a category of 1 to 64 characters"))
        });
        let tax_category = fields.optional(f, "tax_category", read_label);
        fields.finish(f);
        Some(Line {
            id: id?,
            sku: sku?,
            quantity: quantity?,
            unit_price: unit_price?,
            categories: categories?,
            tax_category: tax_category?,
        })
    }

    fn shipping(self, document: &Document, f: &mut Findings) -> Option<Shipping> {
        let mut fields = document.fields(f)?;
        let method = fields.required(f, "method", read_label);
        let amount = fields.required(f, "amount", |amount, f| self.money(amount, f));
        let tax_category = fields.optional(f, "tax_category", read_label);
        fields.finish(f);
        Some(Shipping { method: method?, amount: amount?, tax_category: tax_category? })
    }
}

/// A code as the buyer wrote it. One that is empty is no mistake of the document: it is a code nobody knows.
fn read_code(document: &Document, findings: &mut Findings) -> Option<String> {
    document.text(findings, MAX_CODE).map(String::from)
}

fn read_customer(document: &Document, f: &mut Findings) -> Option<Customer> {
    let mut fields = document.fields(f)?;
    let segments = fields.defaulted(f, "segments", |segments, f| segments.list(f, MAX_SEGMENTS, read_label));
    let completed_orders = fields.defaulted(f, "completed_orders", read_count);
    fields.finish(f);
    Some(Customer { segments: segments?, completed_orders: completed_orders? })
}

fn read_tax(document: &Document, f: &mut Findings) -> Option<Tax> {
    let mut fields = document.fields(f)?;
    let prices_include_tax = fields.defaulted(f, "prices_include_tax", Document::bool);
    let rates = fields.defaulted(f, "rates", |rates, f| rates.list(f, MAX_RATES, read_rate));
    fields.finish(f);
    Some(Tax { prices_include_tax: prices_include_tax?, rates: rates? })
}

fn read_rate(document: &Document, f: &mut Findings) -> Option<TaxRate> {
    let mut fields = document.fields(f)?;
    let tax_category = fields.required(f, "tax_category", read_label);
    let rate = fields.required(f, "rate", Document::decimal);
    fields.finish(f);
    Some(TaxRate { tax_category: tax_category?, rate: rate? })
}

fn read_selection(document: &Document, findings: &mut Findings) -> Option<Selection> {
    let words = [("priority", Selection::Priority), ("best", Selection::Best)];
    read_word(document, findings, &words, "priority or best")
}

fn read_tax_level(document: &Document, findings: &mut Findings) -> Option<TaxLevel> {
    read_word(document, findings, &[("line", TaxLevel::Line), ("order", TaxLevel::Order)], "line or order")
}

fn read_code_matching(document: &Document, findings: &mut Findings) -> Option<CodeMatching> {
    let words = [("exact", CodeMatching::Exact), ("ignore_case", CodeMatching::IgnoreCase)];
    read_word(document, findings, &words, "exact or ignore_case")
}

fn read_rounding(document: &Document, findings: &mut Findings) -> Option<Rounding> {
    let words = [
        ("half_away_from_zero", Rounding::HalfAwayFromZero),
        ("half_even", Rounding::HalfEven),
        ("down", Rounding::Down),
    ];
    read_word(document, findings, &words, "half_away_from_zero, half_even or down")
}
