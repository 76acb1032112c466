//! Promotions: what a merchant promises, as checked values. How they work on a cart is in [`pricing`](crate::pricing).
//!
//! A promotion has [conditions](Condition) that must all hold, one [effect](Effect), dates, [limits](Limits), and a place
//! among the others: a priority, an optional group of which at most one applies, and whether it applies alone.
//!
//! # Invariants
//! * `PRO-1`: a [`Promotion`] was checked. Its amounts are of one currency and not negative, its filters name something,
//!   its tiers rise, it ends after it starts, and its conditions are not nested deeper than [`MAX_CONDITION_DEPTH`].
//! * `PRO-2`: what is wrong in a document is told all at once, each with a JSON pointer, a stable code and a sentence.
//! * `PRO-3`: a [`PromotionDefinition`] is what the merchant decides, [`Usage`] is what the store counts; the definition
//!   holds no counter.

mod check;
mod condition;
mod document;
mod effect;
mod filter;
mod percent;
mod problem;
pub(crate) mod read;
mod record;
mod redemption;
mod usage;
pub(crate) mod wire;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::condition::{Condition, MAX_CONDITION_DEPTH, MAX_CONDITIONS, MAX_LABELS};
pub use self::document::Document;
pub use self::effect::{AmountTarget, BuyGet, Effect, Items, MAX_TIERS, PriceTarget, Reward, Target, Tier, Units};
pub use self::filter::{Filter, MAX_FILTER_ENTRIES};
pub use self::percent::{ParsePercentError, Percent};
pub use self::problem::{MAX_PROBLEMS, Problem, ProblemKind, Problems};
pub use self::record::PromotionRecord;
pub(crate) use self::redemption::UsageSavepoint;
pub use self::redemption::{
    CustomerUsageChange, PromotionExhausted, Redemption, RedemptionChange, RedemptionEffect, RedemptionMove,
    UsageCounter,
};
pub use self::usage::{Limit, Limits, Usage};
pub(crate) use self::{document::Fields, problem::Findings};
use crate::ids::PromotionId;
use crate::money::Currency;

/// The longest code, in characters.
pub const MAX_CODE: usize = 64;
/// The longest name of a group, segment, shipping method or tax category, in characters.
pub const MAX_LABEL: usize = 64;

/// What a merchant promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PromotionDefinition {
    /// Its name.
    pub id: PromotionId,
    /// The code a buyer must give; without one the promotion is automatic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// A higher one goes first; equal ones go in the order of their list.
    pub priority: i32,
    /// Whether it applies alone: of the exclusive ones that qualify, the first by priority beats all the others.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub exclusive: bool,
    /// At most one promotion of a group applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The first instant it applies at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<DateTime<Utc>>,
    /// The first instant it no longer applies at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    /// How much of it there is.
    #[serde(flatten)]
    pub limits: Limits,
    /// What must hold, all of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// What it takes off.
    pub effect: Effect,
}

impl PromotionDefinition {
    /// An automatic promotion without conditions or limits.
    pub fn new(id: PromotionId, effect: Effect) -> Self {
        Self {
            id,
            code: None,
            priority: 0,
            exclusive: false,
            group: None,
            starts_at: None,
            ends_at: None,
            limits: Limits::default(),
            conditions: Vec::new(),
            effect,
        }
    }

    /// The code as it compares for buyers: without surrounding space, in lower case. Stores look codes up by it.
    pub fn code_key(&self) -> Option<String> {
        self.code.as_deref().map(code_key)
    }

    /// Whether it asks which segments the customer is in.
    pub fn asks_for_segments(&self) -> bool {
        self.asks(|condition| matches!(condition, Condition::Segment { .. }))
    }

    /// Whether it asks how many orders the customer has.
    pub fn asks_for_orders(&self) -> bool {
        self.asks(|condition| matches!(condition, Condition::FirstOrder | Condition::NthOrder { .. }))
    }

    fn asks(&self, kind: fn(&Condition) -> bool) -> bool {
        self.conditions.iter().any(|condition| condition.any(kind))
    }
}

/// A code as it compares for buyers: without surrounding space, in lower case.
pub fn code_key(code: &str) -> String {
    code.trim().chars().flat_map(char::to_lowercase).collect()
}

