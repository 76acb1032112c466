//! One SKU that everybody wants.

use commerce_testkit::audit::sound;
use commerce_testkit::{CommitBuilder, Random, races};

use crate::database::{Database, as_ports, seed};

const ROUNDS: usize = 20;
const BUYERS: usize = 800;

/// 400 buyers at each of two processes.
pub(crate) async fn what_is_there_is_sold_once<D: Database>() {
    let (database, mut random, shop) = (D::create(), Random::new(seed()), CommitBuilder::new(1));
    let stores = as_ports(&[database.open().await, database.open().await]);
    let mut total = 0;
    for round in 0..ROUNDS {
        let (sku, stock) = (format!("HOT-{round}"), 1 + random.below(700));
        races::what_is_there_is_sold_once(&stores, &shop, (&sku, stock.try_into().unwrap()), BUYERS).await;
        total += usize::try_from(stock).unwrap();
    }
    let counts = ["orders", "claims", "reservations", "idempotency_keys", "tasks"].map(|name| database.count(name));
    assert_eq!(counts, [total; 5]);
    sound(&*stores[0], shop.at(1)).await;
}
