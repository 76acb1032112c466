//! Promotions and their uses.

#![expect(missing_docs, reason = "the names of the cases say it")]

use std::collections::BTreeSet;

use commerce_core::cart::Cart;
use commerce_core::commit::{Commit, Refusal, Subject};
use commerce_core::document::{DocumentFilter, DocumentId, DocumentKind};
use commerce_core::ids::{OrderId, UserId};
use commerce_core::money::Money;
use commerce_core::port::{PageRequest, PricingFacts, PricingQuery, PricingSubject, PromotionWithUsage};
use commerce_core::promotion::{
    Limit, Limits, Promotion, PromotionDefinition, PromotionExhausted, PromotionRecord, Redemption, RedemptionMove,
    Usage, code_key,
};

use super::{Case, Fixture, at_once, first, walk};
use crate::commit_builder::{CURRENCY, parse, units};
use crate::quote::percent_off;

impl Case {
    fn promise(&self, id: &str, code: Option<&str>, seconds: i64) -> PromotionRecord {
        let definition = PromotionDefinition { code: code.map(str::to_owned), ..percent_off(id, 1000) };
        PromotionRecord::new(Promotion::new(CURRENCY, definition).unwrap(), self.shop.at(seconds))
    }

    async fn keep(&self, record: &PromotionRecord) {
        self.accept(self.shop.create(record)).await;
    }

    /// An order of a customer with a discount of `promo` in minor units.
    fn use_of(&self, user: &str, minor: i64, limits: Limits) -> Commit {
        let redemption = Redemption {
            promotion: parse("promo"),
            order: OrderId::new(self.shop.uuid()),
            user: parse(user),
            amount: Money::new(minor, CURRENCY),
            at: self.shop.at(1),
            released_at: None,
        };
        let mut commit = self.shop.commit(self.shop.at(1));
        commit.redemptions.push(RedemptionMove::Redeem(redemption, limits));
        commit
    }

    fn release(&self, used: &Commit) -> Commit {
        let mut commit = self.shop.commit(self.shop.at(2));
        let redemption = used.redemptions[0].redemption().clone();
        commit.redemptions.push(RedemptionMove::Release(redemption));
        commit
    }

    /// Uses in total and by a customer, and the discount in minor units.
    async fn used(&self, user: &str) -> (u64, u64, i64) {
        let candidates = self.store.candidates(&[], &parse(user)).await.unwrap();
        let usage = candidates.iter().find(|candidate| candidate.id().as_str() == "promo").unwrap().usage();
        (usage.used, usage.used_by_customer, usage.budget_used.map_or(0, Money::minor))
    }

    async fn redemptions(&self) -> Vec<Redemption> {
        self.store.redemptions(&parse("promo"), &first(100)).await.unwrap().items
    }
}

fn exhausted(limit: Limit) -> Refusal {
    Refusal::PromotionExhausted(PromotionExhausted { promotion: parse("promo"), limit })
}

/// The next version replaces it.
pub async fn a_promotion_comes_back_equal<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let record = case.promise("spring", Some("Spring"), 1);
    case.keep(&record).await;
    let kept = case.store.promotion(record.id()).await.unwrap().unwrap();
    assert_eq!((kept.record, kept.usage.used), (record.clone(), 0));
    let ended = record.ended(case.shop.at(5));
    case.accept(case.shop.update(&record, &ended)).await;
    let again = case.store.promotion(record.id()).await.unwrap();
    assert_eq!(again.map(|kept| kept.record), Some(ended));
    assert_eq!(case.store.promotion(&parse("other")).await.unwrap(), None);
}

pub async fn a_stale_promotion_is_refused<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let record = case.promise("spring", None, 1);
    case.keep(&record).await;
    let subject = Subject::Document(DocumentId::new(DocumentKind::Promotion, record.id()));
    let conflict = Refusal::VersionConflict { subject, expected: 0, actual: 1 };
    assert_eq!(case.refused(case.shop.create(&record)).await, conflict);
}

/// Automatic ones until they are ended. Those with a code if it is given, even after their end.
pub async fn candidates_are_automatic_or_asked_for<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    for (id, code, made) in [("b", None, 1), ("a", None, 1), ("c", Some("ßpring"), 2), ("d", Some("OTHER"), 3)] {
        case.keep(&case.promise(id, code, made)).await;
    }
    let over = case.promise("e", None, 4);
    case.keep(&over).await;
    case.accept(case.shop.update(&over, &over.ended(case.shop.at(5)))).await;
    let late = case.promise("f", Some("LATE"), 5);
    case.keep(&late).await;
    case.accept(case.shop.update(&late, &late.ended(case.shop.at(6)))).await;
    let ids = async |keys: &[&str]| {
        let keys: Vec<_> = keys.iter().map(|key| code_key(key)).collect();
        let found = case.store.candidates(&keys, &parse("user-1")).await.unwrap();
        found.iter().map(|promotion| promotion.id().as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&[]).await, ["a", "b"]);
    assert_eq!(ids(&[" SSpring", " ßPRING ", "late", "nobody"]).await, ["a", "b", "c", "f"]);
}

