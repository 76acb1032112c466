//! What places an order.

use commerce_core::Quantity;
use commerce_core::engine::{CheckoutRequest, ItemRequest, PlaceOrderRequest};
use commerce_core::ids::CartId;
use commerce_core::problem::{Findings, Read};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::address::AddressShape;
use super::leaf::{Decimal, all};
use super::metadata::MetadataDto;

/// An order to place: of a cart, or of items.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrder {
    /// The cart to order.
    cart_id: Option<Uuid>,
    /// Or what to order without a cart: 1 to 500 lines.
    items: Option<Vec<NewOrderItem>>,
    /// Who buys, where it is not the caller; for admin and service, with `items`.
    user_id: Option<String>,
    #[schema(value_type = AddressShape<'static>)]
    shipping_address: AddressShape<'static>,
    /// The shop's first method, if not said.
    #[schema(example = "standard")]
    shipping_method: Option<String>,
    #[schema(max_length = 1000)]
    notes: Option<String>,
    /// The number of the buyer's own purchase order.
    #[schema(max_length = 64)]
    purchase_order_number: Option<String>,
    metadata: Option<MetadataDto>,
}

/// A line to order: a sku, or a product that has only one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrderItem {
    sku: Option<String>,
    product_id: Option<String>,
    #[schema(minimum = 1, maximum = 1_000_000)]
    quantity: i64,
    /// A price other than the catalog's; for admin and service.
    unit_price: Option<Decimal>,
    metadata: Option<MetadataDto>,
}

/// A cart to order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CheckOut)]
pub(crate) struct NewCheckOut {
    cart_id: Uuid,
    #[schema(value_type = AddressShape<'static>)]
    shipping_address: AddressShape<'static>,
    /// The shop's first method, if not said.
    #[schema(example = "standard")]
    shipping_method: Option<String>,
    #[schema(max_length = 1000)]
    notes: Option<String>,
    /// The number of the buyer's own purchase order.
    #[schema(max_length = 64)]
    purchase_order_number: Option<String>,
    metadata: Option<MetadataDto>,
}

/// What an order is placed of.
#[derive(Debug)]
pub(crate) enum Source {
    /// A cart.
    Cart(CheckoutRequest),
    /// Items.
    Items(PlaceOrderRequest),
}

impl NewOrder {
    pub(crate) fn read(self, f: &mut Findings) -> Read<Source> {
        let Self { cart_id, items, user_id, shipping_address, shipping_method, notes, purchase_order_number, metadata } =
            self;
        match (cart_id, items) {
            (Some(cart_id), None) => {
                let cart =
                    NewCheckOut { cart_id, shipping_address, shipping_method, notes, purchase_order_number, metadata };
                let (user_id, cart) = (f.parse_option("user_id", user_id), cart.read(f));
                Some(Source::Cart(CheckoutRequest { user_id: user_id?, ..cart? }))
            }
            (None, Some(items)) => all!(PlaceOrderRequest {
                user_id: f.parse_option("user_id", user_id),
                items: f.field("items", |f| f.list(items, NewOrderItem::read)),
                shipping_address: f.field("shipping_address", |f| shipping_address.read(f)),
                shipping_method: f.parse_option("shipping_method", shipping_method),
                notes: f.parse_option("notes", notes),
                purchase_order_number: f.parse_option("purchase_order_number", purchase_order_number),
                metadata: MetadataDto::read(metadata, f),
            })
            .map(Source::Items),
            _ => f.refuse("", "invalid", "name either a cart_id or items"),
        }
    }
}

impl NewCheckOut {
    pub(crate) fn read(self, f: &mut Findings) -> Read<CheckoutRequest> {
        all!(CheckoutRequest {
            cart_id: Some(CartId::new(self.cart_id)),
            user_id: Some(None),
            shipping_address: f.field("shipping_address", |f| self.shipping_address.read(f)),
            shipping_method: f.parse_option("shipping_method", self.shipping_method),
            notes: f.parse_option("notes", self.notes),
            purchase_order_number: f.parse_option("purchase_order_number", self.purchase_order_number),
            metadata: MetadataDto::read(self.metadata, f),
        })
    }
}

impl NewOrderItem {
    fn read(self, f: &mut Findings) -> Read<ItemRequest> {
        all!(ItemRequest {
            sku: f.parse_option("sku", self.sku),
            product_id: f.parse_option("product_id", self.product_id),
            quantity: f.value("quantity", Quantity::new(self.quantity)),
            unit_price: f.value("unit_price", self.unit_price.map(|price| price.0).transpose()),
            metadata: MetadataDto::read(self.metadata, f),
        })
    }
}
