//! Connections that break again and again, anywhere, under load.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use commerce_core::commit::{Commit, Refusal};
use commerce_core::ids::OrderId;
use commerce_core::port::{CommitError, OrderFilter, PageRequest, Store, StoreErrorKind};
use commerce_diesel::DatabaseOptions;
use commerce_testkit::commit_builder::order_of;
use commerce_testkit::{CommitBuilder, Random};

use super::{SKUS, Wired, delivered, delivery};
use crate::database::{Database, seed};
use crate::proxy::{Cut, Proxy};
use commerce_testkit::audit::{is_out_of_stock, sound};

const LOAD: Duration = Duration::from_secs(5);
const BUYERS: u64 = 24;
/// Of a SKU that is sold out on the way.
const SCARCE: i64 = 200;

/// What somebody asked for, and was told.
struct Asked {
    commit: Commit,
    delivery: Option<String>,
    answer: Result<(), CommitError>,
}

/// What an answer says of the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Accepted,
    NotHappened,
    Unknown,
}

impl Asked {
    fn told(&self) -> Told {
        match &self.answer {
            Ok(()) => Told::Accepted,
            Err(CommitError::Failed(error)) if error.kind == StoreErrorKind::Unknown => Told::Unknown,
            Err(CommitError::Failed(error)) if error.kind == StoreErrorKind::Unavailable => Told::NotHappened,
            answer if is_out_of_stock(answer) => Told::NotHappened,
            // Whoever asked answers with the idempotency record, which is the one of this commit.
            Err(CommitError::Refused(Refusal::DuplicateKey(record)))
                if self.delivery.is_some() && Some(&**record) == self.commit.idempotency.as_ref() =>
            {
                Told::Accepted
            }
            answer => panic!("{answer:?}"),
        }
    }
}

pub(crate) async fn answers_are_true_whenever_connections_break<D: Database>() {
    let seed = seed();
    let options = DatabaseOptions { patience: Duration::from_secs(2), readers: 4, ..DatabaseOptions::default() };
    let wired = Wired::<D>::new(options).await;
    wired.beside.commit(wired.shop.stocked(&[("SCARCE", SCARCE)])).await.unwrap();
    let (over, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let buyer = |number: u64| {
        let (store, over, asked) = (wired.store.clone(), Arc::clone(&over), Arc::clone(&asked));
        let (shop, random) =
            (CommitBuilder::new(2 + u32::try_from(number).unwrap()), Random::new(seed.wrapping_add(number)));
        tokio::spawn(async move { buy(&store, &shop, random, &over, &asked).await })
    };
    let buyers: Vec<_> = (1..=BUYERS).map(buyer).collect();
    trouble(&wired.proxy, Random::new(seed), &asked).await;
    over.store(true, Ordering::Relaxed);
    let mut all = Vec::new();
    for buyer in buyers {
        all.extend(buyer.await.unwrap());
    }
    wired.proxy.quiesce().await;
    let counts = check(&wired, &all).await;
    eprintln!("{} cuts at their moment, {counts:?}", wired.proxy.made());
    assert!(counts[&Told::Accepted] > 20, "{counts:?}");
    wired.store.commit(wired.shop.order(&[("MUG", 1)])).await.unwrap();
}

/// Cuts connections until the time is over.
async fn trouble(proxy: &Proxy, mut random: Random, asked: &AtomicUsize) {
    let start = Instant::now();
    while start.elapsed() < LOAD {
        let (before, pause) = (asked.load(Ordering::Relaxed), Duration::from_millis(random.below(60)));
        match random.below(10) {
            0 => proxy.cut_all(),
            1 => proxy.arm([Cut::First]),
            2 | 3 => proxy.arm([Cut::BeforeCommit]),
            4..7 => proxy.arm([Cut::AfterCommit]),
            7 | 8 => proxy.arm([Cut::Late(Duration::from_millis(random.below(150)))]),
            _ => {
                proxy.refuse(true);
                proxy.cut_all();
                tokio::time::sleep(2 * pause).await;
                proxy.refuse(false);
            }
        }
        tokio::time::sleep(pause).await;
        // Something has to be done in between, now and then.
        while random.happens(500) && asked.load(Ordering::Relaxed) < before + 50 && start.elapsed() < LOAD {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    proxy.arm([]);
}

async fn buy<S: Store>(
    store: &S,
    shop: &CommitBuilder,
    mut random: Random,
    over: &AtomicBool,
    count: &AtomicUsize,
) -> Vec<Asked> {
    let mut all = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let sku = SKUS[usize::try_from(random.below(4)).unwrap()];
        let (mut commit, mut name) = (shop.order(&[(sku, 1)]), None);
        match random.below(5) {
            0 => commit = shop.order(&[("SCARCE", 1), (sku, 2)]),
            1 => {
                let text = shop.uuid().to_string();
                commit = delivery(shop, sku, &text);
                commit.idempotency = Some(shop.idempotency_record(&text, "request", "{}", commit.at));
                name = Some(text);
            }
            2 => {
                commit.idempotency =
                    Some(shop.idempotency_record(&shop.uuid().to_string(), "request", "{}", commit.at));
            }
            _ => {}
        }
        let answer = store.commit(commit.clone()).await;
        count.fetch_add(1, Ordering::Relaxed);
        all.push(Asked { commit, delivery: name, answer });
    }
    all
}

/// What was accepted is there once, what did not happen is not there, and stock adds up. Counts the answers.
async fn check<D: Database>(wired: &Wired<D>, all: &[Asked]) -> BTreeMap<Told, usize> {
    let mut arrived = BTreeMap::<String, usize>::new();
    for name in delivered(&wired.beside).await {
        *arrived.entry(name).or_default() += 1;
    }
    let placed = placed(&wired.beside).await;
    let mut counts = BTreeMap::new();
    for asked in all {
        let times = match &asked.delivery {
            Some(name) => arrived.get(name).copied().unwrap_or_default(),
            None => usize::from(placed.contains(&order_of(&asked.commit).id)),
        };
        let told = asked.told();
        let is_true = match told {
            Told::Accepted => times == 1,
            Told::NotHappened => times == 0,
            Told::Unknown => times <= 1,
        };
        assert!(is_true, "{told:?}, and it is there {times} times: {:?}", asked.answer);
        *counts.entry(told).or_default() += 1;
    }
    let levels = sound(&wired.beside, wired.shop.at(1)).await;
    assert!(levels["SCARCE"].reserved <= SCARCE);
    counts
}

async fn placed<S: Store>(store: &S) -> BTreeSet<OrderId> {
    let (mut ids, mut after) = (BTreeSet::new(), None);
    loop {
        let page = store.orders(&OrderFilter::default(), &PageRequest { limit: 1000, after }).await.unwrap();
        ids.extend(page.items.iter().map(|order| order.id));
        if page.next.is_none() {
            return ids;
        }
        after = page.next;
    }
}
