//! Promotions as stored documents.

use alloc::string::String;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Promotion, Usage};
use crate::ids::PromotionId;

/// A stored promotion. Its definition can be changed and it can be ended. Placed orders do not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PromotionRecord {
    /// Without usage, which the store counts.
    pub promotion: Promotion,
    /// When it was ended; it is no candidate any more.
    pub ended_at: Option<DateTime<Utc>>,
    /// Grows by one with every change.
    pub version: u64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl PromotionRecord {
    /// The [key](crate::document::Aggregate::keys) of automatic promotions that were not ended.
    pub const AUTOMATIC: &'static str = "automatic";

    /// The [key](crate::document::Aggregate::keys) of promotions with a code, normalized by
    /// [`code_key`](super::code_key).
    pub fn key_of_code(code_key: &str) -> String {
        alloc::format!("code:{code_key}")
    }

    /// A new record, version 1.
    pub const fn new(promotion: Promotion, at: DateTime<Utc>) -> Self {
        Self { promotion, ended_at: None, version: 1, created_at: at, updated_at: at }
    }

    /// The id.
    pub fn id(&self) -> &PromotionId {
        self.promotion.id()
    }

    /// The record with another definition. An ended promotion stays ended.
    #[must_use]
    pub fn changed(&self, promotion: Promotion, at: DateTime<Utc>) -> Self {
        Self { promotion, version: self.version.saturating_add(1), updated_at: at, ..self.clone() }
    }

    /// The ended record. Ending it again changes nothing.
    #[must_use]
    pub fn ended(&self, at: DateTime<Utc>) -> Self {
        match self.ended_at {
            Some(_) => self.clone(),
            None => Self { ended_at: Some(at), ..self.changed(self.promotion.clone(), at) },
        }
    }

    /// The promotion as a candidate for pricing, with its usage. An ended promotion has expired, so that a customer who
    /// enters its code learns why it does not apply.
    pub fn candidate(&self, usage: Usage) -> Promotion {
        let promotion = self.promotion.clone().with_usage(usage);
        match self.ended_at {
            Some(ended_at) => promotion.expired(ended_at),
            None => promotion,
        }
    }
}
