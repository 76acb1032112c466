//! Products and categories.

use chrono::{DateTime, Utc};
use commerce_core::catalog::{Category, Product, Variant};
use commerce_core::engine::ProductInput;
use commerce_core::ids::{CategoryId, ProductId, Sku};
use commerce_core::money::{Amount, Currency};
use commerce_core::text::BoundedString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Figure;
use crate::problem::Problem;

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
pub(crate) struct ProductShape<'a> {
    #[schema(value_type = String)]
    id: &'a ProductId,
    #[schema(value_type = String)]
    name: &'a BoundedString<200>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    description: Option<&'a BoundedString<4000>>,
    #[schema(value_type = Vec<String>)]
    categories: &'a [CategoryId],
    /// Whether it is for sale.
    active: bool,
    #[schema(value_type = String, example = "USD")]
    currency: Currency,
    variants: Vec<VariantShape<'a>>,
    version: u64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// One way a product is sold.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Variant)]
pub(crate) struct VariantShape<'a> {
    #[schema(value_type = String)]
    sku: &'a Sku,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    name: Option<&'a BoundedString<200>>,
    price: Figure,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    tax_category: Option<&'a BoundedString<64>>,
}

/// The variants of a product.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Variants<'a> {
    #[schema(value_type = String, example = "USD")]
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
            version: product.version,
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}

impl<'a> Variants<'a> {
    /// The variants of a product.
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
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) id: Option<ProductId>,
    #[schema(value_type = String, max_length = 200)]
    name: BoundedString<200>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 4000)]
    description: Option<BoundedString<4000>>,
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    categories: Vec<CategoryId>,
    #[serde(default = "yes")]
    #[schema(default = true)]
    active: bool,
    /// The currency of the prices; the shop's if not said.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    currency: Option<Currency>,
    variants: Vec<NewVariant>,
}

/// One way a product is sold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVariant {
    #[schema(value_type = String)]
    sku: Sku,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    name: Option<BoundedString<200>>,
    #[schema(value_type = String, example = "9.99")]
    price: Amount,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 64)]
    tax_category: Option<BoundedString<64>>,
}

const fn yes() -> bool {
    true
}

impl NewProduct {
    /// What the engine takes, with the prices in their currency.
    pub(crate) fn input(self, shop: Currency) -> Result<ProductInput, Problem> {
        let currency = self.currency.unwrap_or(shop);
        let variants = self.variants.into_iter().enumerate().map(|(at, variant)| variant.priced(at, currency));
        Ok(ProductInput {
            name: self.name,
            description: self.description,
            categories: self.categories,
            active: self.active,
            variants: variants.collect::<Result<_, _>>()?,
        })
    }
}

impl NewVariant {
    fn priced(self, at: usize, currency: Currency) -> Result<Variant, Problem> {
        let price = self.price.in_currency(currency);
        let price =
            price.map_err(|error| Problem::invalid_at(&format!("/variants/{at}/price"), "invalid_amount", error))?;
        Ok(Variant { sku: self.sku, name: self.name, price, tax_category: self.tax_category })
    }
}

/// A node of the tree of categories.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Category)]
pub(crate) struct CategoryShape<'a> {
    #[schema(value_type = String)]
    id: &'a CategoryId,
    #[schema(value_type = String)]
    name: &'a BoundedString<200>,
    /// Where it hangs; none at the root.
    #[schema(value_type = Option<String>)]
    parent: Option<&'a CategoryId>,
}

impl<'a> From<&'a Category> for CategoryShape<'a> {
    fn from(category: &'a Category) -> Self {
        Self { id: &category.id, name: &category.name, parent: category.parent.as_ref() }
    }
}

/// A category to make.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what the core reads")]
pub(crate) struct NewCategory {
    id: String,
    #[schema(max_length = 200)]
    name: String,
    parent: Option<String>,
}

/// What a category shall be called. It keeps its parent, which therefore has to be named as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CategoryName {
    #[schema(value_type = String, max_length = 200)]
    pub(crate) name: BoundedString<200>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) parent: Option<CategoryId>,
}
