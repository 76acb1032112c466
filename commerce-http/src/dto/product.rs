//! Products and categories.

use chrono::{DateTime, Utc};
use commerce_core::catalog::{Category, Product, Variant};
use commerce_core::engine::{CategoryInput, ProductInput};
use commerce_core::ids::{CategoryId, ProductId, Sku};
use commerce_core::metadata::Metadata;
use commerce_core::money::Currency;
use commerce_core::problem::{Findings, Read};
use commerce_core::text::{BoundedString, Name};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Figure;
use super::leaf::{Decimal, all};
use super::metadata::MetadataDto;
use super::shape::shape;

shape! {
    /// A product.
    #[schema(as = Product)]
    pub(crate) struct ProductShape<'a> from (product, shop): (&'a Product, Currency) {
        id: &'a ProductId = &product.id,
        name: &'a Name = &product.name,
        description: Option<&'a BoundedString<4000>> = product.description.as_ref(),
        categories: &'a [CategoryId] = &product.categories,
        /// Whether it is for sale.
        active: bool = product.active,
        currency: Currency = currency(product, shop),
        variants: Vec<VariantShape<'a>> = product.variants.iter().map(VariantShape::from).collect(),
        metadata: &'a Metadata = &product.metadata,
        version: u64 = product.version,
        created_at: DateTime<Utc> = product.created_at,
        updated_at: DateTime<Utc> = product.updated_at,
    }
}

shape! {
    /// A variant of a product.
    #[schema(as = Variant)]
    pub(crate) struct VariantShape<'a> from variant: &'a Variant {
        sku: &'a Sku = &variant.sku,
        name: Option<&'a Name> = variant.name.as_ref(),
        price: Figure = variant.price.into(),
        tax_category: Option<&'a BoundedString<64>> = variant.tax_category.as_ref(),
        metadata: &'a Metadata = &variant.metadata,
    }
}

shape! {
    /// The variants of a product.
    pub(crate) struct Variants<'a> from (product, shop): (&'a Product, Currency) {
        currency: Currency = currency(product, shop),
        items: Vec<VariantShape<'a>> = product.variants.iter().map(VariantShape::from).collect(),
        #[serialize_always]
        next_cursor: Option<String> = None,
    }
}

/// The currency of its prices. A product without variants has that of the shop.
fn currency(product: &Product, shop: Currency) -> Currency {
    product.variants.first().map_or(shop, |variant| variant.price.currency())
}

/// A product to create or replace.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProduct {
    /// Default: a new id. In a replacement, it is in the path.
    #[schema(value_type = Option<ProductId>)]
    id: Option<String>,
    #[schema(value_type = Name)]
    name: String,
    #[schema(min_length = 1, max_length = 4000)]
    description: Option<String>,
    /// Categories of the shop.
    #[serde(default)]
    #[schema(value_type = Vec<CategoryId>, required = false, max_items = 20)]
    categories: Vec<String>,
    /// Default: true.
    #[serde(default = "yes")]
    active: bool,
    /// The currency of the prices. Default: that of the shop.
    #[schema(value_type = Option<Currency>)]
    currency: Option<String>,
    #[schema(min_items = 1, max_items = 200)]
    variants: Vec<NewVariant>,
    metadata: Option<MetadataDto>,
}

/// A variant of a product.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVariant {
    #[schema(value_type = Sku)]
    sku: String,
    #[schema(value_type = Option<Name>)]
    name: Option<String>,
    price: Decimal,
    #[schema(min_length = 1, max_length = 64)]
    tax_category: Option<String>,
    metadata: Option<MetadataDto>,
}

const fn yes() -> bool {
    true
}

impl NewProduct {
    pub(crate) fn read(self, f: &mut Findings, shop: Currency) -> Read<(Option<ProductId>, ProductInput)> {
        let id = f.parse_option("id", self.id);
        let currency = f.parse_option("currency", self.currency).map(|currency| currency.unwrap_or(shop));
        let input = all!(
            ProductInput {
                name: f.parse("name", &self.name),
                description: f.parse_option("description", self.description),
                categories: f.field("categories", |f| f.list(self.categories, |category, f| f.parse("", &category))),
                active: Some(self.active),
                variants: f.field("variants", |f| f.list(self.variants, |variant, f| variant.read(f, currency))),
                metadata: MetadataDto::read(self.metadata, f),
            },
            new(name, variants),
            set(description, categories, active, metadata)
        );
        Some((id?, input?))
    }
}

impl NewVariant {
    fn read(self, f: &mut Findings, currency: Read<Currency>) -> Read<Variant> {
        all!(
            Variant {
                sku: f.parse("sku", &self.sku),
                name: f.parse_option("name", self.name),
                price: f.field("price", |f| self.price.money(currency, f)),
                tax_category: f.parse_option("tax_category", self.tax_category),
                metadata: MetadataDto::read(self.metadata, f),
            },
            new(sku, price),
            set(name, tax_category, metadata)
        )
    }
}

shape! {
    /// A category.
    #[schema(as = Category)]
    pub(crate) struct CategoryShape<'a> from category: &'a Category {
        id: &'a CategoryId = &category.id,
        name: &'a Name = &category.name,
        /// The parent. Absent at the root.
        #[serialize_always]
        parent: Option<&'a CategoryId> = category.parent.as_ref(),
    }
}

/// A category to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCategory {
    #[schema(value_type = CategoryId)]
    id: String,
    #[schema(value_type = Name)]
    name: String,
    #[schema(value_type = Option<CategoryId>)]
    parent: Option<String>,
}

/// The new name of a category. The parent cannot change, but must be given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CategoryName {
    #[schema(value_type = Name)]
    name: String,
    #[schema(value_type = Option<CategoryId>)]
    parent: Option<String>,
}

impl NewCategory {
    pub(crate) fn read(self, f: &mut Findings) -> Read<CategoryInput> {
        all!(CategoryInput {
            id: f.parse("id", &self.id),
            name: f.parse("name", &self.name),
            parent: f.parse_option("parent", self.parent),
        })
    }
}

impl CategoryName {
    pub(crate) fn read(self, f: &mut Findings, id: &str) -> Read<CategoryInput> {
        NewCategory { id: id.to_owned(), name: self.name, parent: self.parent }.read(f)
    }
}
