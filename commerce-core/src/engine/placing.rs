//! Placing an order from a cart or from a list of items.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::Quantity;
use crate::actor::Actor;
use crate::cart::{Cart, CartRejection, MAX_LINES, check_offer};
use crate::catalog::Offer;
use crate::ids::{CartId, ItemId, OrderId, OrderNumber, PaymentId, ProductId, PromotionId, Sku, UserId};
use crate::metadata::Metadata;
use crate::money::{Amount, Money};
use crate::order::{Context, NewOrder, Order, OrderDetails, OrderItem, UnpaidGuard, place};
use crate::permission::Permission;
use crate::port::{AccountStatus, PricingQuery, PricingSubject};
use crate::pricing::{CodeRejection, Quote, RejectedCode};
use crate::promotion::{Limits, Promotion};
use crate::text::BoundedString;

use super::quotes::{Facts, QuoteInput, QuoteResult};
use super::{Answer, Decided, Engine, EngineError, Field, ItemPart, Key, Result, decided_order};

/// A request to order the caller's cart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct CheckoutRequest {
    pub cart_id: CartId,
    /// If given, it must be the owner of the cart.
    pub user_id: Option<UserId>,
    /// `None`: the first method of the shop.
    pub shipping_method: Option<BoundedString<64>>,
    /// The total that the customer was shown. An order of another total is refused. `None`: a line that costs more than the
    /// customer accepted in the cart is refused.
    pub expected_total: Option<Amount>,
    pub details: OrderDetails,
}

impl CheckoutRequest {
    /// A request to order a cart, shipped by the first method of the shop.
    pub const fn new(cart_id: CartId, details: OrderDetails) -> Self {
        Self { cart_id, user_id: None, shipping_method: None, expected_total: None, details }
    }
}

/// A request to order items without a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct PlaceOrderRequest {
    /// The customer; `None`: the caller. Only admin and service may set it.
    pub user_id: Option<UserId>,
    pub items: Vec<ItemRequest>,
    /// `None`: the first method of the shop.
    pub shipping_method: Option<BoundedString<64>>,
    /// The total that the customer was shown. An order of another total is refused.
    pub expected_total: Option<Amount>,
    pub details: OrderDetails,
}

impl PlaceOrderRequest {
    /// A request to order items for the caller, shipped by the first method of the shop.
    pub const fn new(items: Vec<ItemRequest>, details: OrderDetails) -> Self {
        Self { user_id: None, items, shipping_method: None, expected_total: None, details }
    }
}

/// One line to order: a SKU, or a product with a single variant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct ItemRequest {
    pub sku: Option<Sku>,
    pub product_id: Option<ProductId>,
    pub quantity: Quantity,
    /// A price other than the catalog's. Only admin and service may set it.
    pub unit_price: Option<Amount>,
    pub metadata: Metadata,
}

impl ItemRequest {
    /// Units at the price of the catalog. Set `sku` or `product_id`.
    pub fn new(quantity: Quantity) -> Self {
        Self { sku: None, product_id: None, quantity, unit_price: None, metadata: Metadata::default() }
    }

    /// Units of a SKU at the price of the catalog.
    pub fn sku(sku: Sku, quantity: Quantity) -> Self {
        Self { sku: Some(sku), ..Self::new(quantity) }
    }
}

/// The parts of a new order, from a cart or a list of items.
struct PendingOrder<'a> {
    id: OrderId,
    user_id: UserId,
    /// The cart as it was read, and as it is after the checkout.
    cart: Option<(Cart, Cart)>,
    items: Vec<OrderItem>,
    facts: Facts,
    shipping_method: Option<&'a BoundedString<64>>,
    expected_total: Option<Amount>,
    details: &'a OrderDetails,
}

/// The price is not the one that the customer was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PriceChanged {
    /// The total that the request expected.
    pub expected_total: Option<Money>,
    /// The price as accepted in the cart. `None` without a cart.
    pub accepted: Option<Quote>,
    /// Today's price.
    pub current: Quote,
}

impl Engine {
    /// Orders the caller's cart: order, stock, cart and idempotency record in one commit.
    ///
    /// # Errors
    /// [`EngineError::Cart`] (ordered already, empty, no longer for sale), [`EngineError::Limit`], [`EngineError::Stock`],
    /// [`EngineError::PriceChanged`], [`EngineError::UserNotFound`], [`EngineError::AccountInactive`], [`EngineError::Users`], [`EngineError::Invalid`] (shipping method).
    pub async fn checkout(&self, caller: &Actor, request: &CheckoutRequest, key: Key<'_, Order>) -> Answer<Order> {
        self.decide_and_commit(key, |lost| self.decide_checkout(caller, request, lost)).await
    }

