//! The laws of the core, with the strategies of the testkit.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a law fails by panicking")]

mod ends;
mod lifecycles;
mod money;
mod orders;
mod payments;
mod reconciliation;
mod settling;
mod sku_stocks;
mod values;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The answer of a store in memory, which never waits.
fn wait<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("a store in memory answers at once"),
    }
}
