use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::port::{QueuedMessage, Settlement, Subscription, SubscriptionError};
use tokio::time::sleep;

/// A queue of messages in memory, which fails on demand. Clones are the same queue; a [`FakeSubscription`] is a connection to it.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// use commerce_core::port::Subscription;
/// use commerce_testkit::FakeQueue;
///
/// let queue = FakeQueue::default();
/// queue.send(b"hello");
/// let first = queue.subscribe();
/// assert_eq!(first.next(10).await.unwrap()[0].body, b"hello");
/// drop(first); // without an acknowledgement
/// queue.subscribe().next(10).await.unwrap()[0].settlement.acknowledge().await.unwrap();
/// assert_eq!(queue.unsettled(), 0);
/// # });
/// ```
#[derive(Clone, Debug, Default)]
pub struct FakeQueue(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(u64, Vec<u8>)>,
    /// Messages that were taken, by their numbers, with the subscription that has them.
    taken: BTreeMap<u64, (u64, Vec<u8>)>,
    numbers: u64,
    is_away: bool,
    loses_acknowledgements: bool,
}

/// A connection to a [`FakeQueue`]. What it has taken comes again when it is dropped.
#[derive(Debug)]
pub struct FakeSubscription {
    queue: FakeQueue,
    number: u64,
}

#[derive(Debug)]
struct Taken {
    queue: FakeQueue,
    number: u64,
}

impl FakeQueue {
    /// Puts a message at the end.
    pub fn send(&self, body: &[u8]) {
        let mut state = self.state();
        let number = state.number();
        state.waiting.push_back((number, body.to_vec()));
    }

    /// A connection of its own, like that of another process.
    pub fn subscribe(&self) -> FakeSubscription {
        let number = self.state().number();
        FakeSubscription { queue: self.clone(), number }
    }

    /// Fails every call, or does not any more.
    pub fn be_away(&self, is_away: bool) {
        self.state().is_away = is_away;
    }

    /// Confirms acknowledgements and forgets them, so that the messages come again.
    pub fn lose_acknowledgements(&self, loses: bool) {
        self.state().loses_acknowledgements = loses;
    }

    /// The number of messages that were not acknowledged.
    pub fn unsettled(&self) -> usize {
        let state = self.state();
        state.waiting.len().saturating_add(state.taken.len())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reachable(&self) -> Result<MutexGuard<'_, State>, SubscriptionError> {
        let state = self.state();
        if state.is_away { Err(SubscriptionError::new("the queue is away")) } else { Ok(state) }
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.numbers = self.numbers.saturating_add(1);
        self.numbers
    }

    fn put_back(&mut self, number: u64) {
        if let Some((_, body)) = self.taken.remove(&number) {
            self.waiting.push_back((number, body));
        }
    }
}

#[async_trait]
impl Subscription for FakeSubscription {
    async fn next(&self, limit: usize) -> Result<Vec<QueuedMessage>, SubscriptionError> {
        if self.queue.reachable()?.waiting.is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
        let mut state = self.queue.reachable()?;
        let count = limit.min(state.waiting.len());
        let next: Vec<_> = state.waiting.drain(..count).collect();
        let take = |(number, body): (u64, Vec<u8>)| {
            state.taken.insert(number, (self.number, body.clone()));
            QueuedMessage { body, settlement: Box::new(Taken { queue: self.queue.clone(), number }) }
        };
        Ok(next.into_iter().map(take).collect())
    }
}

#[async_trait]
impl Settlement for Taken {
    async fn acknowledge(&self) -> Result<(), SubscriptionError> {
        let mut state = self.queue.reachable()?;
        if state.loses_acknowledgements {
            state.put_back(self.number);
        } else {
            state.taken.remove(&self.number);
        }
        Ok(())
    }

    async fn give_back(&self) -> Result<(), SubscriptionError> {
        self.queue.reachable()?.put_back(self.number);
        Ok(())
    }
}

impl Drop for FakeSubscription {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        let own: Vec<_> = state.taken.iter().filter(|(_, (by, _))| *by == self.number).map(|(own, _)| *own).collect();
        for number in own {
            state.put_back(number);
        }
    }
}
