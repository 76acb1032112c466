//! Limits per minute: of a customer's orders, of promotion codes that do not apply, and of a client's invalid tokens and signatures.

use std::net::IpAddr;
use std::sync::Arc;

use commerce_core::actor::Actor;
use commerce_core::engine::{Engine, EngineError, Repeatable, Reply};
use commerce_core::ids::UserId;
use commerce_core::permission::Permission;
use commerce_core::port::{LimitReached, RateKey, RateLimit, RateLimiter};
use http::StatusCode;

use crate::idempotency::IdempotencyGuard;
use crate::options::Options;
use crate::problem::Problem;

/// The address of the client of a request, which a server puts into the extensions of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The limits per minute.
#[derive(Debug)]
pub(crate) struct Quotas {
    pub(crate) orders: Quota,
    /// Codes that do not apply, so that codes cannot be guessed.
    pub(crate) codes: Quota,
    pub(crate) tokens: Quota,
    pub(crate) signatures: Quota,
}

impl Quotas {
    pub(crate) fn new(options: &Options) -> Self {
        let quota = |limit, per_minute, refusal| Quota {
            limit,
            rate: RateLimit::per_minute(per_minute),
            refusal,
            limiter: Arc::clone(&options.limiter),
        };
        let orders = ("too_many_orders", "Too many orders in a short time.");
        let codes = ("too_many_codes_tried", "Too many promotion codes that do not apply in a short time.");
        let tokens = ("too_many_bad_tokens", "Too many invalid tokens in a short time.");
        let signatures = ("too_many_bad_signatures", "Too many invalid signatures in a short time.");
        Self {
            orders: quota("orders", options.orders_per_minute, orders),
            codes: quota("codes", options.codes_per_minute, codes),
            tokens: quota("tokens", options.bad_tokens_per_minute, tokens),
            signatures: quota("signatures", options.bad_tokens_per_minute, signatures),
        }
    }
}

/// A limit per minute for each customer or client. All may come in one burst.
#[derive(Debug)]
pub(crate) struct Quota {
    /// The name of the limit.
    limit: &'static str,
    /// `None` if there is no limit.
    rate: Option<RateLimit>,
    /// The code and the message of the refusal.
    refusal: (&'static str, &'static str),
    limiter: Arc<dyn RateLimiter>,
}

impl Quota {
    /// The answer to an invalid token or signature.
    pub(crate) async fn refuse(&self, client: Option<&ClientAddress>, refusal: Problem) -> Problem {
        match client.filter(|_| refusal.is_forgery()) {
            Some(ClientAddress(address)) => self.take_one(&address.to_string()).await.err().unwrap_or(refusal),
            None => refusal,
        }
    }

    /// Takes a share of a client, which [`Self::give_back`] returns. Returns whether there was one.
    pub(crate) async fn hold(&self, client: Option<&ClientAddress>) -> bool {
        match client {
            Some(ClientAddress(address)) => self.take_one(&address.to_string()).await.is_ok(),
            None => true,
        }
    }

    pub(crate) async fn give_back(&self, client: Option<&ClientAddress>) {
        if let Some(ClientAddress(address)) = client {
            self.release_one(&address.to_string()).await;
        }
    }

    pub(crate) async fn take(&self, caller: &Actor) -> Result<(), Problem> {
        match limited(caller) {
            Some(user) => self.take_one(user).await,
            None => Ok(()),
        }
    }

    /// Runs a use case within the limit. Only new outcomes that `counts` admits count. A repeated request is answered even if the
    /// limit is reached.
    pub(crate) async fn within<T: Repeatable>(
        &self,
        (engine, caller): (&Engine, &Actor),
        guard: &IdempotencyGuard<'_, T>,
        reply: impl Future<Output = Result<Reply<T>, EngineError>>,
        counts: impl FnOnce(&T) -> bool,
    ) -> Result<Reply<T>, Problem> {
        if let Err(refused) = self.take(caller).await {
            return engine.answered(guard.idempotency().as_ref()).await?.ok_or(refused);
        }
        let reply = reply.await;
        if !matches!(&reply, Ok(Reply::Fresh(outcome)) if counts(outcome)) {
            self.release(caller).await;
        }
        Ok(reply?)
    }

    /// Returns the share of what does not count.
    pub(crate) async fn release(&self, caller: &Actor) {
        if let Some(user) = limited(caller) {
            self.release_one(user).await;
        }
    }

    async fn release_one(&self, holder: &str) {
        if let Some(rate) = self.rate {
            self.limiter.release(RateKey { limit: self.limit, holder }, rate).await;
        }
    }

    async fn take_one(&self, holder: &str) -> Result<(), Problem> {
        let Some(rate) = self.rate else { return Ok(()) };
        let taken = self.limiter.take(RateKey { limit: self.limit, holder }, rate).await;
        taken.map_err(|LimitReached { wait }| {
            let (code, detail) = self.refusal;
            Problem::new(StatusCode::TOO_MANY_REQUESTS, code, detail).retry_after(wait.as_secs() + 1)
        })
    }
}

/// The customer whom the limits are for. Admins and services have none.
fn limited(caller: &Actor) -> Option<&str> {
    let user = caller.user.as_ref().filter(|_| !caller.role.may(Permission::OrderUnlimited));
    user.map(UserId::as_str)
}
