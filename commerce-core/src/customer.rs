//! Customers: what the shop knows of its users.
//!
//! Who the users are is a matter of the surrounding system. A customer adds what the shop needs of a user, under the same id: the
//! groups that promotions may ask for, a tax number, metadata. A user without a customer is a customer without any of these.
//!
//! # Invariants
//! * `CUS-1`: a deleted customer has no groups, no tax number and no metadata, and is in no list.
//! * `CUS-2`: a customer who is saved after being deleted is new, but the version goes on.

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
pub struct Customer {
    /// The id of the user.
    pub id: UserId,
    /// What the shop knows.
    #[serde(flatten)]
    pub details: CustomerDetails,
    /// When the customer was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<DateTime<Utc>>,
    /// Grows by one with every change.
    pub version: u64,
    /// When the customer was created.
    pub created_at: DateTime<Utc>,
    /// When the customer was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What the shop knows of a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerDetails {
    /// The groups the customer is in.
    #[serde(default)]
    pub groups: Groups,
    /// The tax number for invoices, in the form of its country; it is not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_number: Option<BoundedString<32>>,
    /// Entries of the callers.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// The name of a group. Promotions name it as a segment.
pub type Group = BoundedString<MAX_LABEL>;

/// The groups of a customer: at most [`MAX_SEGMENTS`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Groups(BTreeSet<Group>);

/// There are more than [`MAX_SEGMENTS`] groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a customer is in at most {MAX_SEGMENTS} groups")]
pub struct TooManyGroups;

impl Groups {
    /// Takes the names of groups; one that occurs twice counts once.
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
    /// The key that all customers have who are not deleted.
    pub const LISTED: &'static str = "listed";

    /// The key that the customers of a group are found by.
    pub fn key_of_group(group: &Group) -> String {
        format!("group:{group}")
    }

    /// Whether the customer is not deleted.
    pub const fn is_present(&self) -> bool {
        self.deleted_at.is_none()
    }

    /// A customer with the given details, in the place of the one that is known.
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

    /// The customer, deleted.
    #[must_use]
    pub fn deleted(&self, at: DateTime<Utc>) -> Self {
        Self { deleted_at: Some(at), ..Self::new(&self.id, Some(self), CustomerDetails::default(), at) }
    }
}

impl Aggregate for Customer {
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
