//! Use cases of prices: of a request, of a cart, of the items of an order.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::actor::Actor;
use crate::cart::{Cart, Code};
use crate::ids::UserId;
use crate::order::OrderItem;
use crate::permission::Permission;
use crate::port::{PricingFacts, PricingQuery};
use crate::pricing::{Buyer, CodeMatching, Line, Quote, Request, Shipping, price};
use crate::promotion::{Promotion, PromotionDefinition, same_code};
use crate::settings::ShippingMethod;
use crate::text::BoundedString;

use super::carts::Offers;
use super::{Engine, EngineError, Field, Result};

/// The items to price.
pub(super) struct QuoteInput<'a> {
    /// The customer.
    pub(super) user: &'a UserId,
    pub(super) items: &'a [OrderItem],
    pub(super) codes: &'a [Code],
    /// `None`: not chosen yet.
    pub(super) shipping: Option<&'a ShippingMethod>,
}

/// A price, with the promotions that were considered.
pub(super) struct QuoteResult {
    /// Its lines are in the order of the items.
    pub(super) quote: Quote,
    /// The candidates.
    pub(super) promotions: Vec<Promotion>,
}

/// What prices depend on, at one instant.
pub(super) struct Facts {
    pub(super) cart: Option<Cart>,
    pub(super) offers: Offers,
    /// Those of all codes that were asked for.
    candidates: Vec<Promotion>,
}

impl Facts {
    /// The candidates of a request with these codes.
    fn candidates(&self, codes: &[Code]) -> Vec<Promotion> {
        let entered = |code: &str| codes.iter().any(|entered| same_code(entered.as_str(), code));
        let of_request = |promotion: &&Promotion| promotion.definition().code.as_deref().is_none_or(entered);
        self.candidates.iter().filter(of_request).cloned().collect()
    }
}

impl Engine {
    /// Reads what a price depends on.
    pub(super) async fn facts(&self, query: &PricingQuery) -> Result<Facts> {
        let PricingFacts { cart, offers, candidates } = self.ports.store.pricing_facts(query).await?;
        Ok(Facts { cart, offers: offers.into_iter().map(|offer| (offer.sku.clone(), offer)).collect(), candidates })
    }

    /// Prices a request as it is. Nothing is stored, and no data of the shop is used.
    ///
    /// # Errors
    /// [`EngineError::Pricing`], [`EngineError::Forbidden`].
    pub fn quote(&self, caller: &Actor, request: &Request) -> Result<Quote> {
        caller.require(Permission::Quote)?;
        Ok(price(request)?)
    }

    /// The price of items with a shipping method.
    pub(super) async fn quote_items(
        &self,
        input: &QuoteInput<'_>,
        facts: &Facts,
        at: DateTime<Utc>,
    ) -> Result<QuoteResult> {
        let promotions = facts.candidates(input.codes);
        let customer = self.buyer(input.user, &promotions).await?;
        let lines = input.items.iter().map(|item| line(item, &facts.offers)).collect();
        let request = Request {
            codes: input.codes.iter().map(ToString::to_string).collect(),
            code_matching: CodeMatching::IgnoreCase,
            shipping: input.shipping.map(shipping),
            tax: self.settings.tax.clone(),
            tax_level: self.settings.tax_level,
            rounding: self.settings.rounding,
            selection: self.settings.selection,
            customer,
            promotions,
            ..Request::new(self.settings.currency, at, lines)
        };
        let quote = price(&request)?;
        Ok(QuoteResult { quote, promotions: request.promotions })
    }

    /// The facts about the customer that the promotions need. Facts that no promotion needs are not loaded.
    async fn buyer(&self, user: &UserId, promotions: &[Promotion]) -> Result<Buyer> {
        let definition = || promotions.iter().map(Promotion::definition);
        let mut customer = Buyer::default();
        if definition().any(PromotionDefinition::asks_for_segments) {
            customer.segments = self.segments(user).await?;
        }
        if definition().any(PromotionDefinition::asks_for_orders) {
            customer.completed_orders = self.ports.store.count_active_orders(user).await?;
        }
        Ok(customer)
    }

    /// The segments of a user, from the users service or, without one, the groups of the customer.
    async fn segments(&self, user: &UserId) -> Result<Vec<String>> {
        match &self.ports.users {
            Some(users) => Ok(users.segments(user).await?),
            None => self.groups(user).await,
        }
    }

    /// The shipping method with that name; the first one if none is given.
    pub(super) fn shipping_method(&self, name: Option<&BoundedString<64>>) -> Result<&ShippingMethod> {
        let methods = &self.settings.shipping_methods;
        let found = name.map_or_else(|| methods.first(), |name| self.settings.shipping_method(name));
        found.ok_or_else(|| {
            let known: Vec<_> = methods.iter().map(|method| method.name.as_str()).collect();
            EngineError::invalid(Field::ShippingMethod, alloc::format!("one of: {}", known.join(", ")))
        })
    }
}

fn shipping(method: &ShippingMethod) -> Shipping {
    Shipping {
        method: method.name.to_string(),
        amount: method.fee,
        tax_category: method.tax_category.as_ref().map(ToString::to_string),
    }
}

fn line(item: &OrderItem, offers: &Offers) -> Line {
    let offer = offers.get(&item.sku);
    Line {
        id: item.id.into(),
        sku: item.sku.clone(),
        quantity: item.quantity,
        unit_price: item.unit_price,
        categories: offer.map(|offer| offer.categories.clone()).unwrap_or_default(),
        tax_category: offer.and_then(|offer| offer.tax_category.as_ref()).map(ToString::to_string),
    }
}
