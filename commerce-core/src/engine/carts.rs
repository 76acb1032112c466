//! Use cases of carts.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::Quantity;
use crate::actor::Actor;
use crate::cart::{Cart, CartChange, CartItem, CartRejection, CartStatus, PriceChange};
use crate::catalog::Offer;
use crate::document::{DocumentFilter, DocumentKind};
use crate::ids::{CartId, ItemId, Sku};
use crate::metadata::Metadata;
use crate::permission::Permission;
use crate::port::{Page, PageRequest, PricingQuery, PricingSubject};
use crate::pricing::Quote;
use crate::promotion::code_key;

use super::quotes::{Facts, QuoteInput};
use super::{Answer, Decided, Decision, Engine, EngineError, Key, Resource, Result, Target};

/// A cart with its current price.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct CartView {
    /// With current prices.
    pub cart: Cart,
    pub quote: Quote,
    /// The lines whose price in the catalog is not the one that the customer accepted: by adding the SKU, or with
    /// [`Engine::refresh_cart`].
    pub price_changes: Vec<PriceChange>,
}

/// The caller's active cart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct OpenedCart {
    pub view: CartView,
    /// Whether it was created now.
    pub is_new: bool,
}

/// Units to add to a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct NewItem {
    pub sku: Sku,
    pub quantity: Quantity,
    pub metadata: Metadata,
}

impl NewItem {
    /// Units of a SKU.
    pub fn new(sku: Sku, quantity: Quantity) -> Self {
        Self { sku, quantity, metadata: Metadata::default() }
    }
}

/// Offers by SKU.
pub type Offers = BTreeMap<Sku, Offer>;

impl Engine {
    /// The caller's active cart, created with the metadata if there is none. An expired cart is replaced.
    ///
    /// # Errors
    /// [`EngineError::Store`], [`EngineError::Forbidden`] without a user.
    pub async fn open_cart(&self, caller: &Actor, metadata: &Metadata, key: Key<'_, OpenedCart>) -> Answer<OpenedCart> {
        self.decide_and_commit(key, |_| self.decide_open(caller, metadata)).await
    }

    async fn decide_open(&self, caller: &Actor, metadata: &Metadata) -> Decided<OpenedCart> {
        let (user, at) = (caller.user_id()?, self.now());
        let mut commit = self.commit_by(caller, at);
        let facts = self.facts(&PricingQuery::new(PricingSubject::ActiveCart(user.clone()))).await?;
        match &facts.cart {
            Some(cart) if cart.status_at(at) == CartStatus::Active => {
                let view = self.view(cart.clone(), &facts).await?;
                return Ok(Decision { commit, outcome: OpenedCart { view, is_new: false } });
            }
            Some(over) => {
                let mut expired = over.clone();
                expired.expire(at);
                commit.change(Some(over), expired);
            }
            None => {}
        }
        let id = CartId::new(self.ports.ids.next());
        let cart = Cart::open(id, user.clone(), self.settings.currency, at, self.settings.cart_lifetime);
        let cart = Cart { metadata: metadata.clone(), ..cart };
        commit.change(None, cart.clone());
        let view = self.view(cart, &facts).await?;
        Ok(Decision { commit, outcome: OpenedCart { view, is_new: true } })
    }

