//! What people find who read the tables with SQL of their own.

use commerce_core::port::Store;
use commerce_testkit::CommitBuilder;

use super::Place;

#[tokio::test]
async fn nothing_is_oversold() {
    let place = Place::new();
    let (store, shop) = (place.open().await, CommitBuilder::new(1));
    store.commit(shop.stocked(&[("MUG", 9)])).await.unwrap();
    let mut raw = place.raw();
    let oversold = "UPDATE stock SET reserved = on_hand + 1;";
    assert!(diesel::connection::SimpleConnection::batch_execute(&mut raw, oversold).is_err());
}
