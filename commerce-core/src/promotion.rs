//! Promotions as checked values. [`pricing`](crate::pricing) applies them to a cart.
//!
//! A promotion has [conditions](Condition) that must all hold, one [effect](Effect), dates, [limits](Limits), a
//! priority, an optional group of which at most one promotion applies, and a flag that it applies alone.
//!
//! # Invariants
//! * `PRO-1`: a [`Promotion`] was checked. Its amounts are of one currency and not negative, its filters are not empty,
//!   its tiers rise, it ends after it starts, and its conditions are not nested deeper than [`MAX_CONDITION_DEPTH`].
//! * `PRO-2`: all problems of a promotion are reported at once, each with its path, a stable code and a sentence.
//! * `PRO-3`: the merchant sets the [`PromotionDefinition`], the store counts the [`Usage`]. The definition has no
//!   counter.

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
    PromotionExhausted, Redemption, RedemptionChange, RedemptionEffect, RedemptionMove, UncontendedUses, UsageCounter,
};
pub use self::usage::{Limit, Limits, Usage};
use crate::ids::PromotionId;
use crate::metadata::Metadata;
use crate::money::Currency;
use crate::problem::{Findings, Problems};

/// The maximum length of a code, in characters.
pub const MAX_CODE: usize = 64;
/// The maximum length of the name of a group, segment, shipping method or tax category, in characters.
pub const MAX_LABEL: usize = 64;

/// The terms of a promotion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PromotionDefinition {
    pub id: PromotionId,
    /// `None`: the promotion is automatic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Higher ones apply first, equal ones in the order of their list.
    pub priority: i32,
    /// Applies alone: of the exclusive promotions that qualify, the first by priority supersedes all others.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub exclusive: bool,
    /// At most one promotion of a group applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Inclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<DateTime<Utc>>,
    /// Exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub limits: Limits,
    /// All of them must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    pub effect: Effect,
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

    /// The [normalized](code_key) code, by which stores find it.
    pub fn code_key(&self) -> Option<String> {
        self.code.as_deref().map(code_key)
    }

    /// Whether a condition needs the segments of the customer.
    pub fn asks_for_segments(&self) -> bool {
        self.asks(|condition| matches!(condition, Condition::Segment { .. }))
    }

    /// Whether a condition needs the number of the customer's orders.
    pub fn asks_for_orders(&self) -> bool {
        self.asks(|condition| matches!(condition, Condition::FirstOrder | Condition::NthOrder { .. }))
    }

    fn asks(&self, kind: fn(&Condition) -> bool) -> bool {
        self.conditions.iter().any(|condition| condition.any(kind))
    }
}

/// A checked promotion with its usage. Cloning is cheap.
///
/// Its stored form has no usage: the store counts that.
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
    /// Checks a definition whose amounts are in `currency`. The usage is zero.
    ///
    /// # Errors
    /// Every [`Problem`](crate::problem::Problem), with its path in the promotion: `/effect/percent`.
    pub fn new(currency: Currency, definition: PromotionDefinition) -> Result<Self, Problems> {
        let mut findings = Findings::default();
        let promotion = Self::checked(currency, definition, Usage::default(), &mut findings);
        findings.finish(Some(promotion))
    }

    /// A promotion inside a larger value. It is only valid if there are no findings.
    pub fn checked(currency: Currency, definition: PromotionDefinition, usage: Usage, findings: &mut Findings) -> Self {
        let mut check = check::Check::new(currency, findings);
        check.definition(&definition);
        check.usage(&usage);
        Self { currency, definition: Arc::new(definition), usage }
    }

    /// The same promotion with usage. A used budget in another currency counts as zero.
    #[must_use]
    pub fn with_usage(self, usage: Usage) -> Self {
        let budget_used = usage.budget_used.filter(|amount| amount.currency() == self.currency);
        Self { usage: Usage { budget_used, ..usage }, ..self }
    }

    /// The same promotion, ended at an instant even if its start is later.
    fn expired(self, at: DateTime<Utc>) -> Self {
        let starts_at = self.definition.starts_at.filter(|start| *start < at);
        let ends_at = self.definition.ends_at.map_or(at, |end| end.min(at));
        let definition =
            PromotionDefinition { starts_at, ends_at: Some(ends_at), ..PromotionDefinition::clone(&self.definition) };
        Self { definition: Arc::new(definition), ..self }
    }

    /// The id.
    pub fn id(&self) -> &PromotionId {
        &self.definition.id
    }

    /// The currency of its amounts.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The terms.
    pub fn definition(&self) -> &PromotionDefinition {
        &self.definition
    }

    /// The usage.
    pub const fn usage(&self) -> &Usage {
        &self.usage
    }
}
