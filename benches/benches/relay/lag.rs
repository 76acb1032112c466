//! The time from the placing of an order to the confirmation of its event, while orders are placed at a steady rate.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use benches::numbers::{micros, percentile};
use commerce_core::port::{PublishError, Publisher, Store};
use commerce_core::publishing::Message;
use futures_util::future::try_join_all;
use tokio::sync::oneshot;

use crate::shop::{Failure, Shop};
use crate::targets::{self, Target};

/// Orders per second.
const RATE: u32 = 1_000;
/// Orders that are placed at once, so that the rate is kept.
const TOGETHER: u32 = 20;

/// When orders were placed, and how long after it their events were confirmed, in microseconds.
#[derive(Debug, Default)]
struct Times {
    begun: HashMap<String, Instant>,
    lags: Vec<u64>,
}

/// Notes when the target has confirmed.
#[derive(Debug)]
struct Timed {
    inner: Arc<dyn Publisher>,
    times: Arc<Mutex<Times>>,
}

#[async_trait]
impl Publisher for Timed {
    async fn publish(&self, messages: &[Message]) -> Result<(), PublishError> {
        self.inner.publish(messages).await?;
        let now = Instant::now();
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        for message in messages {
            if let Some(begun) = times.begun.remove(&message.stream) {
                times.lags.push(micros(now.saturating_duration_since(begun)));
            }
        }
        Ok(())
    }
}

/// Places orders for a while, and says how late their events were.
pub(crate) async fn measure(target: &Target, time: Duration) -> Result<String, Failure> {
    let shop = Shop::open().await?;
    let times: Arc<Mutex<Times>> = Arc::default();
    let Some(inner) = target.publisher(&shop, "lag").await? else {
        return Ok("the lag is not measured".to_owned());
    };
    let relay = targets::relay(&shop, "lag", Arc::new(Timed { inner, times: times.clone() }))?;
    let (stop, stopped) = oneshot::channel::<()>();
    let relay = tokio::spawn(relay.run(async {
        stopped.await.ok();
    }));
    let placed = place(&shop, &times, time).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.send(()).ok();
    relay.await?;
    let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
    times.lags.sort_unstable();
    let [p50, p99, most] = [50, 99, 100].map(|percent| percentile(&times.lags, percent) / 1000);
    let left = times.begun.len();
    Ok(format!("{placed} orders/s: lag p50 {p50} ms, p99 {p99} ms, longest {most} ms; {left} not published"))
}

/// Returns the orders per second.
async fn place(shop: &Shop, times: &Mutex<Times>, time: Duration) -> Result<u64, Failure> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) * TOGETHER / RATE);
    let (started, mut placed) = (Instant::now(), 0);
    while started.elapsed() < time {
        ticks.tick().await;
        try_join_all((0..TOGETHER).map(|_| one(shop, times))).await?;
        placed += u64::from(TOGETHER);
    }
    Ok(placed * 1000 / (micros(started.elapsed()) / 1000).max(1))
}

async fn one(shop: &Shop, times: &Mutex<Times>) -> Result<(), Failure> {
    let placed = shop.commits.order(&[("MUG", 1)]);
    let order = placed.orders.first().ok_or("an order was placed")?.order().id;
    times.lock().unwrap_or_else(PoisonError::into_inner).begun.insert(format!("order/{order}"), Instant::now());
    shop.store.commit(placed).await?;
    Ok(())
}