    async fn decide_checkout(&self, caller: &Actor, request: &CheckoutRequest, lost: u32) -> Decided<Order> {
        let (context, id) = (self.context(caller), OrderId::new(self.ports.ids.next()));
        if request.user_id.is_some() && request.user_id != caller.user {
            return Err(EngineError::invalid(Field::User, "a cart is ordered by its owner"));
        }
        let query = PricingQuery::new(PricingSubject::Cart(request.cart_id));
        let (before, facts) = self.own_cart(caller, &query).await?;
        let mut cart = before.clone();
        cart.checkout(id, context.at)?;
        let user_id = self.known_user(cart.user_id.clone()).await?;
        let offers = &facts.offers;
        cart.items.iter().try_for_each(|item| {
            let offer = offers.get(&item.sku).ok_or_else(|| CartRejection::NotForSale(item.sku.clone()))?;
            check_offer(offer, cart.currency)
        })?;
        cart.refresh(|sku| offers.get(sku).cloned());
        let items = cart.items.clone();
        let &CheckoutRequest { ref shipping_method, expected_total, ref details, .. } = request;
        let (cart, shipping_method) = (Some((before, cart)), shipping_method.as_ref());
        let pending = PendingOrder { id, user_id, cart, items, facts, shipping_method, expected_total, details };
        self.place(&context, pending, lost).await
    }

    /// Orders items without a cart.
    ///
    /// # Errors
    /// As [`Engine::checkout`]; [`EngineError::Invalid`] with the item.
    pub async fn place_order(&self, caller: &Actor, request: &PlaceOrderRequest, key: Key<'_, Order>) -> Answer<Order> {
        self.decide_and_commit(key, |lost| self.decide_order(caller, request, lost)).await
    }

    async fn decide_order(&self, caller: &Actor, request: &PlaceOrderRequest, lost: u32) -> Decided<Order> {
        check_request(caller, request)?;
        let user_id = request.user_id.clone().map_or_else(|| caller.user_id().cloned(), Ok)?;
        let user_id = self.known_user(user_id).await?;
        let (context, id) = (self.context(caller), OrderId::new(self.ports.ids.next()));
        let skus = self.resolve(&request.items).await?;
        let query = PricingQuery { skus, ..PricingQuery::new(PricingSubject::Customer(user_id.clone())) };
        let facts = self.facts(&query).await?;
        let lines = request.items.iter().zip(&query.skus).enumerate();
        let item = |(at, (item, sku))| self.order_item(at, item, facts.offers.get(sku));
        let items = lines.map(item).collect::<Result<_>>()?;
        let &PlaceOrderRequest { ref shipping_method, expected_total, ref details, .. } = request;
        let shipping_method = shipping_method.as_ref();
        let pending = PendingOrder { id, user_id, cart: None, items, facts, shipping_method, expected_total, details };
        self.place(&context, pending, lost).await
    }

    async fn place(&self, context: &Context, pending: PendingOrder<'_>, lost: u32) -> Decided<Order> {
        let method = self.shipping_method(pending.shipping_method)?;
        let priced = self.quote_pending(&pending, &pending.items, context.at).await?;
        check_codes(&priced.quote)?;
        self.check_price(&pending, &priced.quote, context.at).await?;
        let PendingOrder { id, user_id, cart, items, .. } = pending;
        let random = self.ports.ids.next().as_u64_pair().1;
        let longer = usize::try_from(lost).unwrap_or_default();
        let new_order = NewOrder {
            id,
            number: OrderNumber::new(context.at.date_naive(), random, OrderNumber::SUFFIX.saturating_add(longer)),
            payment: PaymentId::new(self.ports.ids.next()),
            user_id,
            cart_id: cart.as_ref().map(|(cart, _)| cart.id),
            quote: priced.quote.of_items(items),
            shipping_method: method.name.clone(),
            details: pending.details.clone(),
            reserved_until: context.at.checked_add_signed(self.settings.reservation).unwrap_or(context.at),
        };
        let events = place(&self.settings.lifecycle, context, new_order)?;
        let mut commit = self.commit_by(&context.actor, context.at);
        commit.unpaid = self.unpaid_guard(context);
        commit.place(self.recorded(context, 0, events), &limits_of(&priced.promotions))?;
        self.request_opening(&mut commit);
        if let Some((before, after)) = cart {
            commit.change(Some(&before), after);
        }
        Ok(decided_order(commit))
    }

    /// Limits the unpaid orders of customers.
    fn unpaid_guard(&self, context: &Context) -> Option<UnpaidGuard> {
        let since = context.at.checked_sub_signed(self.settings.reservation).unwrap_or(context.at);
        let limits = self.settings.unpaid;
        let is_limited =
            limits.orders.or(limits.units).is_some() && !context.actor.role.may(Permission::OrderUnlimited);
        is_limited.then_some(UnpaidGuard { limits, since })
    }

    async fn quote_pending(
        &self,
        pending: &PendingOrder<'_>,
        items: &[OrderItem],
        at: DateTime<Utc>,
    ) -> Result<QuoteResult> {
        let codes = pending.cart.as_ref().map_or(&[][..], |(_, cart)| &cart.codes);
        let shipping = Some(self.shipping_method(pending.shipping_method)?);
        self.quote_items(&QuoteInput { user: &pending.user_id, items, codes, shipping }, &pending.facts, at).await
    }

