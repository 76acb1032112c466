//! Buyers who do not give up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::StatusCode;
use tokio::task::JoinSet;

use crate::running::{Caller, order_of};

/// What a buyer was told of a key in the end.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// Who asked.
    pub(crate) buyer: usize,
    /// What was ordered.
    pub(crate) sku: &'static str,
    /// The order; none where everything was sold.
    pub(crate) order: Option<String>,
    /// How often nobody answered, or nobody knew.
    pub(crate) unanswered: u32,
}

/// What buyers were told, by key.
pub(crate) type Ledger = BTreeMap<String, Told>;

/// How long a shop may take to find itself again.
const RECOVERY: Duration = Duration::from_secs(20);

/// Buyers at work.
pub(crate) struct Load {
    buyers: JoinSet<Ledger>,
    over: Arc<AtomicBool>,
}

impl Load {
    /// Sends buyers, who count their orders from a number on.
    pub(crate) fn start(callers: &[Caller], first: u32) -> Self {
        let (mut buyers, over) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for (buyer, caller) in callers.iter().cloned().enumerate() {
            buyers.spawn(buy(caller, buyer, first, Arc::clone(&over)));
        }
        Self { buyers, over }
    }

    /// Lets everybody finish the order they are at.
    pub(crate) async fn end(self) -> Ledger {
        self.over.store(true, Ordering::Relaxed);
        self.buyers.join_all().await.into_iter().flatten().collect()
    }
}

async fn buy(caller: Caller, buyer: usize, first: u32, over: Arc<AtomicBool>) -> Ledger {
    let mut ledger = Ledger::new();
    for number in first.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let key = format!("{buyer}-{number}");
        let sku = if number % 4 == 0 { "rare" } else { "mug" };
        let (order, unanswered) = until_answered(&caller, &key, sku).await;
        ledger.insert(key, Told { buyer, sku, order, unanswered });
    }
    ledger
}

/// Sends an order, again and again with the same key, until somebody says what became of it.
pub(crate) async fn until_answered(caller: &Caller, key: &str, sku: &str) -> (Option<String>, u32) {
    let start = Instant::now();
    let mut unanswered = 0;
    loop {
        match caller.order(key, &order_of(sku, 1)).await {
            Ok(answer) if answer.status == StatusCode::CREATED => {
                return (Some(answer.body["id"].as_str().expect("an id").to_owned()), unanswered);
            }
            Ok(answer) if answer.body["code"] == "out_of_stock" => return (None, unanswered),
            Ok(answer) => assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}"),
            Err(_) => {}
        }
        assert!(start.elapsed() < RECOVERY, "{key} is not answered");
        unanswered += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
