//! Customers: the data that the shop has about its users.
//!
//! The surrounding system defines the users. A customer adds the data of the shop under the same id: groups for
//! conditions of promotions, a tax number, metadata. A user without a customer has no such data.
//!
//! # Invariants
//! * `CUS-1`: a deleted customer has no groups, no tax number and no metadata, and is in no list.
//! * `CUS-2`: a customer who is saved again after deletion is new, but the version continues.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::document::{Aggregate, Versioned as _};
use crate::ids::UserId;
use crate::metadata::Metadata;
use crate::pricing::MAX_SEGMENTS;
use crate::promotion::MAX_LABEL;
use crate::text::BoundedString;

/// A user of the shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Customer {
    pub id: UserId,
    #[serde(flatten)]
    pub details: CustomerDetails,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<DateTime<Utc>>,
    /// Grows by one with every change.
    pub version: u64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The data of a customer that a caller sets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct CustomerDetails {
    #[serde(default)]
    pub groups: Groups,
    /// The tax number for invoices, in the form of its country. It is not validated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_number: Option<BoundedString<32>>,
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// The name of a group. Promotions use it as a segment.
pub type Group = BoundedString<MAX_LABEL>;

/// The groups of a customer: at most [`MAX_SEGMENTS`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Groups(BTreeSet<Group>);

/// More than [`MAX_SEGMENTS`] groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a customer is in at most {MAX_SEGMENTS} groups")]
pub struct TooManyGroups;

impl Groups {
    /// A set of groups. Duplicates are ignored.
    ///
    /// # Errors
    /// [`TooManyGroups`].
    pub fn new(names: impl IntoIterator<Item = Group>) -> Result<Self, TooManyGroups> {
        let names: BTreeSet<_> = names.into_iter().collect();
        if names.len() <= MAX_SEGMENTS { Ok(Self(names)) } else { Err(TooManyGroups) }
    }

    /// The names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Group> {
        self.0.iter()
    }
}

impl Customer {
    /// The key of all customers who are not deleted.
    pub const LISTED: &'static str = "listed";

    /// The key of the customers of a group.
    pub fn key_of_group(group: &Group) -> String {
        format!("group:{group}")
    }

    /// Whether the customer is not deleted.
    pub const fn is_present(&self) -> bool {
        self.deleted_at.is_none()
    }

    /// The next version of a customer, with the given details.
    pub fn new(id: &UserId, known: Option<&Self>, details: CustomerDetails, at: DateTime<Utc>) -> Self {
        let present = known.filter(|known| known.is_present());
        Self {
            id: id.clone(),
            details,
            deleted_at: None,
            version: known.map_or(0, |known| known.version).saturating_add(1),
            created_at: present.map_or(at, |present| present.created_at),
            updated_at: at,
        }
    }

    /// The deleted customer.
    #[must_use]
    pub fn deleted(&self, at: DateTime<Utc>) -> Self {
        Self { deleted_at: Some(at), ..Self::new(&self.id, Some(self), CustomerDetails::default(), at) }
    }
}

impl Aggregate for Customer {
    const EVENT_TYPES: &[&str] = &[Self::CREATED, Self::UPDATED, "customer.deleted"];

    fn keys(&self) -> Vec<String> {
        if !self.is_present() {
            return Vec::new();
        }
        let groups = self.details.groups.iter().map(Self::key_of_group);
        groups.chain(self.details.metadata.lookup_keys()).chain([Self::LISTED.into()]).collect()
    }

    fn event_type(&self, before: Option<&Self>) -> &'static str {
        match before {
            _ if !self.is_present() => "customer.deleted",
            Some(before) if before.is_present() => Self::UPDATED,
            _ => Self::CREATED,
        }
    }
}
