//! Products and their variants.

use std::borrow::Cow;

use commerce_core::catalog::{Product, Variant};
use commerce_core::money::Money;
use diesel::prelude::*;

use super::{CowStr, counter, micros, place, read, read_counter, read_instant, read_option};
use crate::fault::Answer;
use crate::schema::{product_categories, products, variants};

/// The head of a product.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = products)]
pub(crate) struct ProductRow<'a> {
    pub(crate) id: CowStr<'a>,
    pub(crate) name: CowStr<'a>,
    pub(crate) description: Option<CowStr<'a>>,
    pub(crate) active: bool,
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

/// A variant of a product.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = variants)]
pub(crate) struct VariantRow<'a> {
    pub(crate) sku: CowStr<'a>,
    pub(crate) product_id: CowStr<'a>,
    pub(crate) position: i64,
    pub(crate) name: Option<CowStr<'a>>,
    pub(crate) price: i64,
    pub(crate) currency: CowStr<'a>,
    pub(crate) tax_category: Option<CowStr<'a>>,
}

/// A product in a category.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = product_categories)]
pub(crate) struct ProductCategoryRow<'a> {
    pub(crate) product_id: CowStr<'a>,
    pub(crate) position: i64,
    pub(crate) category_id: CowStr<'a>,
}

impl<'a> ProductRow<'a> {
    pub(crate) fn of(product: &'a Product) -> Self {
        Self {
            id: Cow::Borrowed(product.id.as_str()),
            name: Cow::Borrowed(product.name.as_str()),
            description: product.description.as_ref().map(|text| Cow::Borrowed(text.as_str())),
            active: product.active,
            version: counter(product.version),
            created_at: micros(product.created_at),
            updated_at: micros(product.updated_at),
        }
    }

    /// The product without its parts.
    pub(crate) fn into_head(self) -> Answer<Product> {
        Ok(Product {
            id: read("products.id", &self.id)?,
            name: read("products.name", &self.name)?,
            description: read_option("products.description", self.description.as_deref())?,
            categories: Vec::new(),
            active: self.active,
            variants: Vec::new(),
            version: read_counter("products.version", self.version)?,
            created_at: read_instant("products.created_at", self.created_at)?,
            updated_at: read_instant("products.updated_at", self.updated_at)?,
        })
    }
}

impl<'a> VariantRow<'a> {
    pub(crate) fn all(product: &'a Product) -> impl Iterator<Item = Self> {
        product.variants.iter().enumerate().map(|(position, variant)| Self {
            sku: Cow::Borrowed(variant.sku.as_str()),
            product_id: Cow::Borrowed(product.id.as_str()),
            position: place(position),
            name: variant.name.as_ref().map(|name| Cow::Borrowed(name.as_str())),
            price: variant.price.minor(),
            currency: Cow::Owned(variant.price.currency().code().to_owned()),
            tax_category: variant.tax_category.as_ref().map(|category| Cow::Borrowed(category.as_str())),
        })
    }

    pub(crate) fn into_variant(self) -> Answer<Variant> {
        Ok(Variant {
            sku: read("variants.sku", &self.sku)?,
            name: read_option("variants.name", self.name.as_deref())?,
            price: Money::new(self.price, read("variants.currency", &self.currency)?),
            tax_category: read_option("variants.tax_category", self.tax_category.as_deref())?,
        })
    }
}

impl<'a> ProductCategoryRow<'a> {
    pub(crate) fn all(product: &'a Product) -> impl Iterator<Item = Self> {
        product.categories.iter().enumerate().map(|(position, category)| Self {
            product_id: Cow::Borrowed(product.id.as_str()),
            position: place(position),
            category_id: Cow::Borrowed(category.as_str()),
        })
    }
}
