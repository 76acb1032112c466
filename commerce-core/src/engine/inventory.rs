//! Use cases of stock.

use crate::actor::Actor;
use crate::ids::Sku;
use crate::permission::Permission;
use crate::port::{Page, PageRequest};
use crate::stock::{SkuStock, StockAction, StockLevel, StockMove};

use super::{Answer, Decided, Decision, Engine, EngineError, Key, Resource, Result, Target};

impl Engine {
    /// The stock of a SKU now.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if it was never stocked, [`EngineError::Forbidden`].
    pub async fn stock(&self, caller: &Actor, sku: &Sku) -> Result<StockLevel> {
        caller.require(Permission::SeeStock)?;
        let level = self.ports.store.stock(sku, self.now()).await?;
        level.ok_or(EngineError::NotFound(Resource::Stock))
    }

    /// The stock of every SKU now, by SKU; with `low_only` only low stock.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::Store`].
    pub async fn stock_levels(
        &self,
        caller: &Actor,
        low_only: bool,
        page: &PageRequest<Sku>,
    ) -> Result<Page<StockLevel, Sku>> {
        caller.require(Permission::SeeStock)?;
        Ok(self.ports.store.stock_levels(low_only, self.now(), page).await?)
    }

    /// Sets or adjusts the stock of a SKU.
    ///
    /// The move is a guarded delta, so it does not conflict with sales. The result is the level that was read with the
    /// move applied; sales at the same moment are not in it. A version in the target becomes part of the guard.
    ///
    /// # Errors
    /// [`EngineError::Stock`], [`EngineError::VersionMismatch`], [`EngineError::Forbidden`].
    pub async fn move_stock(
        &self,
        caller: &Actor,
        target: Target<&Sku>,
        action: StockAction,
        key: Key<'_, StockLevel>,
    ) -> Answer<StockLevel> {
        self.decide_and_commit(key, |_| self.decide_move(caller, target, &action)).await
    }

    async fn decide_move(
        &self,
        caller: &Actor,
        Target { id: sku, expected }: Target<&Sku>,
        action: &StockAction,
    ) -> Decided<StockLevel> {
        caller.require(Permission::ManageStock)?;
        let at = self.now();
        let level = self.ports.store.stock(sku, at).await?.unwrap_or_else(|| StockLevel::empty(sku.clone()));
        expected.check(level.version)?;
        let action = action.clone().expecting(expected.guard(level.version));
        let next_expiry = level.next_expiry;
        let mut sku_stock = SkuStock::new(level, alloc::collections::BTreeMap::new(), next_expiry);
        sku_stock.apply(&action, at)?;
        let mut commit = self.commit_by(caller, at);
        commit.stock.push(StockMove { sku: sku.clone(), action });
        Ok(Decision { commit, outcome: sku_stock.level().clone() })
    }
}
