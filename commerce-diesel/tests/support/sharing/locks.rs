//! Who waits for whom: readers and writers do not wait for each other.

use std::thread::JoinHandle;
use std::time::Duration;

use commerce_core::commit::RecordedReply;
use commerce_core::port::{OrderFilter, OrderRef, PageRequest, Store};
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::{order_of, parse};
use commerce_testkit::races::one;

use crate::database::{Database, at_once};

/// Longer than anything here takes on a busy machine.
const HELD: Duration = Duration::from_secs(4);

/// A transaction that is open, and the statements of which are done.
async fn held<D: Database>(database: &D, statements: &str) -> JoinHandle<()> {
    let held = database.hold(statements, HELD);
    tokio::time::sleep(Duration::from_millis(300)).await;
    held
}

pub(crate) async fn a_long_read_holds_up_no_commit<D: Database>() {
    let (database, shop) = (D::create(), CommitBuilder::new(1));
    let store = database.open().await;
    store.commit(shop.stocked(&[("MUG", 100)])).await.unwrap();
    let placed = one(&shop, "MUG");
    store.commit(placed.clone()).await.unwrap();
    let read = "SELECT * FROM orders; SELECT * FROM stock; SELECT * FROM reservations; SELECT * FROM events;
                SELECT * FROM feed";
    let read = held(&database, read).await;
    let answers = at_once(std::slice::from_ref(&store), (0..20).map(|_| one(&shop, "MUG"))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    store.commit(shop.pay(order_of(&placed), shop.at(2))).await.unwrap();
    assert!(!read.is_finished(), "the commits waited for the reader");
    read.join().unwrap();
}

pub(crate) async fn a_writer_holds_up_no_read<D: Database>() {
    let (database, shop) = (D::create(), CommitBuilder::new(1));
    let store = database.open().await;
    store.commit(shop.stocked(&[("MUG", 100)])).await.unwrap();
    let placed = one(&shop, "MUG");
    store.commit(placed.clone()).await.unwrap();
    let (id, key) = (order_of(&placed).id, placed.idempotency.clone().unwrap().key);
    let write = "UPDATE orders SET state = '{}'; UPDATE stock SET reserved = reserved;
                 UPDATE feed SET position = position; UPDATE reservations SET units = units;
                 UPDATE idempotency_keys SET reply = 'changed'";
    let write = held(&database, write).await;
    let order = store.order(&OrderRef::Id(id)).await.unwrap().unwrap();
    assert_eq!(&order, order_of(&placed), "nobody sees what is not committed");
    assert_eq!(store.idempotency_record(&key).await.unwrap().unwrap().reply, RecordedReply::Text("{}".to_owned()));
    let level = store.stock(&parse("MUG"), shop.at(1)).await.unwrap().unwrap();
    assert_eq!((level.reserved, store.reservations(&level.sku).await.unwrap().len()), (1, 1));
    let listed = store.orders(&OrderFilter::default(), &PageRequest { limit: 5, after: None }).await.unwrap().items;
    let history = store.history(&PageRequest { limit: 5, after: None }).await.unwrap().items;
    assert_eq!((listed.len(), history.len()), (1, 2));
    assert!(!write.is_finished(), "the reads waited for the writer");
    write.join().unwrap();
}
