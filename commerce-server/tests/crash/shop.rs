//! The shop, and what must be true of it whenever it was killed.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use commerce_core::actor::Role;
use serde_json::Value;
use test_servers::{Programs, Server as Database};
use tokio::task::JoinSet;

use crate::home::{Home, new_database};
use crate::load::{Ledger, Load, until_answered};
use crate::running::{Caller, Server, commerce, succeed};

const BUYERS: usize = 12;
/// More than is ever sold.
const MUGS: u32 = 1_000_000;
/// Sold out on the way.
const RARE: u32 = 400;

/// A shop at work.
pub(crate) struct Shop {
    home: Home,
    server: Option<Server>,
    address: SocketAddr,
    buyers: Vec<Caller>,
    admin: Caller,
    orders: BTreeSet<String>,
    rare: usize,
    next: u32,
    unanswered: usize,
}

impl Shop {
    /// Opens one with a database of its own.
    pub(crate) fn open<P: Programs>(database: &Database<P>) -> Self {
        let home = Home::at(&database.url(&new_database(database)));
        home.stock(&[("mug", MUGS), ("rare", RARE)]);
        let server = serve(&home, "127.0.0.1:0");
        let address = server.address;
        let guest = Caller::guest(address);
        let buyers = (0..BUYERS).map(|n| guest.acting(home.path(), &format!("user-{n}"), Role::Customer)).collect();
        let admin = guest.acting(home.path(), "ada", Role::Admin);
        let (server, orders) = (Some(server), BTreeSet::new());
        Self { home, server, address, buyers, admin, orders, rare: 0, next: 0, unanswered: 0 }
    }

    /// Sends buyers.
    pub(crate) fn load(&self) -> Load {
        Load::start(&self.buyers, self.next)
    }

    /// Kills the server, and starts another in its place.
    pub(crate) fn kill_and_restart(&mut self) {
        self.server.take().expect("it runs").kill();
        self.server = Some(serve(&self.home, &self.address.to_string()));
    }

    /// Holds the shop to what it told its buyers.
    pub(crate) async fn check(&mut self, ledger: Ledger, round: u64) {
        let told: BTreeSet<String> = ledger.values().filter_map(|told| told.order.clone()).collect();
        assert_eq!(told.len(), ledger.values().filter(|told| told.order.is_some()).count(), "one order for each key");
        let found = self.new_orders().await;
        assert!(found == told, "round {round}: told of {}, and found {}", told.len(), found.len());
        assert!(!told.is_empty(), "round {round}: nothing was sold");
        self.ask_again(&ledger).await;
        let rare = |told: &&crate::load::Told| told.sku == "rare" && told.order.is_some();
        self.rare += ledger.values().filter(rare).count();
        self.orders.extend(told);
        self.unanswered += ledger.values().filter(|told| told.unanswered > 0).count();
        let highest = ledger.keys().filter_map(|key| key.rsplit_once('-')?.1.parse::<u32>().ok()).max();
        self.next = highest.map_or(self.next, |highest| highest + 1);
        self.check_stock("mug", MUGS, self.orders.len() - self.rare).await;
        self.check_stock("rare", RARE, self.rare).await;
    }

    /// The orders that were not there before, newest first; none comes twice.
    async fn new_orders(&self) -> BTreeSet<String> {
        let (mut found, mut cursor) = (BTreeSet::new(), String::new());
        loop {
            let page = self.admin.get(&format!("/v1/orders?limit=100&cursor={cursor}")).await.body;
            for order in page["items"].as_array().expect("a list") {
                let id = order["id"].as_str().expect("an id").to_owned();
                if self.orders.contains(&id) {
                    return found;
                }
                assert!(found.insert(id), "an order comes twice");
            }
            match page["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return found,
            }
        }
    }

    /// Every key has the answer that it had.
    async fn ask_again(&self, ledger: &Ledger) {
        let mut askers = JoinSet::new();
        for (buyer, caller) in self.buyers.iter().cloned().enumerate() {
            let asked = ledger.clone().into_iter().filter(move |(_, told)| told.buyer == buyer && told.order.is_some());
            askers.spawn(async move {
                for (key, told) in asked {
                    assert_eq!(until_answered(&caller, &key, told.sku).await, (told.order, 0), "{key}");
                }
            });
        }
        askers.join_all().await;
    }

    async fn check_stock(&self, sku: &str, on_hand: u32, sold: usize) {
        let stock: Value = self.admin.get(&format!("/v1/inventory/{sku}")).await.body;
        assert_eq!(stock["on_hand"].as_u64(), Some(on_hand.into()), "{stock}");
        assert_eq!(stock["reserved"].as_u64(), u64::try_from(sold).ok(), "{stock}");
    }

    /// Ends it, and compares its tables with its history.
    pub(crate) fn close(self) {
        let Self { home, server, orders, .. } = self;
        eprintln!("{} orders, {} of them asked for more than once", orders.len(), self.unanswered);
        assert!(self.unanswered > 0, "nobody noticed");
        assert_eq!(server.expect("it runs").stop().code, Some(0));
        let verified = succeed(home.path(), &["replay", "--verify"]);
        assert!(verified.contains("the tables agree with the events"), "{verified}");
        assert!(verified.contains(&format!(" {} orders", orders.len())), "{verified}");
    }
}

fn serve(home: &Home, address: &str) -> Server {
    Server::start_with(commerce(home.path()).args([
        "--listen",
        address,
        "--orders-per-minute",
        "0",
        "--unpaid-orders",
        "0",
        "--unpaid-units",
        "0",
    ]))
}
