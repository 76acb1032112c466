//! One SKU that everybody wants.

use commerce_core::commit::Commit;
use commerce_core::port::{CommitError, Store};
use commerce_testkit::commit_builder::{order_of, parse};
use commerce_testkit::{CommitBuilder, Random};

use crate::audit::{is_out_of_stock, sound};
use crate::database::{Database, at_once, seed};

const ROUNDS: usize = 20;
const BUYERS: usize = 800;

/// An order of one unit with the idempotency record of its request.
pub(crate) fn one(shop: &CommitBuilder, sku: &str) -> Commit {
    let mut commit = shop.order(&[(sku, 1)]);
    let key = order_of(&commit).id.to_string();
    commit.idempotency = Some(shop.idempotency_record(&key, "request", "{}", commit.at));
    commit
}

/// How many were accepted; all others were told that there was too little stock.
#[track_caller]
pub(crate) fn sold(answers: &[Result<(), CommitError>]) -> usize {
    let failed = answers.iter().find(|answer| !matches!(answer, Ok(())) && !is_out_of_stock(answer));
    assert!(failed.is_none(), "{failed:?}");
    answers.iter().filter(|answer| answer.is_ok()).count()
}

/// 400 buyers at each of two processes.
pub(crate) async fn what_is_there_is_sold_once<D: Database>() {
    let (database, mut random, shop) = (D::create(), Random::new(seed()), CommitBuilder::new(1));
    let stores = [database.open().await, database.open().await];
    let mut total = 0;
    for round in 0..ROUNDS {
        let (sku, stock) = (format!("HOT-{round}"), 1 + random.below(700));
        stores[0].commit(shop.stocked(&[(&sku, stock.try_into().unwrap())])).await.unwrap();
        let answers = at_once(&stores, (0..BUYERS).map(|_| one(&shop, &sku))).await;
        assert_eq!(sold(&answers), usize::try_from(stock).unwrap(), "round {round}");
        let level = stores[1].stock(&parse(&sku), shop.at(1)).await.unwrap().unwrap();
        assert_eq!((level.available(), level.reserved), (0, level.on_hand), "round {round}");
        assert_eq!(stores[0].reservations(&level.sku).await.unwrap().len(), sold(&answers), "round {round}");
        total += sold(&answers);
    }
    let counts = ["orders", "claims", "reservations", "idempotency_keys", "tasks"].map(|name| database.count(name));
    assert_eq!(counts, [total; 5]);
    sound(&stores[0], shop.at(1)).await;
}
