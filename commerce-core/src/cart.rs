//! The cart: what a customer is about to buy.
//!
//! A cart is a document with a version, not a history: nobody asks how a cart came to be, and what matters of it is copied
//! into the order. Every change goes through a method here, which checks everything before it changes anything.
//!
//! # Invariants
//! * `CRT-1`: at most [`MAX_LINES`] lines, no sku twice, all prices in the cart's currency.
//! * `CRT-2`: a cart becomes at most one order: [`Cart::checkout`] needs an active cart, and the commit its version.
//! * `CRT-3`: a customer has at most one active cart; the commit guards it.

use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::catalog::Offer;
use crate::ids::{CartId, ItemId, OrderId, ProductId, Sku, UserId};
use crate::metadata::{Metadata, MetadataPatch, TooManyEntries};
use crate::money::{Currency, Money};
pub use crate::pricing::{MAX_CODES, MAX_LINES};
use crate::promotion::same_code;
use crate::text::{BoundedString, Name};
use crate::{Quantity, QuantityError};

/// A promotion code as the customer typed it; codes compare without regard to case and surrounding space.
pub type Code = BoundedString<64>;

/// A cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// Its id.
    pub id: CartId,
    /// Whose it is.
    pub user_id: UserId,
    /// Where it stands.
    pub status: CartStatus,
    /// The currency of every price.
    pub currency: Currency,
    /// What is in it, in the order of adding.
    pub items: Vec<CartItem>,
    /// The promotion codes given, valid or not: a code may become valid as the cart grows.
    pub codes: Vec<Code>,
    /// The order it became.
    pub order: Option<OrderId>,
    /// What the customer's client attached. An order does not take it over.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// Grows by one with every change.
    pub version: u64,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When it ends by itself, unless it is changed before.
    pub expires_at: DateTime<Utc>,
}

/// Where a cart stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartStatus {
    /// Being filled.
    Active,
    /// Ordered.
    CheckedOut,
    /// Left alone for too long.
    Expired,
}

/// One line of a cart, and of the order it becomes. A cart refreshes name and price; an order keeps them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineItem {
    /// Names the line.
    pub id: ItemId,
    /// What.
    pub sku: Sku,
    /// Of which product.
    pub product_id: ProductId,
    /// What it is called.
    pub name: Name,
    /// How many.
    pub quantity: Quantity,
    /// The price of one, before any discount.
    pub unit_price: Money,
    /// What the customer's client attached.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// One line of a cart.
pub type CartItem = LineItem;

/// A change of one line of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemChange {
    /// The line goes.
    Remove(ItemId),
    /// The line stays.
    Update {
        /// Which line.
        item: ItemId,
        /// How many units it gets; those it has, if not said.
        quantity: Option<Quantity>,
        /// What becomes of its metadata.
        metadata: MetadataPatch,
    },
}

impl ItemChange {
    /// Sets the number of units of a line; none removes it.
    pub fn quantity(item: ItemId, quantity: Option<Quantity>) -> Self {
        match quantity {
            None => Self::Remove(item),
            quantity => Self::Update { item, quantity, metadata: MetadataPatch::default() },
        }
    }
}

/// A line whose price in the catalog is not the one in the cart any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceChange {
    /// Which line.
    pub item: ItemId,
    /// The price the cart had.
    pub old: Money,
    /// The price now.
    pub new: Money,
}

