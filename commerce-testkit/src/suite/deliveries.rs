//! Tests of the contract of the [`DeliveryLog`] port.
//!
//! An adapter runs all of them with one line. It provides a function that creates an adapter with an empty log:
//!
//! ```
//! use commerce_testkit::MemoryStore;
//!
//! async fn start() -> MemoryStore {
//!     MemoryStore::new()
//! }
//!
//! commerce_testkit::deliveries_suite!(start);
//! ```

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a case fails by panicking")]
#![expect(missing_docs, reason = "the names of the cases say it")]

use chrono::DateTime;
use commerce_core::ids::{DeliveryId, EventId, WebhookEndpointId};
use commerce_core::port::{DeliveryLog, PageRequest};
use commerce_core::webhook::{Delivery, DeliveryFailure, DeliveryOutcome};
use uuid::Uuid;

/// Gives the list of cases to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! deliveries_cases {
    ([$callback:ident] [$($arguments:tt)*]) => {
        $crate::$callback! { $($arguments)*
            attempts_come_back_equal_and_newest_first
            each_endpoint_has_a_log_of_its_own
            only_the_newest_are_kept
            nothing_is_kept_of_a_deleted_endpoint
        }
    };
}

/// Runs all tests of the contract of [`DeliveryLog`] on an adapter. See [`suite::deliveries`](crate::suite::deliveries).
#[macro_export]
macro_rules! deliveries_suite {
    ($start:expr) => {
        $crate::deliveries_cases! { [deliveries_suite] [@stamp ($start)] }
    };
    (@list ($fixture:ty) $($case:ident)+) => {
        vec![$($crate::suite::Case {
            name: concat!("deliveries::", stringify!($case)),
            run: |fixture: $fixture| Box::pin(async move { $crate::suite::deliveries::$case(&fixture).await }),
        }),+]
    };
    (@stamp $start:tt $($case:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let fixture = $start().await;
            $crate::suite::deliveries::$case(&fixture).await;
        }
    )+};
}

/// All tests of the contract, for programs that run them themselves.
pub fn cases<F: Fixture + Send + 'static>() -> Vec<super::Case<F>> {
    crate::deliveries_cases! { [deliveries_suite] [@list (F)] }
}

/// The log of a fixture.
pub trait Fixture: Sync {
    /// It was empty when the fixture was created.
    fn log(&self) -> &dyn DeliveryLog;
}

impl<L: DeliveryLog> Fixture for L {
    fn log(&self) -> &dyn DeliveryLog {
        self
    }
}

const ONE: WebhookEndpointId = WebhookEndpointId::new(Uuid::from_u128(1));
const OTHER: WebhookEndpointId = WebhookEndpointId::new(Uuid::from_u128(2));

fn delivery(number: u32) -> Delivery {
    let outcome = match number % 3 {
        0 => DeliveryOutcome::Answered(200),
        1 => DeliveryOutcome::Failed(DeliveryFailure::TimedOut),
        _ => DeliveryOutcome::Answered(503),
    };
    Delivery {
        id: DeliveryId::new(Uuid::from_u128((1 << 100) | u128::from(number))),
        event_id: EventId::new(Uuid::from_u128(u128::MAX)),
        event_type: "order.paid".to_owned(),
        attempt: number,
        at: DateTime::from_timestamp_micros(1_800_000_000_123_456).unwrap(),
        took_ms: u64::from(number) << 31,
        outcome,
    }
}

async fn numbers(log: &dyn DeliveryLog, endpoint: WebhookEndpointId) -> Vec<u32> {
    let read = |page| async move { log.deliveries(endpoint, &page).await };
    PageRequest::read_all(read).await.unwrap().iter().map(|delivery| delivery.attempt).collect()
}

pub async fn attempts_come_back_equal_and_newest_first<F: Fixture>(fixture: &F) {
    let log = fixture.log();
    log.note(ONE, &[delivery(1), delivery(2)], 10).await.unwrap();
    log.note(ONE, &[delivery(3)], 10).await.unwrap();
    let first = log.deliveries(ONE, &PageRequest::first(2)).await.unwrap();
    assert_eq!((first.items, first.next), (vec![delivery(3), delivery(2)], Some(delivery(2).id)));
    let rest = log.deliveries(ONE, &PageRequest { limit: 2, after: first.next }).await.unwrap();
    assert_eq!((rest.items, rest.next), (vec![delivery(1)], None));
}

pub async fn each_endpoint_has_a_log_of_its_own<F: Fixture>(fixture: &F) {
    let log = fixture.log();
    log.note(ONE, &[delivery(1), delivery(2)], 1).await.unwrap();
    log.note(OTHER, &[delivery(1)], 1).await.unwrap();
    assert_eq!((numbers(log, ONE).await, numbers(log, OTHER).await), (vec![2], vec![1]));
}

pub async fn only_the_newest_are_kept<F: Fixture>(fixture: &F) {
    let log = fixture.log();
    for number in 1..=8 {
        log.note(ONE, &[delivery(2 * number - 1), delivery(2 * number)], 5).await.unwrap();
    }
    assert_eq!(numbers(log, ONE).await, [16, 15, 14, 13, 12]);
    log.note(ONE, &[], 2).await.unwrap();
    assert_eq!(numbers(log, ONE).await, [16, 15]);
}

pub async fn nothing_is_kept_of_a_deleted_endpoint<F: Fixture>(fixture: &F) {
    let log = fixture.log();
    log.note(ONE, &[delivery(1)], 5).await.unwrap();
    log.note(OTHER, &[delivery(1)], 5).await.unwrap();
    log.note(ONE, &[], 0).await.unwrap();
    assert_eq!((numbers(log, ONE).await, numbers(log, OTHER).await), (vec![], vec![1]));
}
