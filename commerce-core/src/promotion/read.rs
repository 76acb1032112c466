//! Reading a promotion from its document.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use super::condition::{Condition, MAX_CONDITION_DEPTH, MAX_CONDITIONS, MAX_LABELS};
use super::document::{Document, Fields};
use super::effect::{AmountTarget, BuyGet, Effect, Items, MAX_TIERS, PriceTarget, Reward, Target, Tier, Units};
use super::filter::{Filter, MAX_FILTER_ENTRIES};
use super::percent::Percent;
use super::problem::{Findings, ProblemKind};
use super::usage::{Limits, Usage};
use super::{MAX_CODE, MAX_LABEL, PromotionDefinition};
use crate::Quantity;
use crate::ids::PromotionId;
use crate::money::{Currency, Money};

const A_QUANTITY: &str = "a whole number from 1 to 1000000";
const A_COUNT: &str = "a whole number of zero or more";
const AN_INSTANT: &str = "an instant such as \"2026-01-15T12:00:00Z\"";

/// The currency a document names, or that it stands in.
pub(super) fn currency(fields: &mut Fields<'_>, findings: &mut Findings, around: Option<Currency>) -> Option<Currency> {
    let named = fields.optional(findings, "currency", read_currency)?;
    match (named, around) {
        (Some(named), Some(around)) if named != around => {
            findings.field("currency", |findings| findings.note(ProblemKind::CurrencyMismatch))
        }
        (Some(currency), _) | (None, Some(currency)) => Some(currency),
        (None, None) => findings.field("currency", |findings| findings.note(ProblemKind::Required)),
    }
}

pub(crate) fn read_currency(document: &Document, findings: &mut Findings) -> Option<Currency> {
    document.parsed(findings, "an ISO 4217 currency code")
}

pub(crate) fn read_instant(document: &Document, findings: &mut Findings) -> Option<DateTime<Utc>> {
    document.parsed(findings, AN_INSTANT)
}

pub(crate) fn read_quantity(document: &Document, findings: &mut Findings) -> Option<Quantity> {
    document.whole(findings, A_QUANTITY)
}

pub(crate) fn read_count<T: TryFrom<i64>>(document: &Document, findings: &mut Findings) -> Option<T> {
    document.whole(findings, A_COUNT)
}

pub(crate) fn read_label(document: &Document, findings: &mut Findings) -> Option<String> {
    document.label(findings, MAX_LABEL)
}

pub(crate) fn read_labels(document: &Document, findings: &mut Findings) -> Option<Vec<String>> {
    document.list(findings, MAX_LABELS, read_label)
}

/// One of some words.
pub(crate) fn read_word<T: Copy>(
    document: &Document,
    findings: &mut Findings,
    words: &[(&str, T)],
    expected: &'static str,
) -> Option<T> {
    let text = document.text(findings, MAX_LABEL)?;
    match words.iter().find(|(word, _)| *word == text) {
        Some((_, value)) => Some(*value),
        None => findings.note(ProblemKind::Invalid { expected }),
    }
}

pub(crate) fn read_condition(document: &Document, findings: &mut Findings, currency: Currency) -> Option<Condition> {
    Reader { currency, depth: MAX_CONDITION_DEPTH }.condition(document, findings)
}

/// The terms and the usage of a promotion, whose amounts are in `currency`.
pub(super) fn definition(
    fields: &mut Fields<'_>,
    findings: &mut Findings,
    currency: Currency,
) -> Option<(PromotionDefinition, Usage)> {
    let money = |document: &Document, findings: &mut Findings| document.money(findings, currency);
    let id =
        fields.required(findings, "id", |id, f| id.parsed::<PromotionId>(f, "a promotion id of 1 to 64 characters"));
    let code = fields.optional(findings, "code", |code, f| code.label(f, MAX_CODE));
    let priority = fields.defaulted(findings, "priority", |priority, f| priority.whole(f, "a whole number of 32 bits"));
    let exclusive = fields.defaulted(findings, "exclusive", Document::bool);
    let group = fields.optional(findings, "group", read_label);
    let starts_at = fields.optional(findings, "starts_at", read_instant);
    let ends_at = fields.optional(findings, "ends_at", read_instant);
    let max_uses = fields.optional(findings, "max_uses", read_count);
    let max_uses_per_customer = fields.optional(findings, "max_uses_per_customer", read_count);
    let budget = fields.optional(findings, "budget", money);
    let used = fields.defaulted(findings, "used", read_count);
    let used_by_customer = fields.defaulted(findings, "used_by_customer", read_count);
    let budget_used = fields.optional(findings, "budget_used", money);
    let reader = Reader { currency, depth: MAX_CONDITION_DEPTH };
    let conditions = fields.defaulted(findings, "conditions", |conditions, f| reader.conditions(conditions, f));
    let effect = fields.required(findings, "effect", |effect, f| reader.effect(effect, f));
    let limits = Limits { max_uses: max_uses?, max_uses_per_customer: max_uses_per_customer?, budget: budget? };
    let usage = Usage { used: used?, used_by_customer: used_by_customer?, budget_used: budget_used? };
    let definition = PromotionDefinition {
        id: id?,
        code: code?,
        priority: priority?,
        exclusive: exclusive?,
        group: group?,
        starts_at: starts_at?,
        ends_at: ends_at?,
        limits,
        conditions: conditions?,
        effect: effect?,
    };
    Some((definition, usage))
}

