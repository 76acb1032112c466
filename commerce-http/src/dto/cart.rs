//! Carts.

use chrono::{DateTime, Utc};
use commerce_core::Quantity;
use commerce_core::cart::{Cart, CartChange, CartItem, CartStatus, Code, PriceChange};
use commerce_core::engine::{CartView, NewItem as NewUnits};
use commerce_core::ids::{CartId, ItemId, ProductId, Sku, UserId};
use commerce_core::metadata::{Metadata, MetadataPatch};
use commerce_core::money::Currency;
use commerce_core::problem::{Findings, Read};
use commerce_core::text::Name;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Figure;
use super::leaf::all;
use super::metadata::MetadataDto;
use super::quote::QuoteDto;

/// A cart with its current price.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cart)]
pub(crate) struct CartShape<'a> {
    id: CartId,
    user_id: &'a UserId,
    /// `active`, `checked_out` or `expired`.
    #[schema(example = "active")]
    status: CartStatus,
    #[schema(example = "USD")]
    currency: Currency,
    items: Vec<CartItemShape<'a>>,
    /// The promotion codes in the cart, valid or not.
    codes: &'a [Code],
    metadata: &'a Metadata,
    /// The price at current prices, and its explanation. Absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<QuoteDto<'a>>,
    /// The lines whose price has changed since the last change of the cart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    price_changes: Vec<PriceChangeShape>,
    version: u64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// A line of a cart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CartItem)]
pub(crate) struct CartItemShape<'a> {
    id: ItemId,
    sku: &'a Sku,
    product_id: &'a ProductId,
    name: &'a Name,
    quantity: Quantity,
    unit_price: Figure,
    metadata: &'a Metadata,
}

/// A changed price.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PriceChange)]
pub(crate) struct PriceChangeShape {
    item_id: ItemId,
    old: Figure,
    new: Figure,
}

impl<'a> From<&'a CartView> for CartShape<'a> {
    fn from(view: &'a CartView) -> Self {
        Self {
            quote: Some((&view.quote).into()),
            price_changes: view.price_changes.iter().map(PriceChangeShape::from).collect(),
            ..Self::from(&view.cart)
        }
    }
}

impl<'a> From<&'a Cart> for CartShape<'a> {
    fn from(cart: &'a Cart) -> Self {
        Self {
            id: cart.id,
            user_id: &cart.user_id,
            status: cart.status,
            currency: cart.currency,
            items: cart.items.iter().map(CartItemShape::from).collect(),
            codes: &cart.codes,
            metadata: &cart.metadata,
            quote: None,
            price_changes: Vec::new(),
            version: cart.version,
            created_at: cart.created_at,
            updated_at: cart.updated_at,
            expires_at: cart.expires_at,
        }
    }
}

impl<'a> From<&'a CartItem> for CartItemShape<'a> {
    fn from(item: &'a CartItem) -> Self {
        Self {
            id: item.id,
            sku: &item.sku,
            product_id: &item.product_id,
            name: &item.name,
            quantity: item.quantity,
            unit_price: item.unit_price.into(),
            metadata: &item.metadata,
        }
    }
}

impl From<&PriceChange> for PriceChangeShape {
    fn from(change: &PriceChange) -> Self {
        Self { item_id: change.item, old: change.old.into(), new: change.new.into() }
    }
}

/// Units of a sku to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewItem {
    sku: String,
    #[schema(minimum = 1, maximum = 1_000_000)]
    quantity: i64,
    /// Replaces the metadata of the line.
    metadata: Option<MetadataDto>,
}

impl NewItem {
    pub(crate) fn read(self, f: &mut Findings) -> Read<NewUnits> {
        all!(NewUnits {
            sku: f.parse("sku", &self.sku),
            quantity: f.value("quantity", Quantity::new(self.quantity)),
            metadata: MetadataDto::read(self.metadata, f),
        })
    }
}

/// The cart to create.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCart {
    metadata: Option<MetadataDto>,
}

impl NewCart {
    pub(crate) fn read(self, f: &mut Findings) -> Read<Metadata> {
        MetadataDto::read(self.metadata, f)
    }
}

/// A JSON merge patch of a cart.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CartPatch {
    metadata: MetadataDto,
}

impl CartPatch {
    pub(crate) fn read(self, f: &mut Findings) -> Read<MetadataPatch> {
        MetadataDto::read_patch(Some(self.metadata), f)
    }
}

/// A JSON merge patch of a line.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ItemPatch {
    /// 0 removes the line. Required without metadata.
    #[schema(minimum = 0, maximum = 1_000_000)]
    quantity: Option<i64>,
    metadata: Option<MetadataDto>,
}

impl ItemPatch {
    pub(crate) fn read(self, f: &mut Findings, item: ItemId) -> Read<CartChange> {
        if self.quantity.is_none() && self.metadata.is_none() {
            return f.refuse("quantity", "required", "is required");
        }
        let units = self.quantity.filter(|units| *units != 0).map(Quantity::new).transpose();
        let quantity = f.coded("quantity", "out_of_range", units);
        let metadata = MetadataDto::read_patch(self.metadata, f);
        let change = CartChange::UpdateItem { item, quantity: quantity?, metadata: metadata? };
        Some(if self.quantity == Some(0) { CartChange::RemoveItem(item) } else { change })
    }
}
