//! Tests of the contract of the [`Subscription`] port.
//!
//! An adapter runs all of them with one line. It provides a function that creates a [`Fixture`] on an empty queue:
//!
//! ```
//! use commerce_testkit::FakeQueue;
//!
//! async fn start() -> FakeQueue {
//!     FakeQueue::default()
//! }
//!
//! commerce_testkit::subscription_suite!(start);
//! ```

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a case fails by panicking")]
#![expect(missing_docs, reason = "the names of the cases say it")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use commerce_core::port::{QueuedMessage, Subscription};
use tokio::time::sleep;

use crate::FakeQueue;

/// How long a message may take to come, also if it comes again.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longer than a message takes that comes again. A fixture lets them come again sooner.
const COMES_AGAIN: Duration = Duration::from_secs(4);

/// A queue for one case. Dropping the fixture cleans up.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// A subscription with connections of its own, like that of another process. A message that it keeps comes again within
    /// three seconds.
    async fn subscription(&self) -> Arc<dyn Subscription>;

    /// Puts a message into the queue, as another system does.
    async fn send(&self, body: &[u8]);

    /// Makes the broker unavailable. It keeps what it has.
    async fn stop(&self);

    /// Makes it available again.
    async fn start(&self);
}

#[async_trait]
impl Fixture for FakeQueue {
    async fn subscription(&self) -> Arc<dyn Subscription> {
        Arc::new(self.subscribe())
    }

    async fn send(&self, body: &[u8]) {
        Self::send(self, body);
    }

    async fn stop(&self) {
        self.be_away(true);
    }

    async fn start(&self) {
        self.be_away(false);
    }
}

/// Runs all tests of the subscription's contract on an adapter. See [`suite::subscription`](crate::suite::subscription).
#[macro_export]
macro_rules! subscription_suite {
    ($start:expr) => {
        $crate::subscription_suite! { @stamp ($start)
            an_empty_queue_has_nothing
            messages_come_as_they_were_sent_and_in_order
            no_more_come_than_were_asked_for
            what_is_acknowledged_does_not_come_again
            what_a_dead_process_had_comes_again
            what_was_given_back_comes_again_and_stops_none_behind_it
            two_subscriptions_share_the_messages
            a_broker_that_stopped_loses_nothing
        }
    };
    (@stamp $start:tt $($case:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::suite::subscription::$case(&$start().await).await;
        }
    )+};
}

async fn send_all<F: Fixture>(fixture: &F, bodies: &[Vec<u8>]) {
    for body in bodies {
        fixture.send(body).await;
    }
}

fn numbered(count: u32) -> Vec<Vec<u8>> {
    (0..count).map(|number| format!("message {number}").into_bytes()).collect()
}

