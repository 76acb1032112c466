//! Changes of a customer's cart take turns.
//!
//! A change is decided on the version that it read. Parallel changes of one cart would therefore decide again and again until they
//! give up. The turns are those of this process; the engine retries if another process changes the cart.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use commerce_core::actor::Actor;
use commerce_core::ids::UserId;
use tokio::sync::{Mutex as Queue, OwnedMutexGuard};

/// The customers whose carts are being changed.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<UserId, Weak<Queue<()>>>>);

/// The turn of a request, until it is dropped.
pub(crate) type Turn = OwnedMutexGuard<()>;

impl Turns {
    /// Waits for the turn of a request, in the order of arrival. The engine has no turn, because it has no cart.
    pub(crate) async fn take(&self, caller: &Actor) -> Option<Turn> {
        Some(self.queue(caller.user.as_ref()?).lock_owned().await)
    }

    fn queue(&self, customer: &UserId) -> Arc<Queue<()>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = known.get(customer).and_then(Weak::upgrade) {
            return queue;
        }
        if known.len() == known.capacity() {
            known.retain(|_, queue| queue.strong_count() > 0);
        }
        let queue = Arc::default();
        known.insert(customer.clone(), Arc::downgrade(&queue));
        queue
    }
}
