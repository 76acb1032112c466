//! What this process last saw of levels of stock.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use commerce_core::commit::{Facts, Needs};
use commerce_core::ids::Sku;
use commerce_core::stock::{Shelf, StockLevel};

use super::dialect;

/// The most levels that are kept; with more, all are forgotten.
const MOST: usize = 65_536;

/// Levels as they were when this process last read or wrote them. Others may have moved them since, so nothing but the taking of
/// units may be settled on them, which is held to its bounds as it is written.
#[derive(Debug, Default)]
pub(in super::super) struct Memory(Mutex<HashMap<Sku, StockLevel>>);

impl Memory {
    /// The levels that are needed, if all are known.
    pub(super) fn levels(&self, needs: &Needs<'_>) -> Option<Vec<StockLevel>> {
        let known = self.known();
        needs.shelves.keys().map(|sku| known.get(*sku).cloned()).collect()
    }

    /// Keeps the levels that were settled and written.
    pub(super) fn keep(&self, facts: &Facts) {
        if !dialect::TAKES {
            return;
        }
        let stocked = facts.shelves.values().map(Shelf::level).filter(|level| level.version > 0);
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
    pub(super) fn forget(&self, needs: &Needs<'_>) {
        let mut known = self.known();
        for sku in needs.shelves.keys() {
            known.remove(*sku);
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Sku, StockLevel>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
