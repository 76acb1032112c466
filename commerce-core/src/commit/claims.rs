//! The owners of claims, and the claims that changed owner while a batch was settled.

use alloc::collections::BTreeMap;
use alloc::string::String;

use crate::document::Claim;

/// The claims that a batch takes or releases, with their owners: ids of documents and orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    loaded: BTreeMap<Claim, String>,
    /// The new owner; `None` if the claim was released.
    changed: BTreeMap<Claim, Option<String>>,
}

/// A change of one claim, for a store to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimChange<'a> {
    /// A free claim gets this owner.
    Take(&'a Claim, &'a str),
    /// The claim gets another owner.
    Pass(&'a Claim, &'a str),
    /// The claim becomes free.
    Release(&'a Claim),
}

impl Claims {
    /// The owners as they were loaded.
    pub const fn new(loaded: BTreeMap<Claim, String>) -> Self {
        Self { loaded, changed: BTreeMap::new() }
    }

    /// The current owner of a claim.
    pub(super) fn owner(&self, claim: &Claim) -> Option<&str> {
        match self.changed.get(claim) {
            Some(owner) => owner.as_deref(),
            None => self.loaded.get(claim).map(String::as_str),
        }
    }

    pub(super) fn take(&mut self, claim: &Claim, owner: String) {
        self.changed.insert(claim.clone(), Some(owner));
    }

    pub(super) fn release(&mut self, claim: &Claim) {
        self.changed.insert(claim.clone(), None);
    }

    /// The claims that changed owner since they were loaded, in their order.
    pub fn changes(&self) -> impl Iterator<Item = ClaimChange<'_>> {
        self.changed.iter().filter_map(|(claim, owner)| match (self.loaded.get(claim), owner) {
            (None, Some(owner)) => Some(ClaimChange::Take(claim, owner)),
            (Some(old), Some(owner)) if old != owner => Some(ClaimChange::Pass(claim, owner)),
            (Some(_), None) => Some(ClaimChange::Release(claim)),
            (None, None) | (Some(_), Some(_)) => None,
        })
    }
}
