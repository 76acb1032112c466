//! The cart: the items that a customer intends to buy.
//!
//! A cart is a document with a version. What matters of it is copied into the order. Every change goes through a method
//! of [`Cart`], which checks everything before it changes anything.
//!
//! # Invariants
//! * `CRT-1`: at most [`MAX_LINES`] lines, no SKU twice, all prices in the cart's currency, metadata of at most
//!   [`MAX_TOTAL_KIB`](crate::metadata::MAX_TOTAL_KIB) in all.
//! * `CRT-2`: a cart becomes at most one order: [`Cart::checkout`] needs an active cart, and the commit its version.
//! * `CRT-3`: a customer has at most one active cart. The commit guards it.

use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::catalog::Offer;
use crate::ids::{CartId, ItemId, OrderId, ProductId, Sku, UserId};
use crate::metadata::{Metadata, MetadataError, MetadataPatch, check_total};
use crate::money::{Currency, Money};
pub use crate::pricing::{MAX_CODES, MAX_LINES};
use crate::promotion::same_code;
use crate::text::{BoundedString, Name};
use crate::{Quantity, QuantityError};

/// A promotion code as entered by the customer. Comparison ignores case and surrounding space.
pub type Code = BoundedString<64>;

/// A cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct Cart {
    pub id: CartId,
    /// The owner.
    pub user_id: UserId,
    pub status: CartStatus,
    /// The currency of every price.
    pub currency: Currency,
    /// In the order of adding.
    pub items: Vec<CartItem>,
    /// The codes given, valid or not: a code may become valid as the cart changes.
    pub codes: Vec<Code>,
    /// The order of a checked out cart.
    pub order: Option<OrderId>,
    /// Set by the customer's client. It is not copied into the order.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// Grows by one with every change.
    pub version: u64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// When it expires. Every change by the customer postpones it.
    pub expires_at: DateTime<Utc>,
}

/// The status of a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartStatus {
    /// It can be changed and ordered.
    Active,
    /// It was ordered.
    CheckedOut,
    /// It was not changed for its lifetime.
    Expired,
}

/// One line of a cart or an order. A cart updates name and price; in an order they are fixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LineItem {
    pub id: ItemId,
    pub sku: Sku,
    pub product_id: ProductId,
    pub name: Name,
    pub quantity: Quantity,
    /// Of one unit, before discounts.
    pub unit_price: Money,
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// One line of a cart.
pub type CartItem = LineItem;

/// A change of a cart by its customer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub enum CartChange {
    /// `None`: the number of units does not change.
    UpdateItem {
        item: ItemId,
        quantity: Option<Quantity>,
        metadata: MetadataPatch,
    },
    RemoveItem(ItemId),
    /// Changes the metadata of the cart.
    Metadata(MetadataPatch),
    /// Adds a promotion code; the quote tells whether it is valid. Adding it again changes nothing.
    AddCode(Code),
    /// Removes a promotion code. Removing an unknown code changes nothing.
    RemoveCode(Code),
}

/// A line whose price in the catalog has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PriceChange {
    pub item: ItemId,
    /// The price in the cart.
    pub old: Money,
    /// The price in the catalog.
    pub new: Money,
}

