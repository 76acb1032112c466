//! The catalog: products, their variants with a price each, and a tree of categories.

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

/// The maximum number of variants of one product.
pub const MAX_VARIANTS: usize = 200;
/// The maximum number of categories of one product.
pub const MAX_CATEGORIES: usize = 20;

/// The maximum number of categories of a shop.
pub const MAX_TREE: usize = 10_000;

/// A product, sold in one or more variants.
///
/// # Invariants
/// * `CAT-1`: one to [`MAX_VARIANTS`] variants, no SKU twice, all in one currency, no negative price.
/// * `CAT-2`: a SKU belongs to one product of the whole catalog. The commit guards it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Product {
    pub id: ProductId,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<BoundedString<4000>>,
    #[serde(default)]
    pub categories: Vec<CategoryId>,
    /// Whether it is for sale. An inactive product cannot be added to a cart or ordered.
    pub active: bool,
    pub variants: Vec<Variant>,
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// Grows by one with every change.
    pub version: u64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A form of a product with its own SKU and price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct Variant {
    pub sku: Sku,
    /// Distinguishes it from the other variants, such as "red, large".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// The price of one unit. Zero is a free item.
    pub price: Money,
    /// `None`: untaxed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_category: Option<BoundedString<64>>,
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

impl Variant {
    /// The only variant of a product, untaxed.
    pub fn new(sku: Sku, price: Money) -> Self {
        Self { sku, name: None, price, tax_category: None, metadata: Metadata::default() }
    }
}

/// Why a product is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum CatalogRejection {
    #[error("a product has 1 to {MAX_VARIANTS} variants, not {0}")]
    VariantCount(usize),
    #[error("a product is in at most {MAX_CATEGORIES} categories, not {0}")]
    CategoryCount(usize),
    #[error("SKU {0} occurs twice")]
    DuplicateSku(Sku),
    #[error("SKU {sku} is priced in {found}, not in {expected}")]
    Currency { sku: Sku, found: Currency, expected: Currency },
    #[error("the price of SKU {0} is negative")]
    NegativePrice(Sku),
}

impl Product {
    /// The offers of the variants with one of these SKUs.
    pub fn offers(&self, skus: &[Sku]) -> impl Iterator<Item = Offer> {
        self.variants.iter().filter(|variant| skus.contains(&variant.sku)).map(|variant| Offer::of(self, variant))
    }

    /// The key of products of a category.
    pub fn key_of_category(category: &CategoryId) -> String {
        format!("category:{category}")
    }

    /// The key of products that are not for sale. The others, usually most of a catalog, have no key for it.
    pub const INACTIVE: &'static str = "inactive";

    /// Checks the rules for a single product.
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

    /// The variant of a SKU.
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
#[expect(missing_docs, reason = "the names say it")]
pub struct Category {
    /// Referenced by products.
    pub id: CategoryId,
    pub name: Name,
    /// `None`: at the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<CategoryId>,
    /// Grows by one with every change.
    pub version: u64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A SKU with its current name, price and tax category: a variant with data of its product.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Offer {
    pub sku: Sku,
    pub product_id: ProductId,
    /// The name of the product, followed by that of the variant.
    pub name: Name,
    /// The price of one unit.
    pub price: Money,
    /// The categories of the product.
    pub categories: Vec<CategoryId>,
    /// `None`: untaxed.
    pub tax_category: Option<BoundedString<64>>,
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

/// "Shirt, red", or only the product's name if both together are too long.
fn line_name(product: &Product, variant: &Variant) -> Name {
    let full = variant.name.as_ref().map(|name| alloc::format!("{}, {}", product.name, name));
    full.and_then(|name| name.parse().ok()).unwrap_or_else(|| product.name.clone())
}