/// Reads the parts of a promotion that have amounts in them.
#[derive(Clone, Copy)]
struct Reader {
    currency: Currency,
    depth: usize,
}

impl Reader {
    fn money(self, document: &Document, findings: &mut Findings) -> Option<Money> {
        document.money(findings, self.currency)
    }

    fn conditions(self, document: &Document, findings: &mut Findings) -> Option<Vec<Condition>> {
        document.list(findings, MAX_CONDITIONS, |condition, findings| self.condition(condition, findings))
    }

    fn condition(self, document: &Document, findings: &mut Findings) -> Option<Condition> {
        let mut fields = document.fields(findings)?;
        let kind = fields.required(findings, "type", |kind, findings| kind.text(findings, MAX_LABEL))?;
        let condition = self.condition_of(kind, &mut fields, findings);
        fields.finish(findings);
        condition
    }

    fn condition_of(self, kind: &str, fields: &mut Fields<'_>, f: &mut Findings) -> Option<Condition> {
        match kind {
            "min_spend" => {
                let amount = fields.required(f, "amount", |amount, f| self.money(amount, f));
                let filter = fields.optional(f, "filter", read_filter);
                Some(Condition::MinSpend { amount: amount?, filter: filter? })
            }
            "min_quantity" => {
                let quantity = fields.required(f, "quantity", read_quantity);
                let filter = fields.optional(f, "filter", read_filter);
                Some(Condition::MinQuantity { quantity: quantity?, filter: filter? })
            }
            "contains" => Some(Condition::Contains { filter: fields.required(f, "filter", read_filter)? }),
            "segment" => Some(Condition::Segment { any: fields.required(f, "any", read_labels)? }),
            "shipping_method" => Some(Condition::ShippingMethod { any: fields.required(f, "any", read_labels)? }),
            "first_order" => Some(Condition::FirstOrder),
            "nth_order" => Some(Condition::NthOrder { n: fields.required(f, "n", read_count)? }),
            "all" | "any" | "not" => self.nested(kind, fields, f),
            _ => f.field("type", |f| f.note(ProblemKind::Invalid { expected: CONDITION_TYPES })),
        }
    }

    fn nested(self, kind: &str, fields: &mut Fields<'_>, f: &mut Findings) -> Option<Condition> {
        let Some(depth) = self.depth.checked_sub(1) else {
            fields.ignore("conditions");
            fields.ignore("condition");
            return f.note(ProblemKind::TooDeep { limit: MAX_CONDITION_DEPTH });
        };
        let inner = Self { depth, ..self };
        if kind == "not" {
            let condition = fields.required(f, "condition", |condition, f| inner.condition(condition, f))?;
            return Some(Condition::Not { condition: Box::new(condition) });
        }
        let conditions = fields.required(f, "conditions", |conditions, f| inner.conditions(conditions, f))?;
        Some(if kind == "all" { Condition::All { conditions } } else { Condition::Any { conditions } })
    }

    fn effect(self, document: &Document, findings: &mut Findings) -> Option<Effect> {
        let mut fields = document.fields(findings)?;
        let kind = fields.required(findings, "type", |kind, findings| kind.text(findings, MAX_LABEL))?;
        let effect = self.effect_of(kind, &mut fields, findings);
        fields.finish(findings);
        effect
    }

    fn effect_of(self, kind: &str, fields: &mut Fields<'_>, f: &mut Findings) -> Option<Effect> {
        match kind {
            "percent_off" => {
                let percent = fields.required(f, "percent", percent);
                let target = percent_target(fields, f);
                let max_amount = self.max_amount(fields, f);
                Some(Effect::PercentOff { percent: percent?, target: target?, max_amount: max_amount? })
            }
            "amount_off" => {
                let amount = fields.required(f, "amount", |amount, f| self.money(amount, f));
                let target = amount_target(fields, f);
                Some(Effect::AmountOff { amount: amount?, target: target? })
            }
            "fixed_price" => {
                let amount = fields.required(f, "amount", |amount, f| self.money(amount, f));
                let target = price_target(fields, f);
                Some(Effect::FixedPrice { amount: amount?, target: target? })
            }
            "free_shipping" => Some(Effect::FreeShipping),
            "buy_get" => buy_get(fields, f).map(Effect::BuyGet),
            "tiered_percent" => {
                let tiers =
                    fields.required(f, "tiers", |tiers, f| tiers.list(f, MAX_TIERS, |tier, f| self.tier(tier, f)));
                let max_amount = self.max_amount(fields, f);
                Some(Effect::TieredPercent { tiers: tiers?, max_amount: max_amount? })
            }
            _ => f.field("type", |f| f.note(ProblemKind::Invalid { expected: EFFECT_TYPES })),
        }
    }