/// So many messages, which are not settled. Failures of the broker are waited out.
async fn take(subscription: &dyn Subscription, count: usize) -> Vec<QueuedMessage> {
    let (mut taken, begun) = (Vec::new(), Instant::now());
    while taken.len() < count {
        assert!(begun.elapsed() < PATIENCE, "{} of {count} messages came", taken.len());
        match subscription.next(count - taken.len()).await {
            Ok(next) => taken.extend(next),
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
    taken
}

async fn take_and_acknowledge(subscription: &dyn Subscription, count: usize) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    while bodies.len() < count {
        // A broker need not give many more before the first ones are settled.
        for message in take(subscription, 8.min(count - bodies.len())).await {
            message.settlement.acknowledge().await.unwrap();
            bodies.push(message.body);
        }
    }
    bodies
}

/// Checks that nothing comes any more.
async fn is_empty<F: Fixture>(fixture: &F) {
    let (other, begun) = (fixture.subscription().await, Instant::now());
    while begun.elapsed() < COMES_AGAIN {
        let next = other.next(10).await.unwrap();
        assert!(next.is_empty(), "{next:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

pub async fn an_empty_queue_has_nothing<F: Fixture>(fixture: &F) {
    let (subscription, begun) = (fixture.subscription().await, Instant::now());
    assert!(subscription.next(10).await.unwrap().is_empty());
    assert!(begun.elapsed() < PATIENCE / 3);
}

/// Any bytes, and 200 KiB of them.
pub async fn messages_come_as_they_were_sent_and_in_order<F: Fixture>(fixture: &F) {
    let odd = [&b"{\"a\":1}\r\n\0"[..], b"\xff\xfe\x00", "\u{2028}🦀é".as_bytes()];
    let mut bodies: Vec<_> = odd.map(<[u8]>::to_vec).into();
    bodies.push(vec![b'x'; 200 * 1024]);
    bodies.extend(numbered(40));
    send_all(fixture, &bodies).await;
    let found = take_and_acknowledge(&*fixture.subscription().await, bodies.len()).await;
    assert!(found == bodies, "{} messages, expected {}", found.len(), bodies.len());
}

pub async fn no_more_come_than_were_asked_for<F: Fixture>(fixture: &F) {
    let bodies = numbered(5);
    send_all(fixture, &bodies).await;
    let subscription = fixture.subscription().await;
    let mut rest = bodies.as_slice();
    while !rest.is_empty() {
        let next = subscription.next(2).await.unwrap();
        assert!(next.len() <= 2, "{next:?}");
        for message in next {
            assert_eq!(Some(&message.body), rest.first());
            message.settlement.acknowledge().await.unwrap();
            rest = &rest[1..];
        }
    }
}

pub async fn what_is_acknowledged_does_not_come_again<F: Fixture>(fixture: &F) {
    send_all(fixture, &numbered(3)).await;
    take_and_acknowledge(&*fixture.subscription().await, 3).await;
    is_empty(fixture).await;
}

/// As when the process dies between the commit and the acknowledgement.
pub async fn what_a_dead_process_had_comes_again<F: Fixture>(fixture: &F) {
    let bodies = numbered(4);
    send_all(fixture, &bodies).await;
    let dead = fixture.subscription().await;
    let taken = take(&*dead, 4).await;
    taken[1].settlement.acknowledge().await.unwrap();
    drop((taken, dead));
    let other = fixture.subscription().await;
    let found: BTreeSet<_> = take_and_acknowledge(&*other, 3).await.into_iter().collect();
    assert_eq!(found, [0, 2, 3].map(|number: usize| bodies[number].clone()).into());
}

pub async fn what_was_given_back_comes_again_and_stops_none_behind_it<F: Fixture>(fixture: &F) {
    let bodies = numbered(4);
    send_all(fixture, &bodies).await;
    let subscription = fixture.subscription().await;
    let (mut found, mut refused, begun) = (BTreeSet::new(), 0, Instant::now());
    while found.len() < 3 || refused < 2 {
        assert!(begun.elapsed() < PATIENCE, "{} found, refused {refused} times", found.len());
        for message in subscription.next(2).await.unwrap() {
            if message.body == bodies[0] {
                message.settlement.give_back().await.unwrap();
                refused += 1;
            } else {
                message.settlement.acknowledge().await.unwrap();
                found.insert(message.body);
            }
        }
    }
    assert_eq!(take_and_acknowledge(&*subscription, 1).await, &bodies[..1]);
    assert_eq!(found, bodies[1..].iter().cloned().collect());
}

/// Each message goes to one of them.
pub async fn two_subscriptions_share_the_messages<F: Fixture>(fixture: &F) {
    let bodies = numbered(20);
    send_all(fixture, &bodies).await;
    let both = [fixture.subscription().await, fixture.subscription().await];
    let mut found = Vec::new();
    while found.len() < bodies.len() {
        for subscription in &both {
            for message in subscription.next(3).await.unwrap() {
                message.settlement.acknowledge().await.unwrap();
                found.push(message.body);
            }
        }
    }
    found.sort();
    let mut expected = bodies;
    expected.sort();
    assert_eq!(found, expected);
}

/// The same subscription goes on after the broker was started again.
pub async fn a_broker_that_stopped_loses_nothing<F: Fixture>(fixture: &F) {
    let bodies = numbered(6);
    send_all(fixture, &bodies).await;
    let subscription = fixture.subscription().await;
    take_and_acknowledge(&*subscription, 2).await;
    let kept = take(&*subscription, 1).await;
    fixture.stop().await;
    let begun = Instant::now();
    while subscription.next(1).await.is_ok() {
        assert!(begun.elapsed() < PATIENCE, "a broker that is away is told");
    }
    drop(kept);
    fixture.start().await;
    let (mut found, begun) = (BTreeSet::new(), Instant::now());
    while !bodies[2..].iter().all(|body| found.contains(body)) {
        assert!(begun.elapsed() < PATIENCE, "{} messages came", found.len());
        let Ok(next) = subscription.next(10).await else {
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        for message in next {
            message.settlement.acknowledge().await.ok();
            found.insert(message.body);
        }
    }
}
