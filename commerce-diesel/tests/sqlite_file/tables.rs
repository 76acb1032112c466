//! What people find who read the tables with SQL of their own.

use commerce_core::port::Store;
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::order_of;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::Place;

#[derive(Debug, PartialEq, Eq, QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    number: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Text)]
    sku: String,
    #[diesel(sql_type = BigInt)]
    quantity: i64,
    #[diesel(sql_type = BigInt)]
    sum: i64,
    #[diesel(sql_type = BigInt)]
    order_total: i64,
    #[diesel(sql_type = BigInt)]
    captured: i64,
    #[diesel(sql_type = Text)]
    city: String,
}

#[tokio::test]
async fn figures_stand_in_columns() {
    let place = Place::new();
    let (store, shop) = (place.open().await, CommitBuilder::new(1));
    store.commit(shop.stocked(&[("MUG", 9), ("TEA", 9)])).await.unwrap();
    let placed = shop.order(&[("TEA", 2), ("MUG", 1)]);
    store.commit(placed.clone()).await.unwrap();
    store.commit(shop.pay(order_of(&placed), shop.at(9))).await.unwrap();
    let query = "SELECT o.number, o.status, i.sku, i.quantity, i.total AS sum, o.total AS order_total, p.captured,
                        a.city
                 FROM orders o
                 JOIN order_items i ON i.order_id = o.id
                 JOIN payments p ON p.order_id = o.id
                 JOIN order_addresses a ON a.order_id = o.id AND a.kind = 'shipping'
                 ORDER BY i.position";
    let lines: Vec<Line> = sql_query(query).load(&mut place.raw()).unwrap();
    let line = |sku: &str, quantity, sum| Line {
        number: order_of(&placed).number.to_string(),
        status: "paid".to_owned(),
        sku: sku.to_owned(),
        quantity,
        sum,
        order_total: 3750,
        captured: 3750,
        city: "London".to_owned(),
    };
    assert_eq!(lines, [line("TEA", 2, 2500), line("MUG", 1, 1250)]);
}

#[tokio::test]
async fn no_line_is_left_without_its_cart_and_nothing_is_oversold() {
    let place = Place::new();
    let (store, shop) = (place.open().await, CommitBuilder::new(1));
    store.commit(shop.stocked(&[("MUG", 9)])).await.unwrap();
    let mut cart = shop.cart("user-1".parse().unwrap(), shop.at(1));
    cart.items.push(shop.cart_item("MUG", commerce_testkit::commit_builder::units(1)));
    store.commit(shop.create(&cart)).await.unwrap();
    let mut raw = place.raw();
    let orphan = "PRAGMA foreign_keys = ON; DELETE FROM carts;";
    assert!(diesel::connection::SimpleConnection::batch_execute(&mut raw, orphan).is_err());
    let oversold = "UPDATE stock SET reserved = on_hand + 1;";
    assert!(diesel::connection::SimpleConnection::batch_execute(&mut raw, oversold).is_err());
}
