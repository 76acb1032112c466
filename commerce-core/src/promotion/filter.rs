//! The lines of a cart that a condition or an effect applies to.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::ids::{CategoryId, Sku};

/// The maximum number of SKUs, and of categories, of one filter.
pub const MAX_FILTER_ENTRIES: usize = 1_000;

/// Some lines of a cart: by SKU, by category, or by both, which must then both match.
///
/// A filter has at least one SKU or category. Checking a promotion refuses an empty filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    skus: Vec<Sku>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    categories: Vec<CategoryId>,
}

impl Filter {
    /// Lines of these SKUs and categories; their order does not matter.
    pub fn new(mut skus: Vec<Sku>, mut categories: Vec<CategoryId>) -> Self {
        skus.sort_unstable();
        skus.dedup();
        categories.sort_unstable();
        categories.dedup();
        Self { skus, categories }
    }

    /// Lines of these SKUs.
    pub fn skus(skus: Vec<Sku>) -> Self {
        Self::new(skus, Vec::new())
    }

    /// Lines of any of these categories.
    pub fn categories(categories: Vec<CategoryId>) -> Self {
        Self::new(Vec::new(), categories)
    }

    /// Whether it has neither SKUs nor categories.
    pub fn is_empty(&self) -> bool {
        self.skus.is_empty() && self.categories.is_empty()
    }

    /// Whether a line of this SKU in these categories matches.
    pub fn matches(&self, sku: &Sku, categories: &[CategoryId]) -> bool {
        let sku_matches = self.skus.is_empty() || self.skus.binary_search(sku).is_ok();
        let category_matches = self.categories.is_empty()
            || categories.iter().any(|category| self.categories.binary_search(category).is_ok());
        sku_matches && category_matches
    }

    /// The SKUs, in order.
    pub fn named_skus(&self) -> &[Sku] {
        &self.skus
    }

    /// The categories, in order.
    pub fn named_categories(&self) -> &[CategoryId] {
        &self.categories
    }

    pub(super) fn entries(&self) -> (usize, usize) {
        (self.skus.len(), self.categories.len())
    }
}
