//! Which lines of a cart a condition or an effect is about.

use alloc::vec::Vec;

use serde::Serialize;

use crate::ids::{CategoryId, Sku};

/// The most skus, and the most categories, one filter names.
pub const MAX_FILTER_ENTRIES: usize = 1_000;

/// Some lines of a cart: by sku, by category, or by both, which must then both match.
///
/// A filter names at least one sku or category; a promotion with an empty one is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Filter {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skus: Vec<Sku>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    categories: Vec<CategoryId>,
    #[serde(skip)]
    pub(super) slot: Slot,
}

/// Where a promotion's table of matching lines has the row of this filter. It says nothing of the filter's meaning, so
/// all slots are equal.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot(pub(super) usize);

impl PartialEq for Slot {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Slot {}

impl Filter {
    /// Names skus and categories; their order does not matter.
    pub fn new(mut skus: Vec<Sku>, mut categories: Vec<CategoryId>) -> Self {
        skus.sort_unstable();
        skus.dedup();
        categories.sort_unstable();
        categories.dedup();
        Self { skus, categories, slot: Slot::default() }
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

    /// The row of this filter in its promotion's table of matching lines.
    pub(crate) fn slot(&self) -> usize {
        self.slot.0
    }
}
