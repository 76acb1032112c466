//! Promotions as a shop manages them: kept, changed, ended.

use alloc::string::String;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Promotion, Usage};
use crate::ids::PromotionId;

/// A promotion that a shop keeps. Its definition may change and it may be ended; orders keep what they were given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionRecord {
    /// The promotion, with nothing used up: the store counts.
    pub promotion: Promotion,
    /// When somebody ended it for good. It is no candidate any more.
    pub ended_at: Option<DateTime<Utc>>,
    /// Grows by one with every change.
    pub version: u64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl PromotionRecord {
    /// The [key](crate::document::Aggregate::keys) of automatic promotions that were not ended.
    pub const AUTOMATIC: &'static str = "automatic";

    /// The [key](crate::document::Aggregate::keys) of promotions with a code, as [`code_key`](super::code_key) gives it.
    pub fn key_of_code(code_key: &str) -> String {
        alloc::format!("code:{code_key}")
    }

    /// A promotion that begins to be kept.
    pub const fn new(promotion: Promotion, at: DateTime<Utc>) -> Self {
        Self { promotion, ended_at: None, version: 1, created_at: at, updated_at: at }
    }

    /// Its name.
    pub fn id(&self) -> &PromotionId {
        self.promotion.id()
    }

    /// The same with another definition. What was ended stays ended.
    #[must_use]
    pub fn changed(&self, promotion: Promotion, at: DateTime<Utc>) -> Self {
        Self { promotion, version: self.version.saturating_add(1), updated_at: at, ..self.clone() }
    }

    /// The same, ended. Ending it again changes nothing.
    #[must_use]
    pub fn ended(&self, at: DateTime<Utc>) -> Self {
        match self.ended_at {
            Some(_) => self.clone(),
            None => Self { ended_at: Some(at), ..self.changed(self.promotion.clone(), at) },
        }
    }

    /// The promotion as it stands in a price, with what is used up. An ended one has expired, so that whoever gives its code
    /// learns why it does not work.
    pub fn candidate(&self, usage: Usage) -> Promotion {
        let promotion = self.promotion.clone().with_usage(usage);
        match self.ended_at {
            Some(ended_at) => promotion.expired(ended_at),
            None => promotion,
        }
    }
}
