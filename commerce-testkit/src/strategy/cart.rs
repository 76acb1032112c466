//! Carts.

use chrono::TimeDelta;
use commerce_core::Quantity;
use commerce_core::cart::{Cart, CartChange, CartItem};
use commerce_core::money::Currency;
use proptest::collection::vec;
use proptest::prelude::*;

use super::catalog::offer;
use super::instant;
use super::money::currency;
use super::text::{metadata, text, text_id, uuid_id};

/// A quantity up to the maximum, small ones more often.
pub fn quantity() -> impl Strategy<Value = Quantity> {
    let units = prop_oneof![6 => 1..=10_i64, 1 => 1..=Quantity::MAX, 1 => Just(Quantity::MAX)];
    units.prop_map(|units| Quantity::new(units).expect("within the limits"))
}

/// A cart in any currency.
pub fn cart() -> impl Strategy<Value = Cart> {
    currency().prop_flat_map(cart_in)
}

/// An active cart with items and codes.
pub fn cart_in(currency: Currency) -> impl Strategy<Value = Cart> {
    let items = vec((uuid_id(), offer(currency), quantity(), metadata()), 0..=6);
    (uuid_id(), text_id(), instant(), 1..=30_i64, items, vec(text(), 0..=3), metadata()).prop_map(
        move |(id, user, at, days, items, codes, metadata)| {
            let mut cart = Cart::open(id, user, currency, at, TimeDelta::days(days));
            cart.metadata = metadata;
            for (id, mut offer, quantity, metadata) in items {
                offer.active = true;
                let _over_the_limit =
                    cart.add(&offer, CartItem { metadata, ..CartItem::new(id, &offer, quantity) }, at);
            }
            for code in codes {
                cart.change(&CartChange::AddCode(code), at).expect("few codes");
            }
            cart
        },
    )
}
