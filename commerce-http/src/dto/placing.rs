//! What places an order.

use commerce_core::actor::Actor;
use commerce_core::address::Address;
use commerce_core::engine::{CheckoutRequest, ItemRequest, PlaceOrderRequest};
use commerce_core::ids::{CartId, UserId};
use commerce_core::text::BoundedString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::order::AddressShape;
use crate::problem::Problem;

/// An order to place: of a cart, or of items.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrder {
    /// The cart to order.
    #[serde(default)]
    #[schema(value_type = Option<uuid::Uuid>)]
    cart_id: Option<CartId>,
    /// Or what to order without a cart: 1 to 500 lines.
    #[serde(default)]
    #[schema(value_type = Option<Vec<NewOrderItem>>)]
    items: Option<Vec<ItemRequest>>,
    /// Who buys, where it is not the caller; for admin and service, with `items`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    user_id: Option<UserId>,
    #[schema(value_type = AddressShape)]
    shipping_address: Address,
    #[schema(value_type = String, example = "standard")]
    shipping_method: BoundedString<64>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 1000)]
    notes: Option<BoundedString<1000>>,
}

/// A line to order: a sku, or a product that has only one.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what the core reads")]
pub(crate) struct NewOrderItem {
    sku: Option<String>,
    product_id: Option<String>,
    #[schema(minimum = 1, maximum = 1_000_000)]
    quantity: i64,
    /// A price other than the catalog's; for admin and service.
    #[schema(example = "9.99")]
    unit_price: Option<String>,
}

/// A cart to order.
#[derive(Debug, ToSchema)]
#[schema(as = CheckOut)]
#[expect(dead_code, reason = "describes what the core reads")]
pub(crate) struct CheckOutShape {
    cart_id: uuid::Uuid,
    shipping_address: AddressShape,
    #[schema(example = "standard")]
    shipping_method: String,
    #[schema(max_length = 1000)]
    notes: Option<String>,
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
    /// Tells the one from the other.
    pub(crate) fn source(self, caller: &Actor) -> Result<Source, Problem> {
        let Self { cart_id, items, user_id, shipping_address, shipping_method, notes } = self;
        match (cart_id, items) {
            (Some(_), None) if user_id.is_some() && user_id != caller.user => {
                Err(Problem::invalid_at("/user_id", "invalid", "a cart is ordered by its owner"))
            }
            (Some(cart_id), None) => {
                Ok(Source::Cart(CheckoutRequest { cart_id, shipping_address, shipping_method, notes }))
            }
            (None, Some(items)) => {
                Ok(Source::Items(PlaceOrderRequest { user_id, items, shipping_address, shipping_method, notes }))
            }
            _ => Err(Problem::invalid_at("", "invalid", "name either a cart_id or items")),
        }
    }
}
