//! A database that is away for a while.

use std::time::Duration;

use commerce_core::port::{CommitError, OrderRef, PageRequest, Store, StoreErrorKind};
use commerce_diesel::DatabaseOptions;
use commerce_testkit::commit_builder::{order_of, parse};

use super::{Wired, one_writer};
use crate::database::{Database, at_once};
use commerce_testkit::audit::sound;

/// Nobody is told that an order was placed, nobody waits for ever, and all is well when it is back.
pub(crate) async fn a_database_that_is_away_is_said_to_be<D: Database>() {
    let patience = Duration::from_millis(300);
    let wired = Wired::<D>::new(DatabaseOptions { patience, ..one_writer() }).await;
    wired.proxy.refuse(true);
    wired.proxy.cut_all();
    let orders: Vec<_> = (0..50).map(|_| wired.shop.order(&[("MUG", 1)])).collect();
    let submitted = at_once(std::slice::from_ref(&wired.store), orders.clone());
    let answers = tokio::time::timeout(Duration::from_secs(10), submitted).await.unwrap();
    for answer in answers {
        let Err(CommitError::Failed(error)) = answer else { panic!("it is away: {answer:?}") };
        assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
    }
    let page = PageRequest { limit: 10, after: None };
    assert_eq!(wired.store.history(&page).await.unwrap_err().kind, StoreErrorKind::Unavailable);
    wired.proxy.refuse(false);
    for order in orders {
        let id = order_of(&order).id;
        assert!(wired.store.order(&OrderRef::Id(id)).await.unwrap().is_none());
        wired.store.commit(order).await.unwrap();
    }
    assert_eq!(sound(&wired.beside, wired.shop.at(1)).await["MUG"].reserved, 50);
}

/// Nobody is told of a connection that was lost while nobody used it.
pub(crate) async fn connections_that_died_unused_are_replaced<D: Database>() {
    let wired = Wired::<D>::new(DatabaseOptions::default()).await;
    for _ in 0..10 {
        let (mug, at) = (parse("MUG"), wired.shop.at(1));
        let look = || wired.store.stock(&mug, at);
        assert!(tokio::join!(look(), look(), look(), look()).0.is_ok());
        wired.proxy.cut_all();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(look().await.unwrap().is_some());
        wired.store.commit(wired.shop.order(&[("MUG", 1)])).await.unwrap();
        assert!(wired.store.lease_tasks(wired.shop.at(0), wired.shop.at(1), 5).await.unwrap().is_empty());
    }
}
