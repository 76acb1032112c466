//! What people find who read the tables with SQL of their own.

use commerce_core::port::Store;
use commerce_testkit::CommitBuilder;

use super::Place;

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
