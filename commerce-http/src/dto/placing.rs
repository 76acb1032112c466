//! Placing orders.

use commerce_core::Quantity;
use commerce_core::engine::{CheckoutRequest, ItemRequest, PlaceOrderRequest};
use commerce_core::ids::CartId;
use commerce_core::money::Amount;
use commerce_core::order::OrderDetails;
use commerce_core::problem::{Findings, Read};
use commerce_core::text::BoundedString;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::address::AddressShape;
use super::leaf::{Decimal, all};
use super::metadata::MetadataDto;

/// The shipping method, the expected total, and the details of a request to order.
type Terms = (Option<BoundedString<64>>, Option<Amount>, OrderDetails);

/// Declares a request to order: its own fields, and those of every such request.
macro_rules! order_request {
    ($(#[$attribute:meta])* struct $name:ident { $($own:tt)* }) => {
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        $(#[$attribute])*
        pub(crate) struct $name {
            $($own)*
            #[schema(value_type = AddressShape<'static>)]
            shipping_address: AddressShape<'static>,
            /// Default: the first method of the shop.
            #[schema(example = "standard", min_length = 1, max_length = 64)]
            shipping_method: Option<String>,
            /// The total that the customer was shown. Another one is refused with 409 `price_changed`.
            expected_total: Option<Decimal>,
            #[schema(min_length = 1, max_length = 1000)]
            notes: Option<String>,
            /// The number of the buyer's own purchase order.
            #[schema(min_length = 1, max_length = 64)]
            purchase_order_number: Option<String>,
            metadata: Option<MetadataDto>,
        }

        impl $name {
            /// The shipping method, the expected total, and the details.
            fn details(self, f: &mut Findings) -> Read<Terms> {
                let address = f.field("shipping_address", |f| self.shipping_address.read(f));
                let method = f.parse_option("shipping_method", self.shipping_method);
                let total = f.value("expected_total", self.expected_total.map(|total| total.0).transpose());
                let notes = f.parse_option("notes", self.notes);
                let number = f.parse_option("purchase_order_number", self.purchase_order_number);
                let metadata = MetadataDto::read(self.metadata, f);
                let mut details = OrderDetails::new(address?);
                (details.notes, details.purchase_order_number, details.metadata) = (notes?, number?, metadata?);
                Some((method?, total?, details))
            }
        }
    };
}

order_request! {
    /// An order to place, of a cart or of items.
    struct NewOrder {
        /// The cart to order.
        cart_id: Option<Uuid>,
        /// Lines, instead of a cart.
        #[schema(min_items = 1, max_items = 500)]
        items: Option<Vec<NewOrderItem>>,
        /// The customer, if not the caller; for admin and service, with `items`.
        #[schema(value_type = Option<UserId>)]
        user_id: Option<String>,
    }
}

order_request! {
    /// A cart to order.
    #[schema(as = CheckOut)]
    struct NewCheckOut {
        cart_id: Uuid,
    }
}

/// A line to order: a SKU, or a product with a single one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrderItem {
    #[schema(value_type = Option<Sku>)]
    sku: Option<String>,
    #[schema(value_type = Option<ProductId>)]
    product_id: Option<String>,
    #[schema(minimum = 1, maximum = 1_000_000)]
    quantity: i64,
    /// Replaces the price of the catalog; for admin and service.
    unit_price: Option<Decimal>,
    metadata: Option<MetadataDto>,
}

/// The source of an order.
#[derive(Debug)]
pub(crate) enum Source {
    Cart(CheckoutRequest),
    Items(PlaceOrderRequest),
}

impl NewOrder {
    pub(crate) fn read(mut self, f: &mut Findings) -> Read<Source> {
        let user_id = self.user_id.take();
        match (self.cart_id, self.items.take()) {
            (Some(cart_id), None) => {
                let (user_id, details) = (f.parse_option("user_id", user_id), self.details(f));
                let mut request = checkout(cart_id, details)?;
                request.user_id = user_id?;
                Some(Source::Cart(request))
            }
            (None, Some(items)) => {
                let user_id = f.parse_option("user_id", user_id);
                let items = f.field("items", |f| f.list(items, NewOrderItem::read));
                let (shipping_method, expected_total, details) = self.details(f)?;
                let mut request = PlaceOrderRequest::new(items?, details);
                (request.user_id, request.shipping_method) = (user_id?, shipping_method);
                request.expected_total = expected_total;
                Some(Source::Items(request))
            }
            _ => f.refuse("", "invalid", "must contain either a cart_id or items"),
        }
    }
}

impl NewCheckOut {
    pub(crate) fn read(self, f: &mut Findings) -> Read<CheckoutRequest> {
        checkout(self.cart_id, self.details(f))
    }
}

fn checkout(cart_id: Uuid, terms: Read<Terms>) -> Read<CheckoutRequest> {
    let (shipping_method, expected_total, details) = terms?;
    let mut request = CheckoutRequest::new(CartId::new(cart_id), details);
    (request.shipping_method, request.expected_total) = (shipping_method, expected_total);
    Some(request)
}

impl NewOrderItem {
    fn read(self, f: &mut Findings) -> Read<ItemRequest> {
        all!(
            ItemRequest {
                sku: f.parse_option("sku", self.sku),
                product_id: f.parse_option("product_id", self.product_id),
                quantity: f.value("quantity", Quantity::new(self.quantity)),
                unit_price: f.value("unit_price", self.unit_price.map(|price| price.0).transpose()),
                metadata: MetadataDto::read(self.metadata, f),
            },
            new(quantity),
            set(sku, product_id, unit_price, metadata)
        )
    }
}
