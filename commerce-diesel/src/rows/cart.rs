//! Carts.

use std::borrow::Cow;

use commerce_core::cart::{Cart, CartItem, CartStatus};
use commerce_core::ids::{CartId, ItemId, OrderId};
use commerce_core::money::{Currency, Money};
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::{CowStr, counter, micros, place, read, read_counter, read_instant, read_value};
use crate::db_enum::DbEnum;
use crate::fault::Answer;
use crate::schema::{cart_codes, cart_items, carts};

/// The head of a cart.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = carts)]
pub(crate) struct CartRow<'a> {
    pub(crate) id: DbUuid,
    pub(crate) user_id: CowStr<'a>,
    pub(crate) active_user_id: Option<CowStr<'a>>,
    pub(crate) status: CowStr<'a>,
    pub(crate) currency: CowStr<'a>,
    pub(crate) order_id: Option<DbUuid>,
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) expires_at: i64,
}

/// A line of a cart.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = cart_items)]
pub(crate) struct CartItemRow<'a> {
    pub(crate) cart_id: DbUuid,
    pub(crate) position: i64,
    pub(crate) id: DbUuid,
    pub(crate) sku: CowStr<'a>,
    pub(crate) product_id: CowStr<'a>,
    pub(crate) name: CowStr<'a>,
    pub(crate) quantity: i64,
    pub(crate) unit_price: i64,
}

/// A code of a cart.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = cart_codes)]
pub(crate) struct CartCodeRow<'a> {
    pub(crate) cart_id: DbUuid,
    pub(crate) position: i64,
    pub(crate) code: CowStr<'a>,
}

impl<'a> CartRow<'a> {
    pub(crate) fn of(cart: &'a Cart) -> Self {
        let user_id = Cow::Borrowed(cart.user_id.as_str());
        Self {
            id: DbUuid(cart.id.uuid()),
            active_user_id: (cart.status == CartStatus::Active).then(|| user_id.clone()),
            user_id,
            status: Cow::Borrowed(cart.status.db_name()),
            currency: Cow::Borrowed(cart.currency.code()),
            order_id: cart.order.map(|order| DbUuid(order.uuid())),
            version: counter(cart.version),
            created_at: micros(cart.created_at),
            updated_at: micros(cart.updated_at),
            expires_at: micros(cart.expires_at),
        }
    }

    pub(crate) fn into_cart(self, items: Vec<CartItemRow<'_>>, codes: &[CartCodeRow<'_>]) -> Answer<Cart> {
        let currency = read("carts.currency", &self.currency)?;
        Ok(Cart {
            id: CartId::new(self.id.0),
            user_id: read("carts.user_id", &self.user_id)?,
            status: DbEnum::read("carts.status", &self.status)?,
            currency,
            items: items.into_iter().map(|item| item.into_item(currency)).collect::<Answer<_>>()?,
            codes: codes.iter().map(|row| read("cart_codes.code", &row.code)).collect::<Answer<_>>()?,
            order: self.order_id.map(|order| OrderId::new(order.0)),
            version: read_counter("carts.version", self.version)?,
            created_at: read_instant("carts.created_at", self.created_at)?,
            updated_at: read_instant("carts.updated_at", self.updated_at)?,
            expires_at: read_instant("carts.expires_at", self.expires_at)?,
        })
    }
}

impl<'a> CartItemRow<'a> {
    pub(crate) fn all(cart: &'a Cart) -> impl Iterator<Item = Self> {
        cart.items.iter().enumerate().map(|(position, item)| Self {
            cart_id: DbUuid(cart.id.uuid()),
            position: place(position),
            id: DbUuid(item.id.uuid()),
            sku: Cow::Borrowed(item.sku.as_str()),
            product_id: Cow::Borrowed(item.product_id.as_str()),
            name: Cow::Borrowed(item.name.as_str()),
            quantity: item.quantity.get(),
            unit_price: item.unit_price.minor(),
        })
    }

    fn into_item(self, currency: Currency) -> Answer<CartItem> {
        Ok(CartItem {
            id: ItemId::new(self.id.0),
            sku: read("cart_items.sku", &self.sku)?,
            product_id: read("cart_items.product_id", &self.product_id)?,
            name: read("cart_items.name", &self.name)?,
            quantity: read_value("cart_items.quantity", self.quantity)?,
            unit_price: Money::new(self.unit_price, currency),
        })
    }
}

impl<'a> CartCodeRow<'a> {
    pub(crate) fn all(cart: &'a Cart) -> impl Iterator<Item = Self> {
        cart.codes.iter().enumerate().map(|(position, code)| Self {
            cart_id: DbUuid(cart.id.uuid()),
            position: place(position),
            code: Cow::Borrowed(code.as_str()),
        })
    }
}
