//! Which lines of a cart a condition or an effect is about.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::ids::{CategoryId, Sku};

/// The most skus, and the most categories, one filter names.
pub const MAX_FILTER_ENTRIES: usize = 1_000;

/// Some lines of a cart: by sku, by category, or by both, which must then both match.
///
/// A filter names at least one sku or category; a promotion with an empty one is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    skus: Vec<Sku>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    categories: Vec<CategoryId>,
}

impl Filter {
    /// Names skus and categories; their order does not matter.
    pub fn new(mut skus: Vec<Sku>, mut categories: Vec<CategoryId>) -> Self {
        skus.sort_unstable();
        skus.dedup();
        categories.sort_unstable();
        categories.dedup();
        Self { skus, categories }
    }

    /// Lines of these skus.
    pub fn skus(skus: Vec<Sku>) -> Self {
        Self::new(skus, Vec::new())
    }

    /// Lines of any of these categories.
    pub fn categories(categories: Vec<CategoryId>) -> Self {
        Self::new(Vec::new(), categories)
    }

    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        self.skus.is_empty() && self.categories.is_empty()
    }

    /// Whether a line of this sku, in these categories, is meant.
    pub fn matches(&self, sku: &Sku, categories: &[CategoryId]) -> bool {
        let sku_matches = self.skus.is_empty() || self.skus.binary_search(sku).is_ok();
        let category_matches = self.categories.is_empty()
            || categories.iter().any(|category| self.categories.binary_search(category).is_ok());
        sku_matches && category_matches
    }

    /// The skus it names, in order.
    pub fn named_skus(&self) -> &[Sku] {
        &self.skus
    }

    /// The categories it names, in order.
    pub fn named_categories(&self) -> &[CategoryId] {
        &self.categories
    }

    pub(super) fn entries(&self) -> (usize, usize) {
        (self.skus.len(), self.categories.len())
    }
}