    /// Marks a cart as expired if its lifetime is over, for stores that tell when that is. Otherwise nothing happens.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn expire_cart(&self, id: CartId) -> Result<()> {
        self.decide_and_commit(None, |_| self.decide_expiry(id)).await.map(drop)
    }

    async fn decide_expiry(&self, id: CartId) -> Decided<()> {
        let at = self.now();
        let mut commit = self.commit_by(&Actor::SYSTEM, at);
        let over = |cart: &Cart| cart.status == CartStatus::Active && cart.status_at(at) == CartStatus::Expired;
        if let Some(cart) = self.ports.store.cart(id).await?.filter(over) {
            let mut expired = cart.clone();
            expired.expire(at);
            commit.change(Some(&cart), expired);
        }
        Ok(Decision { commit, outcome: () })
    }

    /// A cart with its current price.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] also for the cart of another customer.
    pub async fn cart(&self, caller: &Actor, id: CartId) -> Result<CartView> {
        let facts = self.facts(&PricingQuery::new(PricingSubject::Cart(id))).await?;
        self.view_for(caller, &facts).await
    }

    /// The cart that was read, if the caller may see it.
    pub(super) async fn view_for(&self, caller: &Actor, facts: &Facts) -> Result<CartView> {
        let cart = facts.cart.clone().filter(|cart| caller.can_access(&cart.user_id));
        let mut cart = cart.ok_or(EngineError::NotFound(Resource::Document(DocumentKind::Cart)))?;
        cart.status = cart.status_at(self.now());
        self.view(cart, facts).await
    }

    /// The carts of the shop, by id.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`] to customers.
    pub async fn carts(
        &self,
        caller: &Actor,
        filter: &DocumentFilter,
        page: &PageRequest<String>,
    ) -> Result<Page<Cart, String>> {
        caller.require(Permission::SeeAll)?;
        let Page { items, next } = self.ports.store.documents(DocumentKind::Cart, filter, page).await?;
        let at = self.now();
        let carts = items.into_iter().filter_map(|document| Cart::try_from(document).ok());
        Ok(Page { items: carts.map(|cart| Cart { status: cart.status_at(at), ..cart }).collect(), next })
    }

    /// Adds units of a SKU to the caller's cart.
    ///
    /// # Errors
    /// [`EngineError::Cart`], [`EngineError::VersionMismatch`], [`EngineError::NotFound`].
    pub async fn add_item(
        &self,
        caller: &Actor,
        cart: Target<CartId>,
        NewItem { sku, quantity, metadata }: NewItem,
        key: Key<'_, CartView>,
    ) -> Answer<CartView> {
        let id = ItemId::new(self.ports.ids.next());
        let query = PricingQuery { skus: Vec::from([sku.clone()]), ..PricingQuery::new(PricingSubject::Cart(cart.id)) };
        let add = |cart: &mut Cart, offers: &Offers, at| match offers.get(&sku) {
            Some(offer) => {
                cart.add(offer, CartItem { metadata: metadata.clone(), ..CartItem::new(id, offer, quantity) }, at)
            }
            None => cart.check_open(at).and(Err(CartRejection::NotForSale(sku.clone()))),
        };
        self.decide_and_commit(key, |_| self.decide_change(caller, cart, &query, &add)).await
    }

    /// Changes the caller's cart.
    ///
    /// # Errors
    /// [`EngineError::Cart`], [`EngineError::VersionMismatch`], [`EngineError::NotFound`].
    pub async fn change_cart(
        &self,
        caller: &Actor,
        cart: Target<CartId>,
        change: &CartChange,
        key: Key<'_, CartView>,
    ) -> Answer<CartView> {
        let mut query = PricingQuery::new(PricingSubject::Cart(cart.id));
        if let CartChange::AddCode(code) = change {
            query.codes.push(code_key(code.as_str()));
        }
        let change = |cart: &mut Cart, _: &Offers, at| cart.change(change, at);
        self.decide_and_commit(key, |_| self.decide_change(caller, cart, &query, &change)).await
    }

    /// Accepts today's prices in the caller's cart. A checkout refuses lines that cost more than was accepted.
    ///
    /// # Errors
    /// [`EngineError::Cart`], [`EngineError::VersionMismatch`], [`EngineError::NotFound`].
    pub async fn refresh_cart(&self, caller: &Actor, cart: Target<CartId>, key: Key<'_, CartView>) -> Answer<CartView> {
        let query = PricingQuery::new(PricingSubject::Cart(cart.id));
        let accept = |cart: &mut Cart, offers: &Offers, at| cart.accept_prices(|sku| offers.get(sku).cloned(), at);
        self.decide_and_commit(key, |_| self.decide_change(caller, cart, &query, &accept)).await
    }

    async fn decide_change(
        &self,
        caller: &Actor,
        target: Target<CartId>,
        query: &PricingQuery,
        change: &impl Fn(&mut Cart, &Offers, DateTime<Utc>) -> Result<(), CartRejection>,
    ) -> Decided<CartView> {
        let (before, facts) = self.own_cart(caller, query).await?;
        let (mut cart, at) = (before.clone(), self.now());
        target.expected.check(before.version)?;
        change(&mut cart, &facts.offers, at)?;
        let mut commit = self.commit_by(caller, cart.updated_at);
        if cart.version != before.version {
            commit.change(Some(&before), cart.clone());
        }
        Ok(Decision { commit, outcome: self.view(cart, &facts).await? })
    }

    /// A cart of the caller, with what its price depends on. Only the owner can change or order a cart.
    pub(super) async fn own_cart(&self, caller: &Actor, query: &PricingQuery) -> Result<(Cart, Facts)> {
        let user = caller.user_id()?;
        let mut facts = self.facts(query).await?;
        let cart = facts.cart.take().filter(|cart| cart.user_id == *user);
        Ok((cart.ok_or(EngineError::NotFound(Resource::Document(DocumentKind::Cart)))?, facts))
    }

    /// The cart with its current price, without shipping, which is chosen at checkout.
    async fn view(&self, mut cart: Cart, facts: &Facts) -> Result<CartView> {
        let price_changes = cart.refresh(|sku| facts.offers.get(sku).cloned());
        let input = QuoteInput { user: &cart.user_id, items: &cart.items, codes: &cart.codes, shipping: None };
        let quote = self.quote_items(&input, facts, self.now()).await?.quote;
        Ok(CartView { cart, quote, price_changes })
    }

    /// The offers of SKUs. Unknown SKUs are left out.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn offers(&self, skus: &[Sku]) -> Result<Offers> {
        let offers = self.ports.store.offers(skus).await?;
        Ok(offers.into_iter().map(|offer| (offer.sku.clone(), offer)).collect())
    }
}