/// Why a change of a cart is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum CartRejection {
    #[error("the cart was ordered already")]
    AlreadyOrdered(Option<OrderId>),
    #[error("the cart has expired")]
    Expired,
    #[error("the cart has no item {0}")]
    UnknownItem(ItemId),
    /// The SKU is not in the catalog or not for sale.
    #[error("SKU {0} is not for sale")]
    NotForSale(Sku),
    #[error("a cart has at most {MAX_LINES} lines")]
    TooManyLines,
    #[error("a cart has at most {MAX_CODES} codes")]
    TooManyCodes,
    #[error(transparent)]
    Quantity(#[from] QuantityError),
    /// The price is in another currency than the cart.
    #[error("SKU {sku} is priced in {found}, the cart is in {expected}")]
    Currency { sku: Sku, found: Currency, expected: Currency },
    #[error("the cart is empty")]
    Empty,
    #[error("the metadata {0}")]
    Metadata(#[from] MetadataError),
}

impl Cart {
    /// A new, empty cart.
    pub fn open(id: CartId, user_id: UserId, currency: Currency, at: DateTime<Utc>, lifetime: TimeDelta) -> Self {
        Self {
            id,
            user_id,
            status: CartStatus::Active,
            currency,
            items: Vec::new(),
            codes: Vec::new(),
            order: None,
            metadata: Metadata::default(),
            version: 1,
            created_at: at,
            updated_at: at,
            expires_at: at.checked_add_signed(lifetime).unwrap_or(DateTime::<Utc>::MAX_UTC),
        }
    }

    /// The status at an instant. An active cart expires at `expires_at` even if that is not stored yet.
    pub fn status_at(&self, at: DateTime<Utc>) -> CartStatus {
        let over = self.status == CartStatus::Active && self.expires_at <= at;
        if over { CartStatus::Expired } else { self.status }
    }

    /// Adds a line of an offer. Units of the same SKU are added up, at the price of the offer. The line keeps its metadata
    /// unless the new one has some.
    ///
    /// # Errors
    /// [`CartRejection`]; nothing has changed then.
    pub fn add(&mut self, offer: &Offer, line: CartItem, at: DateTime<Utc>) -> Result<(), CartRejection> {
        self.check_open(at)?;
        check_offer(offer, self.currency)?;
        let full = self.items.len() >= MAX_LINES;
        let replaced = self.items.iter().find(|item| item.sku == line.sku && !line.metadata.is_empty());
        self.check_metadata(replaced.map(|item| &item.metadata), &line.metadata)?;
        match self.items.iter_mut().find(|item| item.sku == line.sku) {
            Some(item) => {
                item.quantity = item.quantity.plus(line.quantity)?;
                item.unit_price = line.unit_price;
                if !line.metadata.is_empty() {
                    item.metadata = line.metadata;
                }
            }
            None if full => return Err(CartRejection::TooManyLines),
            None => self.items.push(line),
        }
        self.touch(at);
        Ok(())
    }

    /// Changes the cart.
    ///
    /// # Errors
    /// [`CartRejection`]; nothing has changed then.
    pub fn change(&mut self, change: &CartChange, at: DateTime<Utc>) -> Result<(), CartRejection> {
        self.check_open(at)?;
        match change {
            CartChange::UpdateItem { item, quantity, metadata } => {
                let line = self.items.iter().find(|line| line.id == *item).ok_or(CartRejection::UnknownItem(*item))?;
                let patched = line.metadata.patched(metadata)?;
                self.check_metadata(Some(&line.metadata), &patched)?;
                for line in self.items.iter_mut().filter(|line| line.id == *item) {
                    line.quantity = quantity.unwrap_or(line.quantity);
                    line.metadata.clone_from(&patched);
                }
            }
            CartChange::RemoveItem(item) => {
                let place = self.items.iter().position(|line| line.id == *item);
                self.items.remove(place.ok_or(CartRejection::UnknownItem(*item))?);
            }
            CartChange::Metadata(patch) => {
                let patched = self.metadata.patched(patch)?;
                self.check_metadata(Some(&self.metadata), &patched)?;
                self.metadata = patched;
            }
            CartChange::AddCode(code) if self.has_code(code) => return Ok(()),
            CartChange::AddCode(_) if self.codes.len() >= MAX_CODES => return Err(CartRejection::TooManyCodes),
            CartChange::AddCode(code) => self.codes.push(code.clone()),
            CartChange::RemoveCode(code) if !self.has_code(code) => return Ok(()),
            CartChange::RemoveCode(code) => self.codes.retain(|known| !same_code(known.as_str(), code.as_str())),
        }
        self.touch(at);
        Ok(())
    }

    /// Checks the size of all metadata after one of it is replaced. It may always shrink.
    fn check_metadata(&self, replaced: Option<&Metadata>, by: &Metadata) -> Result<(), CartRejection> {
        if by.size() <= replaced.map_or(0, Metadata::size) {
            return Ok(());
        }
        let all = self.items.iter().map(|item| &item.metadata).chain([&self.metadata]);
        let others = all.filter(|metadata| !replaced.is_some_and(|replaced| core::ptr::eq(*metadata, replaced)));
        Ok(check_total(others.chain([by]))?)
    }

    fn has_code(&self, code: &Code) -> bool {
        self.codes.iter().any(|known| same_code(known.as_str(), code.as_str()))
    }

    /// Accepts prices and names of the catalog, as [`Cart::refresh`] does.
    ///
    /// # Errors
    /// [`CartRejection::AlreadyOrdered`], [`CartRejection::Expired`].
    pub fn accept_prices(
        &mut self,
        offer_of: impl Fn(&Sku) -> Option<Offer>,
        at: DateTime<Utc>,
    ) -> Result<(), CartRejection> {
        self.check_open(at)?;
        self.refresh(offer_of);
        self.touch(at);
        Ok(())
    }

    /// Updates prices and names from the catalog, and returns the changed prices. A line without an offer keeps its
    /// price.
    pub fn refresh(&mut self, offer_of: impl Fn(&Sku) -> Option<Offer>) -> Vec<PriceChange> {
        let mut changes = Vec::new();
        for item in &mut self.items {
            let Some(offer) = offer_of(&item.sku).filter(|offer| offer.price.currency() == self.currency) else {
                continue;
            };
            if offer.price != item.unit_price {
                changes.push(PriceChange { item: item.id, old: item.unit_price, new: offer.price });
            }
            item.unit_price = offer.price;
            item.name = offer.name;
        }
        changes
    }

    /// Marks the cart as ordered.
    ///
    /// # Errors
    /// [`CartRejection::Empty`], [`CartRejection::AlreadyOrdered`], [`CartRejection::Expired`].
    pub fn checkout(&mut self, order: OrderId, at: DateTime<Utc>) -> Result<(), CartRejection> {
        self.check_open(at)?;
        if self.items.is_empty() {
            return Err(CartRejection::Empty);
        }
        self.status = CartStatus::CheckedOut;
        self.order = Some(order);
        self.stamp(at);
        Ok(())
    }

    /// Marks the cart as expired.
    pub fn expire(&mut self, at: DateTime<Utc>) {
        self.status = CartStatus::Expired;
        self.stamp(at);
    }

    /// Whether the cart can be changed.
    ///
    /// # Errors
    /// [`CartRejection::AlreadyOrdered`], [`CartRejection::Expired`].
    pub fn check_open(&self, at: DateTime<Utc>) -> Result<(), CartRejection> {
        match self.status_at(at) {
            CartStatus::Active => Ok(()),
            CartStatus::CheckedOut => Err(CartRejection::AlreadyOrdered(self.order)),
            CartStatus::Expired => Err(CartRejection::Expired),
        }
    }

    /// Restarts the lifetime of the cart.
    fn touch(&mut self, at: DateTime<Utc>) {
        let lifetime = self.expires_at.signed_duration_since(self.updated_at);
        self.expires_at = at.checked_add_signed(lifetime).unwrap_or(self.expires_at);
        self.stamp(at);
    }

    const fn stamp(&mut self, at: DateTime<Utc>) {
        self.updated_at = at;
        self.version = self.version.saturating_add(1);
    }
}

impl LineItem {
    /// A line with units of an offer, at its price.
    pub fn new(id: ItemId, offer: &Offer, quantity: Quantity) -> Self {
        Self {
            id,
            sku: offer.sku.clone(),
            product_id: offer.product_id.clone(),
            name: offer.name.clone(),
            quantity,
            unit_price: offer.price,
            metadata: Metadata::default(),
        }
    }
}

/// Whether an offer can be sold in a currency.
///
/// # Errors
/// [`CartRejection::NotForSale`], [`CartRejection::Currency`].
pub fn check_offer(offer: &Offer, expected: Currency) -> Result<(), CartRejection> {
    if !offer.active {
        return Err(CartRejection::NotForSale(offer.sku.clone()));
    }
    let found = offer.price.currency();
    if found != expected {
        return Err(CartRejection::Currency { sku: offer.sku.clone(), found, expected });
    }
    Ok(())
}
