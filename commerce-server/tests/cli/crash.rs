use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use commerce_core::actor::Role;
use http::StatusCode;
use tokio::task::JoinSet;

use crate::home::{Home, on_each_database};
use crate::running::{Caller, Server, order_of, succeed};

on_each_database!(a_server_killed_under_load_loses_nothing_and_doubles_nothing);

const BUYERS: u32 = 16;
const ROUNDS: u32 = 3;
const STOCK: u32 = 100_000;

/// By key: the order that was acknowledged; none if the answer was lost.
type Sent = BTreeMap<String, Option<String>>;

/// Orders again and again until the server is gone.
async fn buy(buyer: Caller, name: String, next: Arc<AtomicU32>, over: Arc<AtomicBool>) -> Sent {
    let mut sent = Sent::new();
    while !over.load(Ordering::Relaxed) {
        let key = format!("{name}-{}", next.fetch_add(1, Ordering::Relaxed));
        let answer = buyer.order(&key, &order_of("mug", 1)).await;
        let id = answer.ok().map(|answer| {
            assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
            answer.body["id"].as_str().expect("an id").to_owned()
        });
        let lost = id.is_none();
        sent.insert(key, id);
        if lost {
            break;
        }
    }
    sent
}

/// Kills a server under load, and says what its buyers know.
async fn round(directory: &Path, next: &Arc<AtomicU32>, load: Duration) -> Sent {
    let server = Server::start(directory, &["--orders-per-minute", "0", "--unpaid-orders", "0", "--unpaid-units", "0"]);
    let guest = Caller::guest(server.address);
    let over = Arc::new(AtomicBool::new(false));
    let mut buyers = JoinSet::new();
    for number in 0..BUYERS {
        let name = format!("user-{number}");
        let buyer = guest.acting(directory, &name, Role::Customer);
        buyers.spawn(buy(buyer, name, Arc::clone(next), Arc::clone(&over)));
    }
    tokio::time::sleep(load).await;
    server.kill();
    over.store(true, Ordering::Relaxed);
    buyers.join_all().await.into_iter().flatten().collect()
}

async fn a_server_killed_under_load_loses_nothing_and_doubles_nothing(home: Home) {
    home.stock(&[("mug", STOCK)]);
    let next = Arc::new(AtomicU32::new(0));
    let mut sent = Sent::new();
    for number in 0..ROUNDS {
        sent.extend(round(home.path(), &next, Duration::from_millis(400 + 370 * u64::from(number))).await);
    }
    let acknowledged = sent.values().flatten().count();
    assert!(acknowledged > 0, "some orders were placed");
    let server =
        Server::start(home.path(), &["--orders-per-minute", "0", "--unpaid-orders", "0", "--unpaid-units", "0"]);
    let guest = Caller::guest(server.address);
    for (key, id) in &sent {
        let user = key.rsplit_once('-').expect("a key").0;
        let buyer = guest.acting(home.path(), user, Role::Customer);
        let again = buyer.order(key, &order_of("mug", 1)).await.expect("an answer");
        assert_eq!(again.status, StatusCode::CREATED, "{again:?}");
        if let Some(id) = id {
            assert_eq!(again.body["id"].as_str(), Some(id.as_str()), "an acknowledged order is the same order");
            assert_eq!(buyer.get(&format!("/v1/orders/{id}")).await.status, StatusCode::OK);
        }
    }
    let admin = guest.acting(home.path(), "ada", Role::Admin);
    let stock = admin.get("/v1/inventory/mug").await.body;
    let placed = i64::try_from(sent.len()).expect("few");
    assert_eq!(stock["reserved"].as_i64(), Some(placed), "{stock}");
    assert_eq!(stock["available"].as_i64(), Some(i64::from(STOCK) - placed), "{stock}");
    assert_eq!(server.stop().code, Some(0));
    let verified = succeed(home.path(), &["replay", "--verify"]);
    assert!(verified.contains(&format!(" {placed} orders")), "{placed}: {verified}");
}