/// Why a cart refuses a change.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CartRejection {
    /// The cart was ordered already.
    #[error("the cart was ordered already")]
    AlreadyOrdered(Option<OrderId>),
    /// The cart has expired.
    #[error("the cart has expired")]
    Expired,
    /// No line of that id.
    #[error("the cart has no item {0}")]
    UnknownItem(ItemId),
    /// The sku is not in the catalog, or not for sale.
    #[error("sku {0} is not for sale")]
    NotForSale(Sku),
    /// One line more than [`MAX_LINES`].
    #[error("a cart has at most {MAX_LINES} lines")]
    TooManyLines,
    /// One code more than [`MAX_CODES`].
    #[error("a cart has at most {MAX_CODES} codes")]
    TooManyCodes,
    /// The line would have too many units.
    #[error(transparent)]
    Quantity(#[from] QuantityError),
    /// The price is in another currency.
    #[error("sku {sku} is priced in {found}, the cart is in {expected}")]
    Currency {
        /// What.
        sku: Sku,
        /// The currency of its price.
        found: Currency,
        /// The currency of the cart.
        expected: Currency,
    },
    /// Nothing to order.
    #[error("the cart is empty")]
    Empty,
    /// The metadata would have too many entries.
    #[error("the metadata {0}")]
    Metadata(#[from] TooManyEntries),
}

impl Cart {
    /// Opens an empty cart.
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

    /// The status at an instant: an active cart past its time has expired, whether or not anybody wrote it down.
    pub fn status_at(&self, at: DateTime<Utc>) -> CartStatus {
        let over = self.status == CartStatus::Active && self.expires_at <= at;
        if over { CartStatus::Expired } else { self.status }
    }

    /// Adds a line of an offer. The same sku adds up, at the price of the offer, and keeps its metadata unless the line has some.
    ///
    /// # Errors
    /// [`CartRejection`]; nothing has changed then.
    pub fn add(&mut self, offer: &Offer, line: CartItem, at: DateTime<Utc>) -> Result<(), CartRejection> {
        self.check_open(at)?;
        check_offer(offer, self.currency)?;
        let full = self.items.len() >= MAX_LINES;
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

    /// Changes or removes a line.
    ///
    /// # Errors
    /// [`CartRejection`]; nothing has changed then.
    pub fn change_item(&mut self, change: &ItemChange, at: DateTime<Utc>) -> Result<(), CartRejection> {
        self.check_open(at)?;
        let (ItemChange::Remove(id) | ItemChange::Update { item: id, .. }) = *change;
        let place = self.items.iter().position(|item| item.id == id).ok_or(CartRejection::UnknownItem(id))?;
        match (change, self.items.get_mut(place)) {
            (ItemChange::Update { quantity, metadata, .. }, Some(item)) => {
                item.metadata.patch(metadata)?;
                item.quantity = quantity.unwrap_or(item.quantity);
            }
            _ => drop(self.items.remove(place)),
        }
        self.touch(at);
        Ok(())
    }

    /// Changes the metadata.
    ///
    /// # Errors
    /// [`CartRejection`]; nothing has changed then.
    pub fn change_metadata(&mut self, patch: &MetadataPatch, at: DateTime<Utc>) -> Result<(), CartRejection> {
        self.check_open(at)?;
        self.metadata.patch(patch)?;
        self.touch(at);
        Ok(())
    }

    /// Gives a promotion code; giving it again changes nothing. Whether it is valid, the quote says.
    ///
    /// # Errors
    /// [`CartRejection`]; nothing has changed then.
    pub fn add_code(&mut self, code: Code, at: DateTime<Utc>) -> Result<(), CartRejection> {
        self.check_open(at)?;
        if self.codes.iter().any(|known| same_code(known.as_str(), code.as_str())) {
            return Ok(());
        }
        if self.codes.len() >= MAX_CODES {
            return Err(CartRejection::TooManyCodes);
        }
        self.codes.push(code);
        self.touch(at);
        Ok(())
    }

    /// Takes a promotion code back; taking back one that was not given changes nothing.
    ///
    /// # Errors
    /// [`CartRejection`]; nothing has changed then.
    pub fn remove_code(&mut self, code: &Code, at: DateTime<Utc>) -> Result<(), CartRejection> {
        self.check_open(at)?;
        if self.codes.iter().any(|known| same_code(known.as_str(), code.as_str())) {
            self.codes.retain(|known| !same_code(known.as_str(), code.as_str()));
            self.touch(at);
        }
        Ok(())
    }

    /// Takes over today's prices and names, and says which prices changed. A line without an offer keeps its price.
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

    /// Turns the cart into an order.
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

    /// Writes down that the cart has expired.
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

    /// A change by the customer starts the cart's lifetime anew.
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
    /// Units of what is offered, at the price of the offer.
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

/// Whether what an offer says can be sold in a currency.
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
