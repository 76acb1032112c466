//! Comparing the uses of promotions.

use alloc::collections::BTreeSet;

use super::{Difference, MAX_TRIES, PAGE, Verifier};
use crate::document::DocumentFilter;
use crate::ids::PromotionId;
use crate::money::Money;
use crate::port::{PageRequest, Store, StoreError};
use crate::replay::UsesTotal;

impl<P: FnMut(u64) + Send> Verifier<'_, P> {
    /// Compares every stored promotion, and every one that was ever used.
    pub(super) async fn check_uses(&mut self) -> Result<(), StoreError> {
        let mut ids: BTreeSet<PromotionId> = self.replay.promotions().cloned().collect();
        let mut page = PageRequest { limit: PAGE, after: None };
        loop {
            let listing = self.store.promotions(&DocumentFilter::default(), &page).await?;
            ids.extend(listing.items.iter().map(|kept| kept.record.id().clone()));
            let Some(next) = listing.next else { break };
            page.after = Some(next);
        }
        for id in ids {
            self.check_promotion(&id).await?;
        }
        Ok(())
    }

    /// A promotion may be used between the readings. Only unchanged uses are compared.
    async fn check_promotion(&mut self, id: &PromotionId) -> Result<(), StoreError> {
        self.report.promotions = self.report.promotions.saturating_add(1);
        let mut found = self.compare_uses(id).await?;
        for _ in 1..MAX_TRIES {
            if found.is_none() {
                return Ok(());
            }
            let before = self.report.entries;
            self.catch_up().await?;
            let again = self.compare_uses(id).await?;
            let stood_still = self.report.entries == before && again == found;
            found = again;
            if stood_still {
                break;
            }
        }
        self.report.differences.extend(found);
        Ok(())
    }

    async fn compare_uses(&self, id: &PromotionId) -> Result<Option<Difference>, StoreError> {
        let rebuilt = self.replay.uses(id);
        let listed = listed(self.store, id).await?;
        let counted = self.store.promotion(id).await?.map_or(listed, |kept| UsesTotal {
            used: kept.usage.used,
            spent: kept.usage.budget_used.map_or(0, Money::minor),
        });
        let stored = if listed == rebuilt { counted } else { listed };
        Ok((stored != rebuilt).then(|| Difference::Uses { promotion: id.clone(), stored, rebuilt }))
    }
}

/// The sum of the listed uses that were not released.
async fn listed(store: &dyn Store, id: &PromotionId) -> Result<UsesTotal, StoreError> {
    let mut total = UsesTotal::default();
    let mut page = PageRequest { limit: PAGE, after: None };
    loop {
        let listing = store.redemptions(id, &page).await?;
        for redemption in listing.items.iter().filter(|redemption| redemption.released_at.is_none()) {
            total.used = total.used.saturating_add(1);
            total.spent = total.spent.saturating_add(redemption.amount.minor());
        }
        let Some(next) = listing.next else { return Ok(total) };
        page.after = Some(next);
    }
}
