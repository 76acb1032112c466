//! Carts.

use chrono::{DateTime, Utc};
use commerce_core::Quantity;
use commerce_core::cart::{CartItem, CartStatus, Code, PriceChange};
use commerce_core::engine::CartView;
use commerce_core::ids::{CartId, ItemId, ProductId, Sku, UserId};
use commerce_core::money::Currency;
use commerce_core::problem::{Findings, Read};
use commerce_core::text::Name;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Figure;
use super::quote::QuoteDto;

/// A cart with its price now.
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
    /// The promotion codes given, valid or not.
    codes: &'a [Code],
    /// What it costs at today's prices, and why.
    quote: QuoteDto<'a>,
    /// The lines whose price is not what it was when the cart was last changed.
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
}

/// A price that changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PriceChange)]
pub(crate) struct PriceChangeShape {
    item_id: ItemId,
    old: Figure,
    new: Figure,
}

impl<'a> From<&'a CartView> for CartShape<'a> {
    fn from(view: &'a CartView) -> Self {
        let cart = &view.cart;
        Self {
            id: cart.id,
            user_id: &cart.user_id,
            status: cart.status,
            currency: cart.currency,
            items: cart.items.iter().map(CartItemShape::from).collect(),
            codes: &cart.codes,
            quote: (&view.quote).into(),
            price_changes: view.price_changes.iter().map(PriceChangeShape::from).collect(),
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
}

impl NewItem {
    pub(crate) fn read(self, f: &mut Findings) -> Read<(Sku, Quantity)> {
        let (sku, quantity) = (f.parse("sku", &self.sku), f.value("quantity", Quantity::new(self.quantity)));
        Some((sku?, quantity?))
    }
}

/// How many units a line shall have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewQuantity {
    /// 0 removes the line.
    #[schema(minimum = 0, maximum = 1_000_000)]
    quantity: i64,
}

impl NewQuantity {
    /// The quantity; none to remove the line.
    pub(crate) fn read(self, f: &mut Findings) -> Read<Option<Quantity>> {
        let quantity = Some(self.quantity).filter(|units| *units != 0).map(Quantity::new);
        f.coded("quantity", "out_of_range", quantity.transpose())
    }
}
