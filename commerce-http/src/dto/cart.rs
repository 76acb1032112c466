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
use serde::Deserialize;
use utoipa::ToSchema;

use super::Figure;
use super::leaf::all;
use super::metadata::MetadataDto;
use super::quote::QuoteDto;
use super::shape::shape;

shape! {
    /// A cart with its current price.
    #[schema(as = Cart)]
    pub(crate) struct CartShape<'a> from cart: &'a Cart {
        id: CartId = cart.id,
        user_id: &'a UserId = &cart.user_id,
        status: CartStatus = cart.status,
        currency: Currency = cart.currency,
        items: Vec<CartItemShape<'a>> = cart.items.iter().map(CartItemShape::from).collect(),
        /// The promotion codes in the cart, valid or not.
        codes: &'a [Code] = &cart.codes,
        metadata: &'a Metadata = &cart.metadata,
        /// The price at current prices, and its explanation. Absent in lists.
        quote: Option<QuoteDto<'a>> = None,
        /// The lines whose price is not the one that was accepted: when the SKU was added, or by `POST /carts/{id}/refresh`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        price_changes: Vec<PriceChangeShape> = Vec::new(),
        version: u64 = cart.version,
        created_at: DateTime<Utc> = cart.created_at,
        updated_at: DateTime<Utc> = cart.updated_at,
        expires_at: DateTime<Utc> = cart.expires_at,
    }
}

shape! {
    /// A line of a cart.
    #[schema(as = CartItem)]
    pub(crate) struct CartItemShape<'a> from item: &'a CartItem {
        id: ItemId = item.id,
        sku: &'a Sku = &item.sku,
        product_id: &'a ProductId = &item.product_id,
        name: &'a Name = &item.name,
        quantity: Quantity = item.quantity,
        unit_price: Figure = item.unit_price.into(),
        metadata: &'a Metadata = &item.metadata,
    }
}

shape! {
    /// A changed price.
    #[schema(as = PriceChange)]
    pub(crate) struct PriceChangeShape from change: &PriceChange {
        item_id: ItemId = change.item,
        old: Figure = change.old.into(),
        new: Figure = change.new.into(),
    }
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

/// Units of a SKU to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewItem {
    #[schema(value_type = Sku)]
    sku: String,
    #[schema(minimum = 1, maximum = 1_000_000)]
    quantity: i64,
    /// Replaces the metadata of the line.
    metadata: Option<MetadataDto>,
}

impl NewItem {
    pub(crate) fn read(self, f: &mut Findings) -> Read<NewUnits> {
        all!(
            NewUnits {
                sku: f.parse("sku", &self.sku),
                quantity: f.value("quantity", Quantity::new(self.quantity)),
                metadata: MetadataDto::read(self.metadata, f),
            },
            new(sku, quantity),
            set(metadata)
        )
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