    /// Refuses a price that the customer was not shown.
    async fn check_price(&self, pending: &PendingOrder<'_>, current: &Quote, at: DateTime<Utc>) -> Result<()> {
        let expected = pending.expected_total.map(|total| total.in_currency(self.settings.currency)).transpose();
        let expected_total = expected.map_err(|refused| EngineError::invalid(Field::ExpectedTotal, refused))?;
        let dearer = |(old, new): (&OrderItem, &OrderItem)| new.unit_price.minor() > old.unit_price.minor();
        let accepted = pending.cart.as_ref().map(|(before, _)| &before.items);
        let changed = match (expected_total, accepted) {
            (Some(total), _) => total != current.total,
            (None, Some(accepted)) => accepted.iter().zip(&pending.items).any(dearer),
            (None, None) => false,
        };
        if !changed {
            return Ok(());
        }
        let accepted = match accepted {
            Some(items) => Some(self.quote_pending(pending, items, at).await?.quote),
            None => None,
        };
        Err(EngineError::PriceChanged(Box::new(PriceChanged { expected_total, accepted, current: current.clone() })))
    }

    async fn known_user(&self, user: UserId) -> Result<UserId> {
        let Some(users) = &self.ports.users else { return Ok(user) };
        match users.account_status(&user).await? {
            Some(AccountStatus::Active) => Ok(user),
            Some(status @ (AccountStatus::Suspended | AccountStatus::Deactivated)) => {
                Err(EngineError::AccountInactive { user, status })
            }
            None => Err(EngineError::UserNotFound(user)),
        }
    }

    /// The SKUs of the items. A product stands for its only variant.
    async fn resolve(&self, items: &[ItemRequest]) -> Result<Vec<Sku>> {
        let mut skus = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            skus.push(match (&item.sku, &item.product_id) {
                (Some(sku), None) => sku.clone(),
                (None, Some(product)) => self.only_variant(at, product).await?,
                _ => {
                    return Err(EngineError::invalid(
                        Field::item(at, ItemPart::Whole),
                        "name either a SKU or a product_id",
                    ));
                }
            });
        }
        Ok(skus)
    }

    async fn only_variant(&self, at: usize, id: &ProductId) -> Result<Sku> {
        let field = Field::item(at, ItemPart::Product);
        let product = self.ports.store.product(id).await?;
        match product.as_ref().map(|product| product.variants.as_slice()) {
            Some([only]) => Ok(only.sku.clone()),
            Some(_) => Err(EngineError::invalid(field, "the product has several variants, name a SKU")),
            None => Err(EngineError::invalid(field, format!("product {id} is not for sale"))),
        }
    }

    fn order_item(&self, at: usize, request: &ItemRequest, offer: Option<&Offer>) -> Result<OrderItem> {
        let (whole, price) = (Field::item(at, ItemPart::Whole), Field::item(at, ItemPart::UnitPrice));
        let offer = offer.ok_or_else(|| EngineError::invalid(whole, "not in the catalog"))?;
        check_offer(offer, self.settings.currency).map_err(|refused| EngineError::invalid(whole, refused))?;
        let given = request.unit_price.map(|price| price.in_currency(self.settings.currency)).transpose();
        let given = given.map_err(|refused| EngineError::invalid(price, refused))?;
        if given.is_some_and(Money::is_negative) {
            return Err(EngineError::invalid(price, "a price is not negative"));
        }
        let item = OrderItem::new(ItemId::new(self.ports.ids.next()), offer, request.quantity);
        Ok(OrderItem { unit_price: given.unwrap_or(offer.price), metadata: request.metadata.clone(), ..item })
    }
}

fn limits_of(promotions: &[Promotion]) -> BTreeMap<PromotionId, Limits> {
    promotions.iter().map(|promotion| (promotion.id().clone(), promotion.definition().limits)).collect()
}

/// Only admin and service order for others and set prices.
fn check_request(caller: &Actor, request: &PlaceOrderRequest) -> Result<()> {
    let for_other = request.user_id.as_ref().is_some_and(|user| Some(user) != caller.user.as_ref());
    if for_other || request.items.iter().any(|item| item.unit_price.is_some()) {
        caller.require(Permission::OrderForOthers)?;
    }
    if request.items.is_empty() || request.items.len() > MAX_LINES {
        return Err(EngineError::invalid(Field::Items, format!("an order has 1 to {MAX_LINES} items")));
    }
    Ok(())
}

/// Refuses the order if a code expired or was used up since the cart was priced, so that the customer does not pay more
/// than was shown. A code that never applied does not matter.
fn check_codes(quote: &Quote) -> Result<()> {
    let over = |refused: &&RejectedCode| matches!(refused.reason, CodeRejection::UsageLimit | CodeRejection::Expired);
    match quote.rejected.iter().find(over) {
        Some(RejectedCode { code, reason }) => Err(EngineError::CodeRejected { code: code.clone(), reason: *reason }),
        None => Ok(()),
    }
}
