//! A store that keeps carts in Redis, and everything else in another store.

mod checkout;
mod kept;
mod store;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use commerce_core::cart::{Cart, CartStatus};
use commerce_core::commit::{Commit, IdempotencyKey, IdempotencyRecord, RecordedReply, Refusal, Subject};
use commerce_core::document::{Claim, ClaimKind, DocumentChange, DocumentId, DocumentKind};
use commerce_core::ids::CartId;
use commerce_core::port::{CommitError, Store, StoreError, StoreErrorKind, StoreResult};

use self::kept::{Answer, KeptCarts, Marked, Written};
use crate::server::Redis;

/// The first and the longest pause of a change that waits for a checkout of its cart.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(640));
/// The number of pauses before a change gives up.
const PATIENCE: u32 = 10;

/// How carts are kept.
#[derive(Clone, Debug)]
pub struct CartOptions {
    /// How long an expired cart is still there, as one that has expired: longer than nobody [sweeps](RedisCarts::sweep).
    pub grace: Duration,
    /// How long a cart is not changed while its order is committed: longer than the other store takes for a commit.
    pub mark: Duration,
    /// How long the answers to requests with an idempotency key are kept.
    pub answers: Duration,
    /// Whether a request with this idempotency key changes a cart and nothing else.
    pub is_of_carts: fn(&IdempotencyKey) -> bool,
}

/// Keeps carts in Redis until they are ordered, and everything else in another store, which keeps the ordered carts, too.
///
/// # How a cart becomes one order
/// 1. The checkout marks the cart in Redis, at the version that it was decided on. A marked cart is not changed.
/// 2. The other store commits the order with the ordered cart, as a new document. That is the decision: there is one document of an id.
/// 3. The cart is removed from Redis.
///
/// After a crash, whoever finds the mark asks the other store: the next one who reads or changes the cart, or the [sweep](Self::sweep). If the
/// cart was ordered, it is removed. If not, the mark is taken back when its time is over.
pub struct RedisCarts {
    kept: KeptCarts,
    store: Arc<dyn Store>,
    is_of_carts: fn(&IdempotencyKey) -> bool,
}

impl RedisCarts {
    /// Keeps carts in Redis, and everything else in `store`.
    pub fn new(redis: Redis, store: Arc<dyn Store>, options: CartOptions) -> Self {
        let is_of_carts = options.is_of_carts;
        Self { kept: KeptCarts::new(redis, options), store, is_of_carts }
    }

    /// Changes carts only.
    async fn write(&self, commit: &Commit) -> Result<(), CommitError> {
        let record = commit.idempotency.as_ref();
        let mut pause = PAUSES.0;
        for _ in 0..PATIENCE {
            match self.kept.write(commit, record).await? {
                Written::Done => return Ok(()),
                Written::Answered(answer) => {
                    let key = record.map(|record| record.key.clone());
                    return Err(duplicate(key, answer));
                }
                Written::Conflict(id, actual) => return Err(self.conflict(commit, &id, actual).await?),
                Written::Claimed(id, owner) => return Err(claimed(commit, &id, owner)),
                Written::Busy(id) => pause = self.wait(&id, pause).await?,
            }
        }
        Err(busy().into())
    }

    /// The refusal of a change of a version that is not there. `actual` is the version in Redis.
    async fn conflict(&self, commit: &Commit, id: &str, actual: u64) -> StoreResult<CommitError> {
        let id = DocumentId { kind: DocumentKind::Cart, id: id.to_owned() };
        let actual = if actual == 0 { self.ordered(&id).await?.map_or(0, |cart| cart.version) } else { actual };
        let change = commit.documents.iter().find(|change| *change.id() == id);
        let expected = change.map_or(0, DocumentChange::expected);
        Ok(Refusal::VersionConflict { subject: Subject::Document(id), expected, actual }.into())
    }

    /// A cart of the other store. Only ordered carts are there.
    async fn ordered(&self, id: &DocumentId) -> StoreResult<Option<Cart>> {
        let Some(document) = self.store.document(id).await? else { return Ok(None) };
        let cart = Cart::try_from(document)?;
        Ok(Some(cart).filter(|cart| cart.status != CartStatus::Active))
    }

    /// Looks whether a marked cart was ordered. If so, removes it from Redis.
    async fn settled(&self, id: &str) -> StoreResult<bool> {
        let id = DocumentId { kind: DocumentKind::Cart, id: id.to_owned() };
        let Some(cart) = self.ordered(&id).await? else { return Ok(false) };
        self.kept.close(&id.id, &cart.user_id).await;
        Ok(true)
    }

    /// Looks at carts whose time is over, at most `limit`: removes those that were ordered, and takes back the marks of orders that were
    /// not placed. Returns the others, which may have expired, and stay due until that is
    /// [decided](commerce_core::engine::Engine::expire_cart). Any number of processes may do so.
    ///
    /// # Errors
    /// Redis or the other store is away.
    pub async fn sweep(&self, limit: u16) -> StoreResult<Vec<CartId>> {
        let mut over = Vec::new();
        for id in self.kept.due(limit).await? {
            match self.look(&id).await {
                Ok(found) => over.extend(found),
                Err(error) if error.kind == StoreErrorKind::Corrupt => {
                    tracing::warn!(id, %error, "a cart cannot be read; Redis removes it when it expires");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(over)
    }

    /// Ends what is left of a checkout. Returns a cart that is open.
    async fn look(&self, id: &str) -> StoreResult<Option<CartId>> {
        if self.settled(id).await? {
            return Ok(None);
        }
        match self.kept.cart(id).await? {
            Some((cart, false)) => return Ok(Some(cart.id)),
            Some((_, true)) => self.kept.lift(id).await,
            None => self.kept.forget(id).await?,
        }
        Ok(None)
    }

    /// Waits for the checkout that has marked a cart, and ends what a dead one has left. Returns the next pause.
    async fn wait(&self, id: &str, pause: Duration) -> StoreResult<Duration> {
        if !self.settled(id).await? {
            self.kept.lift(id).await;
            tokio::time::sleep(pause).await;
        }
        Ok(PAUSES.1.min(pause.saturating_mul(2)))
    }

    /// A cart that was not ordered.
    async fn open(&self, id: CartId) -> StoreResult<Option<Cart>> {
        match self.kept.cart(&id.to_string()).await? {
            Some((_, true)) if self.settled(&id.to_string()).await? => Ok(None),
            found => Ok(found.map(|(cart, _)| cart)),
        }
    }
}

/// The answer that was given before.
fn duplicate(key: Option<IdempotencyKey>, Answer { fingerprint, text, at }: Answer) -> CommitError {
    match key {
        Some(key) => {
            let record = IdempotencyRecord { key, fingerprint, reply: RecordedReply::Text(text), at };
            Refusal::DuplicateKey(Box::new(record)).into()
        }
        None => CommitError::Failed(StoreError::new(StoreErrorKind::Corrupt, "an answer without a key")),
    }
}

/// The refusal of a second active cart.
fn claimed(commit: &Commit, id: &str, owner: String) -> CommitError {
    let taken = commit.documents.iter().find(|change| change.id().id == id).and_then(|change| change.taken().first());
    let claim = taken.cloned().unwrap_or_else(|| Claim::new(ClaimKind::ActiveCart, &id));
    Refusal::Claimed { claim, owner }.into()
}

fn busy() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the cart is being ordered, and its order is not decided yet")
}

impl fmt::Debug for RedisCarts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCarts").field("store", &self.store).finish_non_exhaustive()
    }
}
