//! What a price depends on, by one statement.
//!
//! The statement asks for what the cart is believed to contain, and for the uses of the promotions that are
//! [remembered](Remembered). Its answer contains the cart and the version of all promotions, and so shows whether the belief was
//! true. If not, the next statement asks for what was missing. Only the last answer counts, so the facts are of one instant.

use std::collections::BTreeMap;
use std::mem;

use commerce_core::cart::Cart;
use commerce_core::catalog::{Offer, Product};
use commerce_core::document::DocumentKind;
use commerce_core::ids::{Sku, UserId};
use commerce_core::money::Money;
use commerce_core::port::{PricingFacts, PricingQuery, PricingSubject};
use commerce_core::promotion::{Promotion, PromotionRecord, Usage};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::{Answer, Conn, Fault, RunQueryDsl, dialect};
use crate::fixed::{Fixed, around, fixed};
use crate::remembered::{KnownPromotions, Needs, Remembered};
use crate::rows::document::read_document;
use crate::rows::read_counter;
use crate::schema::{carts, claims, document_keys, documents, feed, products, promotion_redemptions, promotion_uses};

/// The most statements for one answer: the cart and the promotions may change between them.
const ROUNDS: usize = 20;

/// The facts for a price.
pub(in super::super) async fn facts(
    conn: &mut Conn,
    remembered: &Remembered,
    query: &PricingQuery,
) -> Answer<PricingFacts> {
    let mut asked = Needs::believed(query, remembered);
    for _ in 0..ROUNDS {
        let known = remembered.promotions(&asked.keys);
        let mut found = match &known {
            Some(known) => read_with(conn, &query.subject, &asked, known).await?,
            None => read_all(conn, &query.subject, &asked).await?,
        };
        let needs = Needs::of(query, found.cart.as_ref());
        let promotions = match known {
            None => remembered.learn_promotions(found.version, &asked.keys, mem::take(&mut found.promotions)),
            Some(known) if known.version == found.version => known,
            Some(_) => {
                remembered.forget_promotions();
                asked = needs;
                continue;
            }
        };
        if asked.cover(&needs, &promotions) {
            let facts = found.facts(&needs, &promotions);
            if let PricingSubject::Cart(id) = query.subject {
                remembered.learn_cart(id, needs);
            }
            return Ok(facts);
        }
        asked = needs;
    }
    Err(Fault::Restless)
}

/// What a statement found.
#[derive(Default)]
struct Found {
    cart: Option<Cart>,
    products: Vec<Product>,
    /// The version of all promotions.
    version: i64,
    /// With their keys, unless they are remembered.
    promotions: Vec<(String, PromotionRecord)>,
    /// Uses and amount (in minor units).
    uses: BTreeMap<String, (u64, i64)>,
    by_customer: BTreeMap<String, u64>,
}

impl Found {
    fn facts(self, needs: &Needs, promotions: &KnownPromotions) -> PricingFacts {
        if needs.customer.is_none() {
            return PricingFacts::default();
        }
        let skus: Vec<Sku> = needs.skus.iter().cloned().collect();
        let offers: Vec<Offer> = self.products.iter().flat_map(|product| product.offers(&skus)).collect();
        let records = promotions.with_keys(&needs.keys).into_iter();
        PricingFacts { offers, candidates: records.map(|record| self.candidate(record)).collect(), cart: self.cart }
    }

    fn candidate(&self, record: &PromotionRecord) -> Promotion {
        let id = record.id().as_str();
        let (used, spent) = self.uses.get(id).copied().unwrap_or_default();
        let used_by_customer = self.by_customer.get(id).copied().unwrap_or_default();
        let budget_used = Some(Money::new(spent, record.promotion.currency()));
        record.candidate(Usage { used, used_by_customer, budget_used })
    }

    fn of(rows: Vec<Row>) -> Answer<Self> {
        rows.into_iter().try_fold(Self::default(), Self::with)
    }

    fn with(mut self, (part, key, body, number, other): Row) -> Answer<Self> {
        match part.as_str() {
            "version" => self.version = number,
            "cart" => self.cart = Some(read_document(DocumentKind::Cart, &body)?),
            "product" => self.products.push(read_document(DocumentKind::Product, &body)?),
            "promotion" => self.promotions.push((key, read_document(DocumentKind::Promotion, &body)?)),
            "uses" => drop(self.uses.insert(key, (read_counter("promotion_uses.used", number)?, other))),
            _ => drop(self.by_customer.insert(key, read_counter("promotion_redemptions", number)?)),
        }
        Ok(self)
    }
}

/// The part, a key, a body, and two numbers.
type Row = (String, String, String, i64, i64);

