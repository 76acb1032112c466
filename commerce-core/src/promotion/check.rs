//! The checks of a promotion beyond its types.

use super::condition::MAX_CONDITION_DEPTH;
use super::effect::{BuyGet, Effect, MAX_TIERS, Tier};
use super::filter::{Filter, MAX_FILTER_ENTRIES};
use super::{MAX_CODE, MAX_LABEL, Promotion, PromotionDefinition, Usage};
use crate::money::{Currency, Money};
use crate::problem::{Findings, ProblemKind};
use crate::text::{is_line, is_visible};

pub(super) struct Check<'f> {
    currency: Currency,
    pub(super) findings: &'f mut Findings,
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

    pub(super) fn at(&mut self, name: &'static str, walk: impl FnOnce(&mut Check<'_>)) {
        let currency = self.currency;
        self.findings.field(name, |findings| walk(&mut Check { currency, findings }));
    }

    pub(super) fn each<T>(&mut self, entries: &[T], mut walk: impl FnMut(&mut Check<'_>, usize, &T)) {
        for (index, entry) in entries.iter().enumerate() {
            let currency = self.currency;
            self.findings.entry(index, |findings| walk(&mut Check { currency, findings }, index, entry));
        }
    }

    pub(super) fn require(&mut self, name: &'static str, well: bool, kind: ProblemKind) {
        self.at(name, |check| check.findings.require(well, kind));
    }

    fn label(&mut self, name: &'static str, label: Option<&str>, limit: usize) {
        let Some(label) = label else { return };
        self.require(name, is_visible(label), ProblemKind::Empty);
        self.require(name, is_line(label), ProblemKind::Invalid { expected: "one line without control characters" });
        self.require(name, label.chars().nth(limit).is_none(), ProblemKind::TooLong { limit });
    }

    pub(super) fn amount(&mut self, name: &'static str, amount: Money) {
        self.require(name, amount.currency() == self.currency, ProblemKind::CurrencyMismatch);
        self.require(name, !amount.is_negative(), ProblemKind::OutOfRange { expected: "zero or more" });
    }

    fn optional_amount(&mut self, name: &'static str, amount: Option<Money>) {
        if let Some(amount) = amount {
            self.amount(name, amount);
        }
    }

    pub(super) fn filter(&mut self, filter: &Filter) {
        let (skus, categories) = filter.entries();
        self.require("filter", !filter.is_empty(), ProblemKind::Empty);
        self.require(
            "filter",
            skus.max(categories) <= MAX_FILTER_ENTRIES,
            ProblemKind::TooMany { limit: MAX_FILTER_ENTRIES },
        );
    }

    pub(super) fn optional_filter(&mut self, filter: Option<&Filter>) {
        if let Some(filter) = filter {
            self.filter(filter);
        }
    }

    fn effect(&mut self, effect: &Effect) {
        match effect {
            Effect::PercentOff { max_amount, .. } => self.optional_amount("max_amount", *max_amount),
            Effect::AmountOff { amount, .. } | Effect::FixedPrice { amount, .. } => self.amount("amount", *amount),
            Effect::FreeShipping => {}
            Effect::BuyGet(BuyGet { buy, get, .. }) => {
                self.at("buy", |check| check.optional_filter(buy.filter.as_ref()));
                return self.at("get", |check| check.optional_filter(get.filter.as_ref()));
            }
            Effect::TieredPercent { tiers, max_amount } => {
                self.optional_amount("max_amount", *max_amount);
                self.at("tiers", |check| check.tiers(tiers));
            }
        }
        self.optional_filter(effect.filter());
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

impl Promotion {
    /// The currency of a promotion must be that of the document that contains it.
    pub(crate) fn check_currency(&self, currency: Currency, findings: &mut Findings) {
        findings.require(self.currency() == currency, ProblemKind::CurrencyMismatch);
    }
}
