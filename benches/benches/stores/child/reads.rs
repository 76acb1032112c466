//! Reads through our store in a database that was filled.

use std::time::Instant;

use benches::numbers::{micros, percentile};
use commerce_core::ids::OrderId;
use commerce_core::port::{OrderFilter, OrderRef, PageRequest, Store};
use uuid::Uuid;

use super::Reads;
use super::store::open;
use crate::Failure;

/// The number of measurements of each read.
const TIMES: u64 = 1_000;
/// How many of the first are not counted.
const WARM_UP: u64 = 100;
/// Recent orders are chosen among this many newest ones.
const NEWEST: u64 = 10_000;
/// Orders on a page.
const PAGE: u16 = 20;

/// Measures all reads. Every `step`-th order is of `user-1`.
pub(super) async fn run(url: &str, orders: u64, step: u64) -> Result<Reads, Failure> {
    let store = open(url).await?;
    let newest = |n: u64| id(orders - 1 - n * 7_919 % NEWEST.min(orders));
    let any = |n: u64| id(n * 7_919 % orders);
    let middle = |n: u64| Some(id((orders / 2 / step + n % 10) * step));
    Ok(Reads {
        recent: timed(async |n| get(&*store, newest(n)).await).await?,
        any: timed(async |n| get(&*store, any(n)).await).await?,
        newest: timed(async |_| list(&*store, None).await).await?,
        middle: timed(async |n| list(&*store, middle(n)).await).await?,
    })
}

/// The median latency, in microseconds.
async fn timed(read: impl AsyncFn(u64) -> Result<(), Failure>) -> Result<u64, Failure> {
    let mut latencies = Vec::new();
    for n in 0..WARM_UP + TIMES {
        let begun = Instant::now();
        read(n).await?;
        if n >= WARM_UP {
            latencies.push(micros(begun.elapsed()));
        }
    }
    latencies.sort_unstable();
    Ok(percentile(&latencies, 50))
}

async fn get(store: &dyn Store, order: OrderId) -> Result<(), Failure> {
    let found = store.order(&OrderRef::Id(order)).await?;
    found.map(drop).ok_or_else(|| format!("{order} was not filled in").into())
}

async fn list(store: &dyn Store, after: Option<OrderId>) -> Result<(), Failure> {
    let filter = OrderFilter { user: Some("user-1".parse()?), ..OrderFilter::default() };
    let listing = store.orders(&filter, &PageRequest { limit: PAGE, after }).await?;
    if listing.items.len() == usize::from(PAGE) { Ok(()) } else { Err("the page is not full".into()) }
}

/// The id that `sql/million.sql` gives to the n-th order.
fn id(n: u64) -> OrderId {
    let milliseconds = u128::from(1_735_689_600_000 + n * 31_500);
    OrderId::new(Uuid::from_u128(milliseconds << 80 | 0x7000_8000 << 48 | u128::from(n)))
}
