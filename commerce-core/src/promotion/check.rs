//! The checks of a promotion beyond its types.

use super::condition::{Condition, MAX_CONDITION_DEPTH, MAX_CONDITIONS, MAX_LABELS};
use super::effect::{AmountTarget, BuyGet, Effect, Items, MAX_TIERS, PriceTarget, Target, Tier};
use super::filter::{Filter, MAX_FILTER_ENTRIES};
use super::{MAX_CODE, MAX_LABEL, Promotion, PromotionDefinition, Usage};
use crate::money::{Currency, Money};
use crate::problem::{Findings, ProblemKind};

pub(super) struct Check<'f> {
    currency: Currency,
    findings: &'f mut Findings,
}

impl<'f> Check<'f> {
    pub(super) fn new(currency: Currency, findings: &'f mut Findings) -> Self {
        Self { currency, findings }
    }

    pub(super) fn definition(&mut self, definition: &PromotionDefinition) {
        self.label("code", definition.code.as_deref(), MAX_CODE);
        self.label("group", definition.group.as_deref(), MAX_LABEL);
        let in_order = definition.starts_at.zip(definition.ends_at).is_none_or(|(start, end)| start < end);
        self.require("ends_at", in_order, ProblemKind::EndsBeforeStart);
        self.optional_amount("budget", definition.limits.budget);
        self.conditions(&definition.conditions, MAX_CONDITION_DEPTH, true);
        self.at("effect", |check| check.effect(&definition.effect));
    }

    pub(super) fn usage(&mut self, usage: &Usage) {
        self.optional_amount("budget_used", usage.budget_used);
    }