/// A part of the statement.
macro_rules! part {
    ($part:literal, $rows:expr, $key:expr, $body:expr, $number:expr, $other:expr) => {
        $rows.select((fixed::<Text>(concat!("'", $part, "'")), $key, $body, $number, $other))
    };
}

/// The parts that each statement has. The first one gives the columns their names and types.
macro_rules! parts {
    ($subject:expr, $asked:expr) => {{
        let version = feed::table.filter(feed::id.eq(1));
        let (before, after) = dialect::SOLD;
        let sold =
            around::<Bool, _>(before, dialect::in_list(claims::claim, $asked.skus.iter().map(Sku::as_str)), after);
        let sold = products::table.filter(sold);
        let (id, user) = match $subject {
            PricingSubject::Cart(id) => (id.to_string(), ""),
            PricingSubject::ActiveCart(user) => (String::new(), user.as_str()),
            PricingSubject::Customer(_) => (String::new(), ""),
        };
        // Not `IN`: PostgreSQL might look at all carts for the one that is claimed.
        let active = "(SELECT owner FROM claims WHERE kind = 'active_cart' AND claim = ";
        let active = around::<Text, _>(active, user.to_owned().into_sql::<Text>(), ")");
        let active = carts::table.filter(carts::id.eq(active));
        let cart = carts::table.filter(carts::id.eq(id));
        part!(
            "version",
            version,
            fixed::<Text>("'' AS no_key"),
            fixed::<Text>("'' AS no_body"),
            feed::promotions,
            feed::position
        )
        .union_all(part!("product", sold, empty(), products::body, zero(), zero()))
        .union_all(part!("cart", cart, empty(), carts::body, zero(), zero()))
        .union_all(part!("cart", active, empty(), carts::body, zero(), zero()))
    }};
}

/// The parts of the uses of promotions, in total and by the customer.
macro_rules! parts_of_uses {
    ($statement:expr, $customer:expr, $uses:expr, $redemptions:expr) => {{
        let (uses, of_customer) = (promotion_uses::promotion_id, promotion_redemptions::promotion_id);
        let live = promotion_redemptions::table.filter(promotion_redemptions::user_id.eq($customer));
        let live = live.filter(promotion_redemptions::released_at.is_null()).filter($redemptions).group_by(of_customer);
        $statement
            .union_all(part!(
                "uses",
                promotion_uses::table.filter($uses),
                uses,
                empty(),
                promotion_uses::used,
                promotion_uses::spent
            ))
            .union_all(part!("customer", live, of_customer, empty(), count_star(), zero()))
    }};
}

/// Asks with the promotions that are known: for the uses of those that are limited.
async fn read_with(conn: &mut Conn, subject: &PricingSubject, asked: &Needs, known: &KnownPromotions) -> Answer<Found> {
    let limited = known.limited(&asked.keys);
    if limited.is_empty() {
        return Found::of(parts!(subject, asked).load(conn).await?);
    }
    let customer = asked.customer.as_ref().map_or("", UserId::as_str);
    let uses = dialect::in_list(promotion_uses::promotion_id, limited.iter().copied());
    let of_customer = dialect::in_list(promotion_redemptions::promotion_id, limited);
    let statement = parts_of_uses!(parts!(subject, asked), customer, uses, of_customer);
    Found::of(statement.load(conn).await?)
}

/// Asks for the promotions too.
async fn read_all(conn: &mut Conn, subject: &PricingSubject, asked: &Needs) -> Answer<Found> {
    let customer = asked.customer.as_ref().map_or("", UserId::as_str);
    let keyed = || {
        let keys = document_keys::table.filter(document_keys::kind.eq(DocumentKind::Promotion.name()));
        keys.filter(dialect::in_list(document_keys::lookup, asked.keys.iter().map(String::as_str)))
    };
    let same = documents::kind.eq(document_keys::kind).and(documents::id.eq(document_keys::id));
    let promotions = keyed().inner_join(documents::table.on(same));
    let ids = || keyed().select(document_keys::id);
    let uses = promotion_uses::promotion_id.eq_any(ids());
    let of_customer = promotion_redemptions::promotion_id.eq_any(ids());
    let statement = parts!(subject, asked);
    let statement =
        statement.union_all(part!("promotion", promotions, document_keys::lookup, documents::body, zero(), zero()));
    let statement = parts_of_uses!(statement, customer, uses, of_customer);
    Found::of(statement.load(conn).await?)
}

const fn empty() -> Fixed<Text> {
    fixed("''")
}

const fn zero() -> Fixed<BigInt> {
    fixed("0")
}
