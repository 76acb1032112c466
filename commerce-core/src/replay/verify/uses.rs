//! Comparing the uses of promotions.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::{Counted, Difference, PAGE, Verifier};
use crate::document::DocumentFilter;
use crate::ids::PromotionId;
use crate::money::Money;
use crate::port::{PageRequest, Store, StoreResult};
use crate::replay::UsesTotal;

impl<P: FnMut(u64) + Send> Verifier<'_, P> {
    /// Compares every stored promotion, and every one that was ever used.
    pub(super) async fn check_uses(&mut self) -> StoreResult<()> {
        let mut others: BTreeSet<PromotionId> = self.replay.promotions().cloned().collect();
        let mut page = PageRequest { limit: PAGE, after: None };
        loop {
            let listing = self.store.promotions(&DocumentFilter::default(), &page).await?;
            for known in &listing.items {
                others.remove(known.record.id());
                self.check_promotion(known.record.id()).await?;
            }
            let Some(next) = listing.next else { break };
            page.after = Some(next);
        }
        for id in others {
            self.check_promotion(&id).await?;
        }
        Ok(())
    }

    async fn check_promotion(&mut self, id: &PromotionId) -> StoreResult<()> {
        self.report.promotions = self.report.promotions.saturating_add(1);
        self.check_unchanged(Counted::Uses(id)).await
    }

    pub(super) async fn compare_uses(&self, id: &PromotionId) -> StoreResult<Vec<Difference>> {
        let rebuilt = self.replay.uses(id);
        let listed = listed(self.store, id).await?;
        let counted = self.store.promotion(id).await?.map_or(listed, |kept| UsesTotal {
            used: kept.usage.used,
            spent: kept.usage.budget_used.map_or(0, Money::minor),
        });
        let stored = if listed == rebuilt { counted } else { listed };
        let difference = || Difference::Uses { promotion: id.clone(), stored, rebuilt };
        Ok((stored != rebuilt).then(difference).into_iter().collect())
    }
}

/// The sum of the listed uses that were not released.
async fn listed(store: &dyn Store, id: &PromotionId) -> StoreResult<UsesTotal> {
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