/// Whatever was asked before, and whatever has changed since.
pub async fn facts_for_a_price_are_those_of_single_reads<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let mut cart = case.shop.cart(parse("ann"), case.shop.at(1));
    cart.items = vec![case.shop.cart_item("A", units(1))];
    let (mut mugs, caps) = (case.shop.product("mugs", &["A", "B"]), case.shop.product("caps", &["C"]));
    case.same_facts(&cart).await;
    for commit in [case.shop.create(&mugs), case.shop.create(&caps), case.shop.create(&cart)] {
        case.accept(commit).await;
        case.same_facts(&cart).await;
    }
    let limits = Limits { max_uses_per_customer: Some(5), ..Limits::default() };
    case.keep(&case.limited("promo", None, limits)).await;
    case.same_facts(&cart).await;
    let coded = case.limited("coded", Some("TEN"), Limits { max_uses: Some(9), ..Limits::default() });
    let free = case.promise("free", None, 3);
    for record in [&coded, &free] {
        case.keep(record).await;
        case.same_facts(&cart).await;
    }
    let before = cart.clone();
    cart.items.push(case.shop.cart_item("C", units(2)));
    cart.codes = vec![parse("ten")];
    cart.version = 2;
    case.accept(case.shop.update(&before, &cart)).await;
    case.same_facts(&cart).await;
    case.accept(case.use_of("ann", 300, limits)).await;
    case.same_facts(&cart).await;
    case.accept(case.use_of("bob", 200, limits)).await;
    case.accept(case.shop.update(&free, &free.ended(case.shop.at(5)))).await;
    case.accept(case.shop.update(&coded, &coded.ended(case.shop.at(5)))).await;
    case.same_facts(&cart).await;
    let before = mugs.clone();
    mugs.variants[0].price = Money::new(77, CURRENCY);
    mugs.version = 2;
    case.accept(case.shop.update(&before, &mugs)).await;
    case.same_facts(&cart).await;
    let facts = case.store.pricing_facts(&PricingQuery::new(PricingSubject::Cart(cart.id))).await.unwrap();
    assert_eq!(facts.offers.iter().map(|offer| offer.price.minor()).collect::<BTreeSet<_>>().len(), 2);
    assert_eq!(facts.candidates.len(), 2, "one automatic, one with the code");
}

impl Case {
    fn limited(&self, id: &str, code: Option<&str>, limits: Limits) -> PromotionRecord {
        let definition = PromotionDefinition { limits, ..self.promise(id, code, 2).promotion.definition().clone() };
        PromotionRecord::new(Promotion::new(CURRENCY, definition).unwrap(), self.shop.at(2))
    }

    /// Compares the facts for queries about a cart with what single reads find, twice.
    async fn same_facts(&self, cart: &Cart) {
        let (bob, ann): (UserId, UserId) = (parse("bob"), parse("ann"));
        let subjects = [
            (PricingSubject::Cart(cart.id), ann.clone()),
            (PricingSubject::ActiveCart(ann.clone()), ann.clone()),
            (PricingSubject::ActiveCart(bob.clone()), bob.clone()),
            (PricingSubject::Customer(bob.clone()), bob.clone()),
            (PricingSubject::Customer(ann.clone()), ann),
        ];
        let extras: [(&[&str], &[&str]); 4] =
            [(&[], &[]), (&["B", "nothing"], &[]), (&[], &["ten", "none"]), (&["C"], &["ten"])];
        for (subject, user) in subjects {
            for (skus, codes) in extras {
                let query = PricingQuery {
                    subject: subject.clone(),
                    skus: skus.iter().map(|sku| parse(sku)).collect(),
                    codes: codes.iter().map(|code| (*code).to_owned()).collect(),
                };
                let expected = self.single_reads(&query, &user).await;
                assert_eq!(self.facts(&query).await, expected, "{query:?}");
                assert_eq!(self.facts(&query).await, expected, "{query:?}, asked again");
            }
        }
    }

    async fn facts(&self, query: &PricingQuery) -> PricingFacts {
        in_order(self.store.pricing_facts(query).await.unwrap())
    }

    async fn single_reads(&self, query: &PricingQuery, user: &UserId) -> PricingFacts {
        let cart = match &query.subject {
            PricingSubject::Cart(id) => self.store.cart(*id).await.unwrap(),
            PricingSubject::ActiveCart(user) => self.store.active_cart(user).await.unwrap(),
            PricingSubject::Customer(_) => None,
        };
        if matches!(query.subject, PricingSubject::Cart(_)) && cart.is_none() {
            return PricingFacts::default();
        }
        let in_cart = || cart.iter().flat_map(|cart| cart.items.iter().map(|item| item.sku.clone()));
        let skus: Vec<_> = query.skus.iter().cloned().chain(in_cart()).collect();
        let entered = cart.iter().flat_map(|cart| cart.codes.iter().map(|code| code_key(code.as_str())));
        let codes: Vec<_> = query.codes.iter().cloned().chain(entered).collect();
        let offers = self.store.offers(&skus).await.unwrap();
        let candidates = self.store.candidates(&codes, user).await.unwrap();
        in_order(PricingFacts { cart, offers, candidates })
    }
}

