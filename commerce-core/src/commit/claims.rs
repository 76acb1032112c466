//! Who reservations which claim, and what changed hands while a batch was settled.

use alloc::collections::BTreeMap;
use alloc::string::String;

use crate::document::Claim;

/// The claims that a batch takes or releases, with the ids of the documents and orders that hold them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    loaded: BTreeMap<Claim, String>,
    /// The holder since; none where nobody holds the claim any more.
    changed: BTreeMap<Claim, Option<String>>,
}

/// What a store has to write of one claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimChange<'a> {
    /// Nobody held it; now the document or order of this id does.
    Take(&'a Claim, &'a str),
    /// It passes to the document or order of this id.
    Pass(&'a Claim, &'a str),
    /// Nobody holds it any more.
    Release(&'a Claim),
}

impl Claims {
    /// The claims that are held, as they were loaded.
    pub const fn new(loaded: BTreeMap<Claim, String>) -> Self {
        Self { loaded, changed: BTreeMap::new() }
    }

    /// Who holds a claim now.
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

    /// The claims that changed hands since they were loaded, in their order.
    pub fn changes(&self) -> impl Iterator<Item = ClaimChange<'_>> {
        self.changed.iter().filter_map(|(claim, owner)| match (self.loaded.get(claim), owner) {
            (None, Some(owner)) => Some(ClaimChange::Take(claim, owner)),
            (Some(old), Some(owner)) if old != owner => Some(ClaimChange::Pass(claim, owner)),
            (Some(_), None) => Some(ClaimChange::Release(claim)),
            (None, None) | (Some(_), Some(_)) => None,
        })
    }
}
