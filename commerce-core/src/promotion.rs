//! Promotions: what a merchant promises, as checked values. How they work on a cart is in [`pricing`](crate::pricing).
//!
//! A promotion has [conditions](Condition) that must all hold, one [effect](Effect), dates, [limits](Limits), and a place
//! among the others: a priority, an optional group of which at most one applies, and whether it applies alone.
//!
//! # Invariants
//! * `PRO-1`: a [`Promotion`] was checked. Its amounts are of one currency and not negative, its filters name something,
//!   its tiers rise, it ends after it starts, and its conditions are not nested deeper than [`MAX_CONDITION_DEPTH`].
//! * `PRO-2`: what is wrong with a promotion is told all at once, each with its path, a stable code and a sentence.
//! * `PRO-3`: a [`PromotionDefinition`] is what the merchant decides, [`Usage`] is what the store counts; the definition
//!   holds no counter.

mod check;
mod code;
mod condition;
mod effect;
mod filter;
mod percent;
mod record;
mod redemption;
mod usage;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::code::{code_key, same_code};
pub use self::condition::{Condition, MAX_CONDITION_DEPTH, MAX_CONDITIONS, MAX_LABELS};
pub use self::effect::{AmountTarget, BuyGet, Effect, Items, MAX_TIERS, PriceTarget, Reward, Target, Tier, Units};
pub use self::filter::{Filter, MAX_FILTER_ENTRIES};
pub use self::percent::{ParsePercentError, Percent};
pub use self::record::PromotionRecord;
pub(crate) use self::redemption::UsageSavepoint;
pub use self::redemption::{
    CustomerUsageChange, PromotionExhausted, Redemption, RedemptionChange, RedemptionEffect, RedemptionMove,
    UsageCounter,
};
pub use self::usage::{Limit, Limits, Usage};
use crate::ids::PromotionId;
use crate::metadata::Metadata;
use crate::money::Currency;
use crate::problem::{Findings, Problems};

/// The longest code, in characters.
pub const MAX_CODE: usize = 64;
/// The longest name of a group, segment, shipping method or tax category, in characters.
pub const MAX_LABEL: usize = 64;

/// What a merchant promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionDefinition {
    /// Its name.
    pub id: PromotionId,
    /// The code a buyer must give; without one the promotion is automatic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// A higher one goes first; equal ones go in the order of their list.
    pub priority: i32,
    /// Whether it applies alone: of the exclusive ones that qualify, the first by priority beats all the others.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
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
    #[serde(default)]
    pub limits: Limits,
    /// What must hold, all of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// What it takes off.
    pub effect: Effect,
    /// What the merchant attached.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
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
            metadata: Metadata::default(),
        }
    }

    /// The code as it compares. Stores look codes up by it.
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

/// A promotion that was checked, with how much of it is used up. Cloning one is cheap.
///
/// It is stored without what is used up: the store counts that.
///
/// ```
/// use commerce_core::money::Currency;
/// use commerce_core::promotion::{Effect, Percent, Promotion, PromotionDefinition, Target};
///
/// let effect = Effect::PercentOff { percent: Percent::new(10.into())?, target: Target::Order, max_amount: None };
/// let definition = PromotionDefinition { code: Some("SPRING".into()), ..PromotionDefinition::new("spring".parse()?, effect) };
/// let promotion = Promotion::new(Currency::EUR, definition)?;
/// assert_eq!(promotion.definition().code_key().as_deref(), Some("spring"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    currency: Currency,
    definition: Arc<PromotionDefinition>,
    #[serde(skip)]
    usage: Usage,
}

impl Promotion {
    /// Checks a definition whose amounts are in `currency`. Nothing of the promotion is used up yet.
    ///
    /// # Errors
    /// Every [`Problem`](crate::problem::Problem), with its path from the promotion: `/effect/percent`.
    pub fn new(currency: Currency, definition: PromotionDefinition) -> Result<Self, Problems> {
        let mut findings = Findings::default();
        let promotion = Self::checked(currency, definition, Usage::default(), &mut findings);
        findings.finish(Some(promotion))
    }

    /// A promotion that is part of what is being walked. It may only be relied on if nothing was found.
    pub fn checked(currency: Currency, definition: PromotionDefinition, usage: Usage, findings: &mut Findings) -> Self {
        let mut check = check::Check::new(currency, findings);
        check.definition(&definition);
        check.usage(&usage);
        Self { currency, definition: Arc::new(definition), usage }
    }

    /// The same promotion, with how much of it the store says is used up. An amount of another currency counts as none.
    #[must_use]
    pub fn with_usage(self, usage: Usage) -> Self {
        let budget_used = usage.budget_used.filter(|amount| amount.currency() == self.currency);
        Self { usage: Usage { budget_used, ..usage }, ..self }
    }

    /// The same promotion, over since an instant, even if it would have started later.
    fn expired(self, at: DateTime<Utc>) -> Self {
        let starts_at = self.definition.starts_at.filter(|start| *start < at);
        let ends_at = self.definition.ends_at.map_or(at, |end| end.min(at));
        let definition =
            PromotionDefinition { starts_at, ends_at: Some(ends_at), ..PromotionDefinition::clone(&self.definition) };
        Self { definition: Arc::new(definition), ..self }
    }

    /// Its name.
    pub fn id(&self) -> &PromotionId {
        &self.definition.id
    }

    /// The currency of its amounts.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// What the merchant promises.
    pub fn definition(&self) -> &PromotionDefinition {
        &self.definition
    }

    /// How much of it is used up.
    pub const fn usage(&self) -> &Usage {
        &self.usage
    }
}