/// Each offer once, by SKU, and no uses of promotions that are not limited.
fn in_order(facts: PricingFacts) -> PricingFacts {
    let PricingFacts { cart, mut offers, candidates } = facts;
    offers.sort_by(|one, other| one.sku.cmp(&other.sku));
    offers.dedup();
    let unlimited = |promotion: &Promotion| promotion.definition().limits == Limits::default();
    let counted = |promotion| if unlimited(&promotion) { promotion.with_usage(Usage::default()) } else { promotion };
    PricingFacts { cart, offers, candidates: candidates.into_iter().map(counted).collect() }
}

/// By total, customer and amount. A refused use is not counted.
pub async fn uses_are_counted_and_limited<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    case.keep(&case.promise("promo", None, 1)).await;
    let per_customer = Limits { max_uses_per_customer: Some(1), ..Limits::default() };
    case.accept(case.use_of("ann", 300, per_customer)).await;
    assert_eq!(case.used("ann").await, (1, 1, 300));
    assert_eq!(case.used("bob").await, (1, 0, 300));
    assert_eq!(case.refused(case.use_of("ann", 100, per_customer)).await, exhausted(Limit::UsesPerCustomer));

    let budget = Limits { budget: Some(Money::new(500, CURRENCY)), ..Limits::default() };
    assert_eq!(case.refused(case.use_of("bob", 201, budget)).await, exhausted(Limit::Budget));
    case.accept(case.use_of("bob", 200, budget)).await;
    assert_eq!(case.refused(case.use_of("bob", 1, budget)).await, exhausted(Limit::Budget));

    let total = Limits { max_uses: Some(2), ..Limits::default() };
    assert_eq!(case.refused(case.use_of("eve", 1, total)).await, exhausted(Limit::Uses));
    assert_eq!(case.used("eve").await, (2, 0, 500));
    assert_eq!(case.redemptions().await.len(), 2);
}

pub async fn a_refused_commit_uses_nothing<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 1)]).await;
    case.keep(&case.promise("promo", None, 1)).await;
    let mut greedy = case.shop.order(&[("MUG", 2)]);
    greedy.redemptions = case.use_of("ann", 100, Limits::default()).redemptions;
    assert!(matches!(case.refused(greedy).await, Refusal::Stock(_)));
    assert_eq!((case.used("ann").await, case.redemptions().await.len()), ((0, 0, 0), 0));
}

pub async fn the_last_use_is_given_once<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    case.keep(&case.promise("promo", None, 1)).await;
    let limits = Limits { max_uses: Some(3), ..Limits::default() };
    let wanted = (0..200).map(|n| case.use_of(&format!("user-{n}"), 100, limits)).collect();
    let answers = at_once(&case.store, wanted).await;
    let refused = answers.iter().flatten().filter(|refusal| **refusal == exhausted(Limit::Uses)).count();
    assert_eq!((answers.len(), refused), (200, 197));
    assert_eq!(case.used("ann").await, (3, 0, 300));
    assert_eq!(case.redemptions().await.len(), 3);
}

/// The use is available again.
pub async fn a_use_is_released_once<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    case.keep(&case.promise("promo", None, 1)).await;
    let limits = Limits { max_uses: Some(1), ..Limits::default() };
    let used = case.use_of("ann", 100, limits);
    case.accept(used.clone()).await;
    case.accept(case.release(&used)).await;
    case.accept(case.release(&used)).await;
    assert_eq!(case.used("ann").await, (0, 0, 0));
    assert_eq!(case.redemptions().await[0].released_at, Some(case.shop.at(2)));
    case.accept(case.use_of("bob", 100, limits)).await;
    assert_eq!(case.used("bob").await, (1, 1, 100));
}

/// New promotions and uses neither hide nor repeat another.
pub async fn promotions_and_uses_are_paged<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    case.keep(&case.promise("promo", None, 0)).await;
    for n in 0..7 {
        case.keep(&case.promise(&format!("p{n}"), None, n / 2)).await;
        case.accept(case.use_of("ann", 1, Limits::default())).await;
    }
    let (promotions, all) = (&case.store, DocumentFilter::default());
    let kept: Vec<PromotionWithUsage> =
        walk(3, async |page| promotions.promotions(&all, &page).await, async || {}).await;
    let ids: Vec<_> = kept.iter().map(|kept| kept.record.id().as_str()).collect();
    assert_eq!(ids, ["p6", "p4", "p5", "p2", "p3", "p0", "p1", "promo"]);
    let of = parse("promo");
    let uses = walk(3, async |page: PageRequest<OrderId>| promotions.redemptions(&of, &page).await, async || {}).await;
    let orders: BTreeSet<_> = uses.iter().map(|redemption| redemption.order).collect();
    assert_eq!((uses.len(), orders.len()), (7, 7));
    assert!(uses.is_sorted_by(|left, right| left.order > right.order), "newest first");
}
