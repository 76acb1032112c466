//! What a process remembers of stock and promotions while another one changes them: it never decides anything.

use commerce_core::ids::OrderId;
use commerce_core::port::{PricingQuery, PricingSubject, Store};
use commerce_core::promotion::{Promotion, PromotionRecord};
use commerce_core::stock::StockAction;
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::{CURRENCY, parse};
use commerce_testkit::quote::percent_off;

use crate::database::{Database, at_once};
use commerce_testkit::audit::sound;
use commerce_testkit::races::{one, sold};

/// Two stores, the first of which has sold one of a hundred and remembers that there were many more.
async fn stores<D: Database>(database: &D, shop: &CommitBuilder) -> [D::Store; 2] {
    let stores = [database.open().await, database.open().await];
    stores[0].commit(shop.stocked(&[("MUG", 100)])).await.unwrap();
    stores[0].commit(one(shop, "MUG")).await.unwrap();
    stores
}

/// How many events tell of a border.
fn notices<D: Database>(database: &D, event: &str) -> usize {
    let count = database.sql(&format!("SELECT count(*) FROM events WHERE event_type = '{event}';"));
    count.trim().parse().unwrap()
}

pub(crate) async fn what_another_took_away_is_not_sold<D: Database>() {
    let (database, shop) = (D::create(), CommitBuilder::new(1));
    let [first, other] = stores(&database, &shop).await;
    let gone = StockAction::Adjust { delta: -97, reason: parse("lost"), expected: None };
    other.commit(shop.moves("MUG", gone, shop.at(1))).await.unwrap();
    first.commit(one(&shop, "MUG")).await.unwrap();
    assert_eq!(notices(&database, "stock.out"), 0);
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(first.commit(one(&shop, "MUG")).await);
    }
    assert_eq!(sold(&answers), 1, "three are left, and two of them are held");
    assert_eq!(notices(&database, "stock.out"), 1);
    sound(&other, shop.at(1)).await;
}

pub(crate) async fn what_another_brought_can_be_sold<D: Database>() {
    let (database, shop) = (D::create(), CommitBuilder::new(1));
    let [first, other] = stores(&database, &shop).await;
    let answers = at_once(std::slice::from_ref(&first), (0..120).map(|_| one(&shop, "MUG"))).await;
    assert_eq!(sold(&answers), 99);
    let found = StockAction::Adjust { delta: 50, reason: parse("found"), expected: None };
    other.commit(shop.moves("MUG", found, shop.at(1))).await.unwrap();
    let answers = at_once(&[first], (0..120).map(|_| one(&shop, "MUG"))).await;
    assert_eq!(sold(&answers), 50);
    sound(&other, shop.at(1)).await;
}

pub(crate) async fn a_threshold_that_another_set_is_told_of<D: Database>() {
    let (database, shop) = (D::create(), CommitBuilder::new(1));
    let [first, other] = stores(&database, &shop).await;
    let threshold = StockAction::Set { on_hand: 100, reorder_threshold: Some(98), expected: None };
    other.commit(shop.moves("MUG", threshold, shop.at(1))).await.unwrap();
    for _ in 0..2 {
        first.commit(one(&shop, "MUG")).await.unwrap();
        assert_eq!(notices(&database, "stock.low"), 1, "it is told once");
    }
    sound(&other, shop.at(1)).await;
}

pub(crate) async fn a_reservation_that_another_made_expires<D: Database>() {
    let (database, shop) = (D::create(), CommitBuilder::new(1));
    let [first, other] = stores(&database, &shop).await;
    let reservation = |units, until, at| {
        let order = OrderId::new(shop.uuid());
        shop.moves("MUG", StockAction::Reserve { order, units, until: shop.at(until) }, shop.at(at))
    };
    other.commit(reservation(40, 10, 2)).await.unwrap();
    first.commit(reservation(30, 5_000, 20)).await.unwrap();
    let level = first.stock(&parse("MUG"), shop.at(3)).await.unwrap().unwrap();
    assert_eq!(level.reserved, 31, "the reservation that had ended was gone when the next was made");
    assert_eq!(other.reservations(&level.sku).await.unwrap().len(), 2);
}

/// Its terms, its uses, and its end.
pub(crate) async fn a_promotion_that_another_changed_is_read_again<D: Database>() {
    let (database, shop) = (D::create(), CommitBuilder::new(1));
    let [first, other] = [database.open().await, database.open().await];
    let query = PricingQuery::new(PricingSubject::Customer(parse("ann")));
    let percents = async || {
        let facts = first.pricing_facts(&query).await.unwrap();
        facts.candidates.iter().map(|found| found.definition().effect.clone()).collect::<Vec<_>>()
    };
    assert_eq!(percents().await, []);
    let (ten, twenty) = (percent_off("sale", 1000), percent_off("sale", 2000));
    let [low, high] = [&ten, &twenty].map(|terms| Promotion::new(CURRENCY, terms.clone()).unwrap());
    let mut record = PromotionRecord::new(low, shop.at(1));
    other.commit(shop.create(&record)).await.unwrap();
    for _ in 0..10 {
        assert_eq!(percents().await, std::slice::from_ref(&ten.effect));
        let changed = record.changed(high.clone(), shop.at(2));
        other.commit(shop.update(&record, &changed)).await.unwrap();
        assert_eq!(percents().await, std::slice::from_ref(&twenty.effect));
        record = changed.changed(record.promotion.clone(), shop.at(3));
        other.commit(shop.update(&changed, &record)).await.unwrap();
    }
    other.commit(shop.update(&record, &record.ended(shop.at(4)))).await.unwrap();
    assert_eq!(percents().await, []);
}