    #[expect(clippy::option_option, reason = "as Fields::optional")]
    fn max_amount(self, fields: &mut Fields<'_>, findings: &mut Findings) -> Option<Option<Money>> {
        fields.optional(findings, "max_amount", |amount, f| self.money(amount, f))
    }

    fn tier(self, document: &Document, findings: &mut Findings) -> Option<Tier> {
        let mut fields = document.fields(findings)?;
        let min_spend = fields.required(findings, "min_spend", |amount, f| self.money(amount, f));
        let percent = fields.required(findings, "percent", percent);
        fields.finish(findings);
        Some(Tier { min_spend: min_spend?, percent: percent? })
    }
}

const CONDITION_TYPES: &str =
    "min_spend, min_quantity, contains, segment, first_order, nth_order, shipping_method, all, any or not";
const EFFECT_TYPES: &str = "percent_off, amount_off, fixed_price, free_shipping, buy_get or tiered_percent";

fn percent(document: &Document, findings: &mut Findings) -> Option<Percent> {
    match Percent::new(document.decimal(findings)?) {
        Ok(percent) => Some(percent),
        Err(_) => findings.note(ProblemKind::OutOfRange { expected: "from 0 to 100, with at most 8 decimals" }),
    }
}

pub(crate) fn read_filter(document: &Document, findings: &mut Findings) -> Option<Filter> {
    let mut fields = document.fields(findings)?;
    let skus = fields.defaulted(findings, "skus", |skus, f| {
        skus.list(f, MAX_FILTER_ENTRIES, |sku, f| sku.parsed(f, "a sku of 1 to 64 characters"))
    });
    let categories = fields.defaulted(findings, "categories", |categories, f| {
        categories.list(f, MAX_FILTER_ENTRIES, |category, f| category.parsed(f, "a category of 1 to 64 characters"))
    });
    fields.finish(findings);
    Some(Filter::new(skus?, categories?))
}

fn target<'d>(fields: &mut Fields<'d>, findings: &mut Findings) -> Option<&'d str> {
    fields.required(findings, "target", |target, f| target.text(f, MAX_LABEL))
}

fn unknown_target<T>(findings: &mut Findings, expected: &'static str) -> Option<T> {
    findings.field("target", |findings| findings.note(ProblemKind::Invalid { expected }))
}

fn percent_target(fields: &mut Fields<'_>, findings: &mut Findings) -> Option<Target> {
    match target(fields, findings)? {
        "order" => Some(Target::Order),
        "items" => items(fields, findings).map(Target::Items),
        "shipping" => Some(Target::Shipping),
        _ => unknown_target(findings, "order, items or shipping"),
    }
}

fn amount_target(fields: &mut Fields<'_>, findings: &mut Findings) -> Option<AmountTarget> {
    match target(fields, findings)? {
        "order" => Some(AmountTarget::Order),
        "items" => {
            let allocation = fields.required(findings, "allocation", |text, f| text.text(f, MAX_LABEL));
            let items = items(fields, findings);
            match allocation? {
                "across" => items.map(AmountTarget::Across),
                "each" => items.map(AmountTarget::Each),
                _ => findings.field("allocation", |f| f.note(ProblemKind::Invalid { expected: "each or across" })),
            }
        }
        "shipping" => Some(AmountTarget::Shipping),
        _ => unknown_target(findings, "order, items or shipping"),
    }
}

fn price_target(fields: &mut Fields<'_>, findings: &mut Findings) -> Option<PriceTarget> {
    match target(fields, findings)? {
        "order" => Some(PriceTarget::Order),
        "items" => match fields.optional(findings, "bundle_quantity", read_quantity)? {
            None => items(fields, findings).map(PriceTarget::Each),
            Some(quantity) => {
                let filter = fields.optional(findings, "filter", read_filter)?;
                Some(PriceTarget::Bundle { filter, quantity })
            }
        },
        _ => unknown_target(findings, "order or items"),
    }
}

fn items(fields: &mut Fields<'_>, findings: &mut Findings) -> Option<Items> {
    let filter = fields.optional(findings, "filter", read_filter);
    let max_quantity = fields.optional(findings, "max_quantity", read_quantity);
    Some(Items { filter: filter?, max_quantity: max_quantity? })
}

fn buy_get(fields: &mut Fields<'_>, findings: &mut Findings) -> Option<BuyGet> {
    let buy = fields.required(findings, "buy", |buy, f| {
        let mut fields = buy.fields(f)?;
        let filter = fields.optional(f, "filter", read_filter);
        let quantity = fields.required(f, "quantity", read_quantity);
        fields.finish(f);
        Some(Units { filter: filter?, quantity: quantity? })
    });
    let get = fields.required(findings, "get", |get, f| {
        let mut fields = get.fields(f)?;
        let filter = fields.optional(f, "filter", read_filter);
        let quantity = fields.required(f, "quantity", read_quantity);
        let percent = fields.required(f, "percent", percent);
        fields.finish(f);
        Some(Reward { filter: filter?, quantity: quantity?, percent: percent? })
    });
    let max_applications = fields.optional(findings, "max_applications", read_quantity);
    Some(BuyGet { buy: buy?, get: get?, max_applications: max_applications? })
}
