//! Products and categories.

use chrono::{DateTime, Utc};
use commerce_core::catalog::{Category, Product, Variant};
use commerce_core::engine::{CategoryInput, ProductInput};
use commerce_core::ids::{CategoryId, ProductId, Sku};
use commerce_core::metadata::Metadata;
use commerce_core::money::Currency;
use commerce_core::problem::{Findings, Read};
use commerce_core::text::{BoundedString, Name};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Figure;
use super::leaf::{Decimal, all};
use super::metadata::MetadataDto;

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
pub(crate) struct ProductShape<'a> {
    id: &'a ProductId,
    name: &'a Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a BoundedString<4000>>,
    categories: &'a [CategoryId],
    /// Whether it is for sale.
    active: bool,
    #[schema(example = "USD")]
    currency: Currency,
    variants: Vec<VariantShape<'a>>,
    metadata: &'a Metadata,
    version: u64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// One way a product is sold.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Variant)]
pub(crate) struct VariantShape<'a> {
    sku: &'a Sku,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a Name>,
    price: Figure,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_category: Option<&'a BoundedString<64>>,
    metadata: &'a Metadata,
}

/// The variants of a product.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Variants<'a> {
    #[schema(example = "USD")]
    currency: Currency,
    items: Vec<VariantShape<'a>>,
    next_cursor: Option<String>,
}

impl<'a> ProductShape<'a> {
    /// A product; one without variants is shown in the shop's currency.
    pub(crate) fn of(product: &'a Product, shop: Currency) -> Self {
        Self {
            id: &product.id,
            name: &product.name,
            description: product.description.as_ref(),
            categories: &product.categories,
            active: product.active,
            currency: currency(product, shop),
            variants: product.variants.iter().map(VariantShape::from).collect(),
            metadata: &product.metadata,
            version: product.version,
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}

impl<'a> Variants<'a> {
    pub(crate) fn of(product: &'a Product, shop: Currency) -> Self {
        let items = product.variants.iter().map(VariantShape::from).collect();
        Self { currency: currency(product, shop), items, next_cursor: None }
    }
}

impl<'a> From<&'a Variant> for VariantShape<'a> {
    fn from(variant: &'a Variant) -> Self {
        Self {
            sku: &variant.sku,
            name: variant.name.as_ref(),
            price: variant.price.into(),
            tax_category: variant.tax_category.as_ref(),
            metadata: &variant.metadata,
        }
    }
}

fn currency(product: &Product, shop: Currency) -> Currency {
    product.variants.first().map_or(shop, |variant| variant.price.currency())
}

/// A product to make, or to change as a whole.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProduct {
    /// Made if not said; on a change it is in the path.
    id: Option<String>,
    #[schema(max_length = 255)]
    name: String,
    #[schema(max_length = 4000)]
    description: Option<String>,
    /// Categories of the shop.
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default = "yes")]
    #[schema(default = true)]
    active: bool,
    /// The currency of the prices; the shop's if not said.
    currency: Option<String>,
    variants: Vec<NewVariant>,
    metadata: Option<MetadataDto>,
}

/// One way a product is sold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVariant {
    sku: String,
    #[schema(max_length = 255)]
    name: Option<String>,
    price: Decimal,
    #[schema(max_length = 64)]
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
        let input = all!(ProductInput {
            name: f.parse("name", &self.name),
            description: f.parse_option("description", self.description),
            categories: f.field("categories", |f| f.list(self.categories, |category, f| f.parse("", &category))),
            active: Some(self.active),
            variants: f.field("variants", |f| f.list(self.variants, |variant, f| variant.read(f, currency))),
            metadata: MetadataDto::read(self.metadata, f),
        });
        Some((id?, input?))
    }
}

impl NewVariant {
    fn read(self, f: &mut Findings, currency: Read<Currency>) -> Read<Variant> {
        all!(Variant {
            sku: f.parse("sku", &self.sku),
            name: f.parse_option("name", self.name),
            price: f.field("price", |f| self.price.money(currency, f)),
            tax_category: f.parse_option("tax_category", self.tax_category),
            metadata: MetadataDto::read(self.metadata, f),
        })
    }
}

/// A node of the tree of categories.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Category)]
pub(crate) struct CategoryShape<'a> {
    id: &'a CategoryId,
    name: &'a Name,
    /// Where it hangs; none at the root.
    parent: Option<&'a CategoryId>,
}

impl<'a> From<&'a Category> for CategoryShape<'a> {
    fn from(category: &'a Category) -> Self {
        Self { id: &category.id, name: &category.name, parent: category.parent.as_ref() }
    }
}

/// A category to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCategory {
    id: String,
    #[schema(max_length = 255)]
    name: String,
    parent: Option<String>,
}

/// What a category shall be called. It keeps its parent, which therefore has to be named as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CategoryName {
    #[schema(max_length = 255)]
    name: String,
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