/// A promotion that was checked, with how much of it is used up. Cloning one is cheap.
///
/// It serializes to the object of a pricing request, with its `currency`, and so can stand and be stored alone.
///
/// ```
/// use commerce_core::promotion::Promotion;
///
/// let promotion: Promotion = serde_json::from_str(
///     r#"{ "id": "spring", "currency": "EUR", "code": "SPRING",
///          "effect": { "type": "percent_off", "target": "order", "percent": "10" } }"#,
/// )?;
/// assert_eq!(promotion.definition().code.as_deref(), Some("SPRING"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    currency: Currency,
    checked: Arc<Checked>,
    usage: Usage,
}

/// Terms, and their filters in the order of their slots.
#[derive(Debug, PartialEq, Eq)]
struct Checked {
    definition: PromotionDefinition,
    filters: Vec<Filter>,
}

impl Promotion {
    /// Checks a definition whose amounts are in `currency`. Nothing of the promotion is used up yet.
    ///
    /// # Errors
    /// Every [`Problem`], with pointers from the promotion's own object: `/effect/percent`.
    pub fn new(currency: Currency, definition: PromotionDefinition) -> Result<Self, Problems> {
        let mut findings = Findings::default();
        let promotion = Self::checked(currency, definition, Usage::default(), &mut findings);
        findings.finish(Some(promotion))
    }

    /// Reads a promotion. Its amounts are in the currency it names, which must be that of the document `around` it, if
    /// there is one; it need not name any then.
    ///
    /// # Errors
    /// Every [`Problem`], with pointers from the promotion's own object: `/effect/percent`.
    pub fn read(document: &Document, around: Option<Currency>) -> Result<Self, Problems> {
        let mut findings = Findings::default();
        let promotion = Self::read_in(document, around, &mut findings);
        findings.finish(promotion)
    }

    pub(crate) fn read_in(document: &Document, around: Option<Currency>, findings: &mut Findings) -> Option<Self> {
        let mut fields = document.fields(findings)?;
        let currency = read::currency(&mut fields, findings, around)?;
        let read = read::definition(&mut fields, findings, currency);
        fields.finish(findings);
        let (definition, usage) = read?;
        Some(Self::checked(currency, definition, usage, findings))
    }

    fn checked(currency: Currency, mut definition: PromotionDefinition, usage: Usage, findings: &mut Findings) -> Self {
        let mut check = check::Check::new(currency, findings);
        check.definition(&definition);
        check.usage(&usage);
        let filters = number_filters(&mut definition);
        Self { currency, checked: Arc::new(Checked { definition, filters }), usage }
    }

    /// The same promotion, with how much of it the store says is used up. An amount of another currency counts as none.
    #[must_use]
    pub fn with_usage(self, usage: Usage) -> Self {
        let budget_used = usage.budget_used.filter(|amount| amount.currency() == self.currency);
        Self { usage: Usage { budget_used, ..usage }, ..self }
    }

    /// The same promotion, over since an instant, even if it would have started later.
    fn expired(self, at: DateTime<Utc>) -> Self {
        let Checked { definition, filters } = &*self.checked;
        let starts_at = definition.starts_at.filter(|start| *start < at);
        let ends_at = definition.ends_at.map_or(at, |end| end.min(at));
        let definition = PromotionDefinition { starts_at, ends_at: Some(ends_at), ..definition.clone() };
        Self { checked: Arc::new(Checked { definition, filters: filters.clone() }), ..self }
    }

    /// Its name.
    pub fn id(&self) -> &PromotionId {
        &self.checked.definition.id
    }

    /// The currency of its amounts.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// What the merchant promises.
    pub fn definition(&self) -> &PromotionDefinition {
        &self.checked.definition
    }

    /// Its filters; each one's place here is its slot.
    pub(crate) fn filters(&self) -> &[Filter] {
        &self.checked.filters
    }

    /// How much of it is used up.
    pub const fn usage(&self) -> &Usage {
        &self.usage
    }
}

/// Gives every filter its row in the table of matching lines that pricing makes for the promotion.
fn number_filters(definition: &mut PromotionDefinition) -> Vec<Filter> {
    let mut filters = Vec::new();
    let mut number = |filter: &mut Filter| {
        filter.slot = filter::Slot(filters.len());
        filters.push(filter.clone());
    };
    for condition in &mut definition.conditions {
        condition.filters_mut(&mut number);
    }
    definition.effect.filters_mut(&mut number);
    filters
}

impl Serialize for Promotion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'a> {
            currency: Currency,
            #[serde(flatten)]
            definition: &'a PromotionDefinition,
            #[serde(flatten)]
            usage: &'a Usage,
        }
        Written { currency: self.currency, definition: self.definition(), usage: &self.usage }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Promotion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = Document::deserialize(deserializer)?;
        Self::read(&document, None).map_err(Error::custom)
    }
}