    fn at(&mut self, name: &'static str, walk: impl FnOnce(&mut Check<'_>)) {
        let currency = self.currency;
        self.findings.field(name, |findings| walk(&mut Check { currency, findings }));
    }

    fn each<T>(&mut self, entries: &[T], mut walk: impl FnMut(&mut Check<'_>, usize, &T)) {
        for (index, entry) in entries.iter().enumerate() {
            let currency = self.currency;
            self.findings.entry(index, |findings| walk(&mut Check { currency, findings }, index, entry));
        }
    }

    fn require(&mut self, name: &'static str, well: bool, kind: ProblemKind) {
        self.at(name, |check| check.findings.require(well, kind));
    }

    fn label(&mut self, name: &'static str, label: Option<&str>, limit: usize) {
        let Some(label) = label else { return };
        self.require(name, !label.trim().is_empty(), ProblemKind::Empty);
        self.require(name, label.chars().nth(limit).is_none(), ProblemKind::TooLong { limit });
    }

    fn amount(&mut self, name: &'static str, amount: Money) {
        self.require(name, amount.currency() == self.currency, ProblemKind::CurrencyMismatch);
        self.require(name, !amount.is_negative(), ProblemKind::OutOfRange { expected: "zero or more" });
    }

    fn optional_amount(&mut self, name: &'static str, amount: Option<Money>) {
        if let Some(amount) = amount {
            self.amount(name, amount);
        }
    }

    /// Conditions that must all hold must not contradict each other.
    fn conditions(&mut self, conditions: &[Condition], depth: usize, together: bool) {
        let limit = MAX_CONDITIONS;
        self.require("conditions", conditions.len() <= limit, ProblemKind::TooMany { limit });
        self.at("conditions", |check| {
            check.each(conditions, |check, index, condition| {
                let mut earlier = conditions.iter().take(index);
                let possible = !together || !earlier.any(|earlier| contradict(earlier, condition));
                check.findings.require(possible, ProblemKind::Contradiction);
                check.condition(condition, depth);
            });
        });
    }

    fn condition(&mut self, condition: &Condition, depth: usize) {
        match condition {
            Condition::MinSpend { amount, filter } => {
                self.amount("amount", *amount);
                self.optional_filter(filter.as_ref());
            }
            Condition::MinQuantity { filter, .. } => self.optional_filter(filter.as_ref()),
            Condition::Contains { filter } => self.filter(filter),
            Condition::Segment { any } | Condition::ShippingMethod { any } => self.labels(any),
            Condition::FirstOrder => {}
            Condition::NthOrder { n } => self.require("n", *n > 0, ProblemKind::OutOfRange { expected: "1 or more" }),
            Condition::All { .. } | Condition::Any { .. } | Condition::Not { .. } => self.nested(condition, depth),
        }
    }

    fn nested(&mut self, condition: &Condition, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            self.findings.note::<()>(ProblemKind::TooDeep { limit: MAX_CONDITION_DEPTH });
            return;
        };
        if let Condition::Not { condition } = condition {
            self.at("condition", |check| check.condition(condition, depth));
            return;
        }
        let conditions = condition.children();
        self.require("conditions", !conditions.is_empty(), ProblemKind::Empty);
        self.conditions(conditions, depth, matches!(condition, Condition::All { .. }));
    }

    fn labels(&mut self, labels: &[alloc::string::String]) {
        self.require("any", !labels.is_empty(), ProblemKind::Empty);
        self.require("any", labels.len() <= MAX_LABELS, ProblemKind::TooMany { limit: MAX_LABELS });
    }

    fn filter(&mut self, filter: &Filter) {
        let (skus, categories) = filter.entries();
        self.require("filter", !filter.is_empty(), ProblemKind::Empty);
        self.require(
            "filter",
            skus.max(categories) <= MAX_FILTER_ENTRIES,
            ProblemKind::TooMany { limit: MAX_FILTER_ENTRIES },
        );
    }

    fn optional_filter(&mut self, filter: Option<&Filter>) {
        if let Some(filter) = filter {
            self.filter(filter);
        }
    }

    fn items(&mut self, items: &Items) {
        self.optional_filter(items.filter.as_ref());
    }

    fn effect(&mut self, effect: &Effect) {
        match effect {
            Effect::PercentOff { target, max_amount, .. } => {
                self.optional_amount("max_amount", *max_amount);
                if let Target::Items(items) = target {
                    self.items(items);
                }
            }
            Effect::AmountOff { amount, target } => {
                self.amount("amount", *amount);
                if let AmountTarget::Across(items) | AmountTarget::Each(items) = target {
                    self.items(items);
                }
            }
            Effect::FixedPrice { amount, target } => {
                self.amount("amount", *amount);
                match target {
                    PriceTarget::Order => {}
                    PriceTarget::Each(items) => self.items(items),
                    PriceTarget::Bundle { filter, .. } => self.optional_filter(filter.as_ref()),
                }
            }
            Effect::FreeShipping => {}
            Effect::BuyGet(BuyGet { buy, get, .. }) => {
                self.at("buy", |check| check.optional_filter(buy.filter.as_ref()));
                self.at("get", |check| check.optional_filter(get.filter.as_ref()));
            }
            Effect::TieredPercent { tiers, max_amount } => {
                self.optional_amount("max_amount", *max_amount);
                self.at("tiers", |check| check.tiers(tiers));
            }
        }
    }

    fn tiers(&mut self, tiers: &[Tier]) {
        self.findings.require(!tiers.is_empty(), ProblemKind::Empty);
        self.findings.require(tiers.len() <= MAX_TIERS, ProblemKind::TooMany { limit: MAX_TIERS });
        self.each(tiers, |check, index, tier| {
            check.amount("min_spend", tier.min_spend);
            let before = index.checked_sub(1).and_then(|before| tiers.get(before));
            let rises = before.is_none_or(|before| before.min_spend.minor() < tier.min_spend.minor());
            check.require("min_spend", rises, ProblemKind::OutOfOrder);
        });
    }
}

/// Whether two conditions of one list can never both hold. It finds plain mistakes (two order numbers, two shipping
/// methods, a condition and its negation), not every contradiction.
fn contradict(one: &Condition, other: &Condition) -> bool {
    match (order_number(one), order_number(other)) {
        (Some(one), Some(other)) => one != other,
        _ => match (one, other) {
            (Condition::Not { condition }, plain) | (plain, Condition::Not { condition }) => **condition == *plain,
            (Condition::ShippingMethod { any: one }, Condition::ShippingMethod { any: other }) => {
                !one.iter().any(|method| other.contains(method))
            }
            _ => false,
        },
    }
}

/// The only order number that a condition allows.
fn order_number(condition: &Condition) -> Option<u32> {
    match condition {
        Condition::FirstOrder => Some(1),
        Condition::NthOrder { n } => Some(*n),
        Condition::MinSpend { .. }
        | Condition::MinQuantity { .. }
        | Condition::Contains { .. }
        | Condition::Segment { .. }
        | Condition::ShippingMethod { .. }
        | Condition::All { .. }
        | Condition::Any { .. }
        | Condition::Not { .. } => None,
    }
}

impl Promotion {
    /// The currency of a promotion must be that of the document that contains it.
    pub(crate) fn check_currency(&self, currency: Currency, findings: &mut Findings) {
        findings.require(self.currency() == currency, ProblemKind::CurrencyMismatch);
    }
}
