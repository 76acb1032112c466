//! The commit of an order with its cart.

use commerce_core::cart::{Cart, CartStatus};
use commerce_core::commit::{Commit, Refusal, Subject};
use commerce_core::document::{DocumentChange, DocumentKind};
use commerce_core::port::{CommitError, StoreError, StoreErrorKind, StoreResult};

use super::{Marked, PATIENCE, PAUSES, RedisCarts, busy};

/// What a store of this kind cannot commit at once.
const MIXED: &str = "a commit that is not of carts alone may only order a cart";

impl RedisCarts {
    /// Places an order of a cart: marks the cart, commits the order, and removes the cart.
    pub(super) async fn check_out(&self, mut commit: Commit) -> Result<(), CommitError> {
        let Some((change, cart)) = ordered(&commit)? else { return self.store.commit(commit).await };
        let (id, token) = (change.id().id.clone(), commit.seed.to_string());
        self.mark(&commit, &id, change.expected(), &token).await?;
        commit.documents.retain(|change| change.id().kind != DocumentKind::Cart);
        commit.change(None, cart.clone());
        let outcome = self.store.commit(commit).await;
        match &outcome {
            Ok(()) => self.kept.close(&id, &cart.user_id).await,
            Err(CommitError::Refused(Refusal::VersionConflict { subject: Subject::Document(found), .. }))
                if *found == *change.id() =>
            {
                // It was ordered before, and Redis has forgotten that.
                self.kept.close(&id, &cart.user_id).await;
            }
            // Whoever finds the mark asks the store.
            Err(CommitError::Failed(error)) if error.kind == StoreErrorKind::Unknown => {}
            Err(_) => self.kept.unmark(&id, &token).await,
        }
        outcome
    }

    /// Marks a cart at a version, so that nobody changes or orders it. Waits for the checkout that has marked it.
    async fn mark(&self, commit: &Commit, id: &str, expected: u64, token: &str) -> Result<(), CommitError> {
        let mut pause = PAUSES.0;
        for _ in 0..PATIENCE {
            match self.kept.mark(id, expected, token).await? {
                Marked::Done => return Ok(()),
                Marked::Conflict(actual) => return Err(self.conflict(commit, id, actual).await?),
                Marked::Busy => pause = self.wait(id, pause).await?,
            }
        }
        Err(busy().into())
    }
}

/// The cart that a commit orders, and its change.
fn ordered(commit: &Commit) -> StoreResult<Option<(DocumentChange, Cart)>> {
    let mut carts = commit.documents.iter().filter(|change| change.id().kind == DocumentKind::Cart);
    let Some(change) = carts.next().cloned() else { return Ok(None) };
    let cart = Cart::try_from(change.document().clone())?;
    if cart.status == CartStatus::CheckedOut && change.expected() > 0 && carts.next().is_none() {
        Ok(Some((change, cart)))
    } else {
        Err(StoreError::new(StoreErrorKind::Corrupt, MIXED))
    }
}
