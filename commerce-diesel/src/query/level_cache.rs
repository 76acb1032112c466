//! What this process last saw of levels of stock.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use commerce_core::commit::{LoadedState, ReadSet};
use commerce_core::ids::Sku;
use commerce_core::stock::{SkuStock, StockLevel};

use super::dialect;

/// The most levels that are kept; with more, all are forgotten.
const MOST: usize = 65_536;

/// Levels as they were when this process last read or wrote them. Others may have moved them since, so nothing but the taking of
/// units may be settled on them, which is held to its bounds as it is written.
#[derive(Debug, Default)]
pub(in super::super) struct LevelCache(Mutex<HashMap<Sku, StockLevel>>);

impl LevelCache {
    /// The levels that are needed, if all are known.
    pub(super) fn levels(&self, read_set: &ReadSet<'_>) -> Option<Vec<StockLevel>> {
        let known = self.known();
        read_set.sku_stocks.keys().map(|sku| known.get(*sku).cloned()).collect()
    }

    /// Keeps the levels that were settled and written.
    pub(super) fn keep(&self, loaded: &LoadedState) {
        if !dialect::SUPPORTS_OPTIMISTIC_RESERVE {
            return;
        }
        let stocked = loaded.sku_stocks.values().map(SkuStock::level).filter(|level| level.version > 0);
        let mut known = self.known();
        if known.len() > MOST {
            known.clear();
        }
        for level in stocked {
            match known.get_mut(&level.sku) {
                Some(old) => old.clone_from(level),
                None => drop(known.insert(level.sku.clone(), level.clone())),
            }
        }
    }

    /// Forgets levels of which something was not true any more, perhaps.
    pub(super) fn forget(&self, read_set: &ReadSet<'_>) {
        let mut known = self.known();
        for sku in read_set.sku_stocks.keys() {
            known.remove(*sku);
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Sku, StockLevel>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
