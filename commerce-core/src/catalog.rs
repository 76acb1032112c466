//! What is for sale: products, their variants with a price each, and a tree of categories.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ids::{CategoryId, ProductId, Sku};
use crate::metadata::Metadata;
use crate::money::{Currency, Money};
use crate::text::{BoundedString, Name};

/// The most variants of one product.
pub const MAX_VARIANTS: usize = 200;
/// The most categories of one product.
pub const MAX_CATEGORIES: usize = 20;

/// The most categories of a shop.
pub const MAX_TREE: usize = 10_000;

/// A product: what a customer sees as one thing, sold in one or more variants.
///
/// # Invariants
/// * `CAT-1`: one to [`MAX_VARIANTS`] variants, no sku twice, all in one currency, no negative price.
/// * `CAT-2`: a sku belongs to one product of the whole catalog; the commit guards it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// What it is called.
    pub name: Name,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<BoundedString<4000>>,
    /// Where it is found.
    #[serde(default)]
    pub categories: Vec<CategoryId>,
    /// Whether it is for sale. An inactive product can neither be added to a cart nor ordered.
    pub active: bool,
    /// The ways it is sold.
    pub variants: Vec<Variant>,
    /// What the merchant attached.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// Grows by one with every change.
    pub version: u64,
    /// When it was first saved.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// One way a product is sold: a sku and its price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// What is counted in stock.
    pub sku: Sku,
    /// What sets it apart from the other variants, such as "red, large".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// The price of one unit. Zero is a free item.
    pub price: Money,
    /// Which tax rates apply; none means untaxed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_category: Option<BoundedString<64>>,
    /// What the merchant attached.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// Why a product is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CatalogRejection {
    /// No variant, or more than [`MAX_VARIANTS`].
    #[error("a product has 1 to {MAX_VARIANTS} variants, not {0}")]
    VariantCount(usize),
    /// More than [`MAX_CATEGORIES`].
    #[error("a product is in at most {MAX_CATEGORIES} categories, not {0}")]
    CategoryCount(usize),
    /// The same sku twice.
    #[error("sku {0} stands twice")]
    DuplicateSku(Sku),
    /// Variants in different currencies, or not in the currency of the shop.
    #[error("sku {sku} is priced in {found}, not in {expected}")]
    Currency {
        /// Where.
        sku: Sku,
        /// The currency given.
        found: Currency,
        /// The currency of the shop.
        expected: Currency,
    },
    /// A price below zero.
    #[error("the price of sku {0} is negative")]
    NegativePrice(Sku),
}

impl Product {
    /// The offers of those of its variants that are among some skus.
    pub fn offers(&self, skus: &[Sku]) -> impl Iterator<Item = Offer> {
        self.variants.iter().filter(|variant| skus.contains(&variant.sku)).map(|variant| Offer::of(self, variant))
    }

    /// The key by which products of a category are found.
    pub fn key_of_category(category: &CategoryId) -> String {
        format!("category:{category}")
    }

    /// The key by which products are found that are for sale, or not.
    pub fn key_of_active(active: bool) -> String {
        if active { "active" } else { "inactive" }.to_owned()
    }

    /// Checks the rules that stand in one product.
    ///
    /// # Errors
    /// The first [`CatalogRejection`] in the order of its variants.
    pub fn check(&self, currency: Currency) -> Result<(), CatalogRejection> {
        if self.variants.is_empty() || self.variants.len() > MAX_VARIANTS {
            return Err(CatalogRejection::VariantCount(self.variants.len()));
        }
        if self.categories.len() > MAX_CATEGORIES {
            return Err(CatalogRejection::CategoryCount(self.categories.len()));
        }
        let mut seen = BTreeSet::new();
        self.variants.iter().try_for_each(|variant| {
            if !seen.insert(&variant.sku) {
                return Err(CatalogRejection::DuplicateSku(variant.sku.clone()));
            }
            variant.check(currency)
        })
    }

    /// The variant of a sku.
    pub fn variant(&self, sku: &Sku) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.sku == *sku)
    }
}

impl Variant {
    fn check(&self, expected: Currency) -> Result<(), CatalogRejection> {
        let found = self.price.currency();
        if found != expected {
            return Err(CatalogRejection::Currency { sku: self.sku.clone(), found, expected });
        }
        if self.price.is_negative() {
            return Err(CatalogRejection::NegativePrice(self.sku.clone()));
        }
        Ok(())
    }
}

/// A node of the category tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its id, which products name.
    pub id: CategoryId,
    /// What it is called.
    pub name: Name,
    /// The category above it; none at the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<CategoryId>,
    /// Grows by one with every change.
    pub version: u64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a cart or an order needs to know of a sku: one variant with what its product says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What is sold.
    pub sku: Sku,
    /// Of which product.
    pub product_id: ProductId,
    /// The name on the line: the product's, with the variant's behind it.
    pub name: Name,
    /// The price of one unit.
    pub price: Money,
    /// Where the product is found.
    pub categories: Vec<CategoryId>,
    /// Which tax rates apply.
    pub tax_category: Option<BoundedString<64>>,
    /// Whether it is for sale.
    pub active: bool,
}

impl Offer {
    /// The offer of one variant.
    pub fn of(product: &Product, variant: &Variant) -> Self {
        Self {
            sku: variant.sku.clone(),
            product_id: product.id.clone(),
            name: line_name(product, variant),
            price: variant.price,
            categories: product.categories.clone(),
            tax_category: variant.tax_category.clone(),
            active: product.active,
        }
    }
}

/// "Shirt, red"; the product's name alone where both together are too long for a line.
fn line_name(product: &Product, variant: &Variant) -> Name {
    let full = variant.name.as_ref().map(|name| alloc::format!("{}, {}", product.name, name));
    full.and_then(|name| name.parse().ok()).unwrap_or_else(|| product.name.clone())
}
