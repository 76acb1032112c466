//! Prices: of a request as it stands, of a cart, of the items of an order.

use alloc::string::ToString;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::actor::{Actor, Role};
use crate::cart::{Cart, Code};
use crate::ids::UserId;
use crate::order::OrderItem;
use crate::pricing::{CodeMatching, Customer, Line, Quote, Request, Shipping, price};
use crate::promotion::{Promotion, Terms, code_key};
use crate::text::Text;

use super::carts::Offers;
use super::{Engine, EngineError};

/// What is to be priced of the shop.
pub(super) struct Wanted<'a> {
    /// Who buys.
    pub(super) user: &'a UserId,
    /// What is bought.
    pub(super) items: &'a [OrderItem],
    /// The codes given.
    pub(super) codes: &'a [Code],
    /// How it is shipped, once that is chosen.
    pub(super) shipping: Option<&'a Text<64>>,
}

/// A price, with the promotions that were considered.
pub(super) struct Priced {
    /// The price; its lines are in the order of the items.
    pub(super) quote: Quote,
    /// The candidates.
    pub(super) promotions: Vec<Promotion>,
}

impl Engine {
    /// Prices a request as it stands; nothing is stored and nothing of the shop goes in.
    ///
    /// # Errors
    /// [`EngineError::Pricing`], [`EngineError::Forbidden`].
    pub fn quote(&self, caller: &Actor, request: &Request) -> Result<Quote, EngineError> {
        caller.require(&[Role::Admin, Role::Service])?;
        Ok(price(request)?)
    }

    /// What a cart costs now. Shipping is chosen at checkout and not in it.
    pub(super) async fn quote_cart(&self, cart: &Cart, offers: &Offers) -> Result<Quote, EngineError> {
        let wanted = Wanted { user: &cart.user_id, items: &cart.items, codes: &cart.codes, shipping: None };
        Ok(self.quote_items(&wanted, offers, self.now()).await?.quote)
    }

    /// What items cost, shipped in some way.
    pub(super) async fn quote_items(
        &self,
        wanted: &Wanted<'_>,
        offers: &Offers,
        at: DateTime<Utc>,
    ) -> Result<Priced, EngineError> {
        let keys: Vec<_> = wanted.codes.iter().map(|code| code_key(code.as_str())).collect();
        let promotions = self.ports.promotions.candidates(&keys, wanted.user).await?;
        let customer = self.customer(wanted.user, &promotions).await?;
        let lines = wanted.items.iter().map(|item| line(item, offers)).collect();
        let shipping = wanted.shipping.map(|method| self.shipping(method)).transpose()?;
        let request = Request {
            codes: wanted.codes.iter().map(ToString::to_string).collect(),
            code_matching: CodeMatching::IgnoreCase,
            shipping,
            tax: self.settings.tax.clone(),
            tax_level: self.settings.tax_level,
            rounding: self.settings.rounding,
            selection: self.settings.selection,
            customer,
            promotions,
            ..Request::new(self.settings.currency, at, lines)
        };
        let quote = price(&request)?;
        Ok(Priced { quote, promotions: request.promotions })
    }

    /// What promotions ask of the customer; nobody is asked what no promotion wants to know.
    async fn customer(&self, user: &UserId, promotions: &[Promotion]) -> Result<Customer, EngineError> {
        let terms = || promotions.iter().map(Promotion::terms);
        let mut customer = Customer::default();
        if terms().any(Terms::asks_for_segments) {
            customer.segments = self.ports.users.segments(user).await?;
        }
        if terms().any(Terms::asks_for_orders) {
            customer.completed_orders = self.ports.store.standing_orders(user).await?;
        }
        Ok(customer)
    }

    fn shipping(&self, name: &Text<64>) -> Result<Shipping, EngineError> {
        let method = self.settings.shipping_method(name).ok_or_else(|| {
            let known: Vec<_> = self.settings.shipping_methods.iter().map(|method| method.name.as_str()).collect();
            EngineError::invalid("/shipping_method", alloc::format!("one of: {}", known.join(", ")))
        })?;
        Ok(Shipping {
            method: method.name.to_string(),
            amount: method.fee,
            tax_category: method.tax_category.as_ref().map(ToString::to_string),
        })
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
