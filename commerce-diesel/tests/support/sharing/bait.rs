//! Many SKUs and orders moved in every order by two processes: bait for deadlocks.

use std::sync::Arc;

use commerce_core::actor::Role;
use commerce_core::commit::Commit;
use commerce_core::order::{Command, Order, ShipmentStatus};
use commerce_core::port::{CommitError, OrderFilter, PageRequest, Store};
use commerce_core::stock::{StockAction, StockMove};
use commerce_testkit::commit_builder::{order_of, parse};
use commerce_testkit::{CommitBuilder, Random};

use crate::database::{Database, seed};
use commerce_testkit::audit::sound;

const SKUS: u64 = 12;
const TRADERS: u64 = 16;
const DEALS: usize = 120;
/// What each SKU begins with: little, so that it is sold out now and then.
const UNITS: i64 = 120;

/// Somebody who does one thing after the other, each on several SKUs or orders.
struct Trader<S> {
    store: S,
    shop: Arc<CommitBuilder>,
    random: Random,
    orders: Vec<Order>,
}

pub(crate) async fn nobody_stands_in_the_way_for_ever<D: Database>() {
    let (database, seed, shop) = (D::create(), seed(), Arc::new(CommitBuilder::new(1)));
    let stores = [database.open().await, database.open().await];
    let skus: Vec<String> = (0..SKUS).map(sku).collect();
    let levels: Vec<_> = skus.iter().map(|sku| (sku.as_str(), UNITS)).collect();
    stores[0].commit(shop.stocked(&levels)).await.unwrap();
    let trade = |(number, store): (u64, &D::Store)| {
        let random = Random::new(seed.wrapping_add(number));
        let mut trader = Trader { store: store.clone(), shop: Arc::clone(&shop), random, orders: Vec::new() };
        tokio::spawn(async move {
            for _ in 0..DEALS {
                trader.deal().await;
            }
        })
    };
    let traders: Vec<_> = (0..TRADERS).zip(stores.iter().cycle()).map(trade).collect();
    for trader in traders {
        trader.await.unwrap();
    }
    let levels = sound(&stores[1], shop.at(9)).await;
    assert_eq!(levels.len(), skus.len());
    let page = PageRequest { limit: 5000, after: None };
    let all = stores[0].orders(&OrderFilter::default(), &page).await.unwrap().items;
    for status in ["pending", "paid", "cancelled", "delivered"] {
        assert!(all.iter().any(|order| order.status.as_str() == status), "no order is {status}");
    }
}

fn sku(number: u64) -> String {
    format!("SKU-{number}")
}

impl<S: Store> Trader<S> {
    async fn deal(&mut self) {
        match self.random.below(10) {
            0..4 => self.buy().await,
            4..8 => self.go_on().await,
            8 => self.correct().await,
            _ => self.lease().await,
        }
    }

    /// Some SKUs, each once, in any order.
    fn some_skus(&mut self) -> Vec<String> {
        let mut skus: Vec<String> = (0..SKUS).map(sku).collect();
        let count = 1 + usize::try_from(self.random.below(6)).unwrap();
        (0..count)
            .map(|_| skus.swap_remove(usize::try_from(self.random.below(skus.len().try_into().unwrap())).unwrap()))
            .collect()
    }

    /// Whether it was accepted. Nothing but a refusal stands in the way.
    async fn commit(&self, commit: Commit) -> bool {
        match self.store.commit(commit).await {
            Ok(()) => true,
            Err(CommitError::Refused(_)) => false,
            Err(CommitError::Failed(error)) => panic!("{error}"),
        }
    }

    async fn buy(&mut self) {
        let skus = self.some_skus();
        let lines: Vec<_> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
        let commit = self.shop.order(&lines);
        let order = order_of(&commit).clone();
        if self.commit(commit).await {
            self.orders.push(order);
        }
    }

    /// Takes one of the own orders one step further.
    async fn go_on(&mut self) {
        let count = self.orders.len().try_into().unwrap();
        let place = usize::try_from(self.random.below(count)).unwrap();
        let Some(order) = self.orders.get(place).cloned() else { return };
        let Some(commit) = self.next(&order) else { return };
        let after = order_of(&commit).clone();
        if self.commit(commit).await {
            self.orders[place] = after;
        }
    }

    fn next(&mut self, order: &Order) -> Option<Commit> {
        let (at, cancel) = (self.shop.at(2), Command::Cancel { reason: None });
        match order.status.as_str() {
            "pending" if self.random.happens(600) => Some(self.shop.pay(order, at)),
            "pending" => self.shop.decide(order, Role::Admin, cancel, at).ok(),
            "paid" if self.random.happens(300) => self.shop.decide(order, Role::Admin, cancel, at).ok(),
            "paid" => Some(self.shop.ship(order, ShipmentStatus::Shipped, at)),
            "shipped" => Some(self.shop.ship(order, ShipmentStatus::Delivered, at)),
            "delivered" => self.send_back(order),
            _ => None,
        }
    }

    /// A return that arrives puts the units back into stock.
    fn send_back(&self, order: &Order) -> Option<Commit> {
        let at = self.shop.at(3);
        let Some(back) = order.returns.last() else { return Some(self.shop.request_return(order, 1, at)) };
        let steps = [Command::ApproveReturn(back.id), Command::ReceiveReturn(back.id)];
        steps.into_iter().find_map(|step| self.shop.decide(order, Role::Admin, step, at).ok())
    }

    /// Counts several SKUs anew, in one commit.
    async fn correct(&mut self) {
        let mut commit = self.shop.commit(self.shop.at(1));
        for sku in self.some_skus() {
            let delta = i64::try_from(self.random.below(5)).unwrap() - 2;
            let action = StockAction::Adjust { delta, reason: parse("counted"), expected: None };
            commit.stock.push(StockMove { sku: parse(&sku), action });
        }
        self.commit(commit).await;
    }

    /// Works at tasks, as every process does beside its commits.
    async fn lease(&mut self) {
        let (due, until) = (self.shop.at(5000), self.shop.at(5000 + i64::try_from(self.random.below(9)).unwrap()));
        for task in self.store.lease_tasks(due, until, 10).await.unwrap() {
            let failed = task.failed(Some(due), "not now");
            self.store.replace_task(&task, Some(&failed), None).await.unwrap();
        }
    }
}
