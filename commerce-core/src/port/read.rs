//! Reads shared by the provided methods of a store.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::{PageRequest, PromotionWithUsage, Store, StoreError, StoreErrorKind, StoreResult};
use crate::document::{Aggregate, Document, DocumentFilter, DocumentId, StoredError};
use crate::event::HistoryEntry;
use crate::ids::{PromotionId, UserId};
use crate::money::Money;
use crate::promotion::{PromotionRecord, Redemption, Usage};

impl From<StoredError> for StoreError {
    fn from(error: StoredError) -> Self {
        Self::new(StoreErrorKind::Corrupt, error)
    }
}

/// The document of a noun by its id.
pub(super) async fn document<T>(store: &(impl Store + ?Sized), id: &impl ToString) -> StoreResult<Option<T>>
where
    T: Aggregate + TryFrom<Document, Error = StoredError>,
{
    let id = DocumentId::new(T::KIND, id);
    Ok(store.document(&id).await?.map(T::try_from).transpose()?)
}

/// The documents of a noun, by id.
pub(super) async fn documents<T>(store: &(impl Store + ?Sized), filter: &DocumentFilter) -> StoreResult<Vec<T>>
where
    T: Aggregate + TryFrom<Document, Error = StoredError>,
{
    let all = PageRequest::read_all(|page| async move { store.documents(T::KIND, filter, &page).await }).await?;
    Ok(all.into_iter().map(T::try_from).collect::<Result<_, _>>()?)
}

/// The entries of the whole history that `pick` selects.
pub(super) async fn history<T>(
    store: &(impl Store + ?Sized),
    pick: impl FnMut(HistoryEntry) -> Option<T>,
) -> StoreResult<Vec<T>> {
    let all = PageRequest::read_all(|page| async move { store.history(&page).await }).await?;
    Ok(all.into_iter().filter_map(pick).collect())
}

/// A promotion with its usage, by a customer too if one is given.
pub(super) async fn with_usage(
    store: &(impl Store + ?Sized),
    record: PromotionRecord,
    user: Option<&UserId>,
) -> StoreResult<PromotionWithUsage> {
    let uses = live_redemptions(store, record.id()).await?;
    let by_customer = uses.iter().filter(|redemption| Some(&redemption.user) == user).count();
    let spent = uses.iter().fold(0_i64, |sum, redemption| sum.saturating_add(redemption.amount.minor()));
    let usage = Usage {
        used: u64::try_from(uses.len()).unwrap_or(u64::MAX),
        used_by_customer: u64::try_from(by_customer).unwrap_or(u64::MAX),
        budget_used: Some(Money::new(spent, record.promotion.currency())),
    };
    Ok(PromotionWithUsage { record, usage })
}

/// The uses of a promotion that were not released.
async fn live_redemptions(store: &(impl Store + ?Sized), id: &PromotionId) -> StoreResult<Vec<Redemption>> {
    let all = PageRequest::read_all(|page| async move { store.redemptions(id, &page).await }).await?;
    Ok(all.into_iter().filter(|redemption| redemption.released_at.is_none()).collect())
}
