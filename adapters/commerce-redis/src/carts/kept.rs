//! Carts as they are in Redis.

use std::time::Duration;

use chrono::{DateTime, Utc};
use commerce_core::cart::{Cart, CartStatus};
use commerce_core::commit::{Commit, IdempotencyKey, IdempotencyRecord, RecordedReply};
use commerce_core::document::{Document, DocumentChange, DocumentKind};
use commerce_core::ids::{CartId, UserId};
use commerce_core::port::{StoreError, StoreErrorKind, StoreResult};
use redis::{RedisError, RedisResult, Script};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::CartOptions;
use crate::server::{Redis, reason};
use crate::{events, telemetry};

pub(super) struct KeptCarts {
    redis: Redis,
    options: CartOptions,
    read: Script,
    write: Script,
    mark: Script,
    unmark: Script,
    close: Script,
    due: Script,
}

/// What came of a change.
pub(super) enum Written {
    Done,
    /// The key was answered before.
    Answered(Answer),
    /// The cart has another version; 0: it is not there.
    Conflict(String, u64),
    /// The customer has this active cart.
    Claimed(String, String),
    /// The cart is marked.
    Busy(String),
}

/// What came of a mark.
pub(super) enum Marked {
    Done,
    Conflict(u64),
    Busy,
}

/// The answer to a request with an idempotency key.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) fingerprint: String,
    pub(super) text: String,
    pub(super) at: DateTime<Utc>,
}

impl KeptCarts {
    pub(super) fn new(redis: Redis, options: CartOptions) -> Self {
        Self {
            redis,
            options,
            read: Script::new(include_str!("../../lua/cart_read.lua")),
            write: Script::new(include_str!("../../lua/cart_write.lua")),
            mark: Script::new(include_str!("../../lua/cart_mark.lua")),
            unmark: Script::new(include_str!("../../lua/cart_unmark.lua")),
            close: Script::new(include_str!("../../lua/cart_close.lua")),
            due: Script::new(include_str!("../../lua/cart_due.lua")),
        }
    }

    /// A cart, and whether it is marked.
    pub(super) async fn cart(&self, id: &str) -> StoreResult<Option<(Cart, bool)>> {
        let found: RedisResult<Vec<Option<String>>> = self.redis.run(&self.read, &[self.key(id)], &[]).await;
        let found = found.map_err(|error| unavailable(&error))?;
        let [Some(body), mark] = &*found else { return Ok(None) };
        let value: Value = serde_json::from_str(body).map_err(damaged)?;
        let cart = Cart::try_from(Document::from_stored(DocumentKind::Cart, value)?)?;
        Ok(Some((cart, mark.is_some())))
    }

    /// The id of a customer's active cart.
    pub(super) async fn active(&self, user: &UserId) -> StoreResult<Option<CartId>> {
        let id = self.redis.get(&self.key_of(user)).await.map_err(|error| unavailable(&error))?;
        id.map(|id| id.parse().map_err(damaged)).transpose()
    }

    /// The answer to a request.
    pub(super) async fn answer(&self, key: &IdempotencyKey) -> StoreResult<Option<Answer>> {
        let found = self.redis.get(&self.key_of_answer(key)).await.map_err(|error| unavailable(&error))?;
        found.map(|text| serde_json::from_str(&text).map_err(damaged)).transpose()
    }

    /// Changes the carts of a commit, with its answer and events, or nothing.
    pub(super) async fn write(&self, commit: &Commit, record: Option<&IdempotencyRecord>) -> StoreResult<Written> {
        let (mut keys, mut arguments) = (Vec::new(), Vec::new());
        let answer = record.map(answer_of).transpose()?.unwrap_or_default();
        let CartOptions { answers, grace, .. } = self.options;
        let count = commit.documents.len().to_string();
        arguments.extend([count, answer, millis(answers), events::MOST.to_string(), millis(grace)]);
        for change in &commit.documents {
            let cart = Cart::try_from(change.document().clone())?;
            keys.extend([self.key(&change.id().id), self.key_of(&cart.user_id)]);
            arguments.extend(arguments_of(commit.at, change, &cart)?);
        }
        keys.push(record.map_or_else(|| self.redis.key("reply", ""), |record| self.key_of_answer(&record.key)));
        keys.push(self.key_of_due());
        keys.extend(events::keys(&self.redis));
        let arguments: Vec<_> = arguments.iter().map(String::as_bytes).collect();
        let outcome: RedisResult<Vec<String>> = self.redis.run(&self.write, &keys, &arguments).await;
        let outcome = outcome.map_err(|error| undecided(&error))?;
        let words: Vec<_> = outcome.iter().map(String::as_str).collect();
        match *words {
            ["done"] => Ok(Written::Done),
            ["answered", text] => Ok(Written::Answered(serde_json::from_str(text).map_err(damaged)?)),
            ["conflict", id, actual] => Ok(Written::Conflict(id.to_owned(), actual.parse().map_err(damaged)?)),
            ["claimed", id, owner] => Ok(Written::Claimed(id.to_owned(), owner.to_owned())),
            ["busy", id] => Ok(Written::Busy(id.to_owned())),
            _ => Err(damaged("an unknown answer of a script")),
        }
    }

    /// Marks a cart for the order with this token.
    pub(super) async fn mark(&self, id: &str, expected: u64, token: &str) -> StoreResult<Marked> {
        let arguments = [id.to_owned(), expected.to_string(), token.to_owned(), millis(self.options.mark)];
        let (keys, arguments) = ([self.key(id), self.key_of_due()], arguments.each_ref().map(String::as_bytes));
        let outcome: RedisResult<Vec<String>> = self.redis.run(&self.mark, &keys, &arguments).await;
        // The time of a mark that nobody knows of ends, and nothing was ordered.
        let outcome = outcome.map_err(|error| unavailable(&error))?;
        match *outcome.iter().map(String::as_str).collect::<Vec<_>>() {
            ["done"] => Ok(Marked::Done),
            ["conflict", actual] => Ok(Marked::Conflict(actual.parse().map_err(damaged)?)),
            ["busy"] => Ok(Marked::Busy),
            _ => Err(damaged("an unknown answer of a script")),
        }
    }

    /// Takes back a mark whose time is over. The caller knows that the cart was not ordered.
    pub(super) async fn lift(&self, id: &str) {
        self.unmark(id, "").await;
    }

    /// Takes back the mark of an order that was not placed. If that fails, its time ends.
    pub(super) async fn unmark(&self, id: &str, token: &str) {
        let (keys, arguments) = ([self.key(id), self.key_of_due()], [id, token].map(str::as_bytes));
        let outcome: RedisResult<()> = self.redis.run(&self.unmark, &keys, &arguments).await;
        noted(outcome, "a cart could not be released; it is locked for a while");
    }

    /// Removes an ordered cart. If that fails, the next one who finds it does.
    pub(super) async fn close(&self, id: &str, user: &UserId) {
        let keys = [self.key(id), self.key_of(user), self.key_of_due()];
        let outcome: RedisResult<()> = self.redis.run(&self.close, &keys, &[id.as_bytes()]).await;
        noted(outcome, "an ordered cart could not be removed; it will be when its mark ends");
    }

    /// The carts that have expired, or whose mark is over, the oldest first.
    pub(super) async fn due(&self, limit: u16) -> StoreResult<Vec<String>> {
        let (keys, limit) = ([self.key_of_due()], limit.to_string());
        let found = self.redis.run(&self.due, &keys, &[limit.as_bytes()]).await;
        found.map_err(|error| unavailable(&error))
    }

    /// Forgets a cart that Redis has removed.
    pub(super) async fn forget(&self, id: &str) -> StoreResult<()> {
        self.redis.remove(&self.key_of_due(), id).await.map_err(|error| unavailable(&error))
    }

    fn key(&self, id: &str) -> String {
        self.redis.key("cart", id)
    }

    /// When to look at a cart again: when it expires, or when its mark is over.
    fn key_of_due(&self) -> String {
        self.redis.key("cart", "due")
    }

    fn key_of(&self, user: &UserId) -> String {
        self.redis.key("active", user.as_str())
    }

    fn key_of_answer(&self, IdempotencyKey { scope, key }: &IdempotencyKey) -> String {
        self.redis.key("reply", &format!("{scope}\n{key}"))
    }
}

/// What the script needs of a change.
fn arguments_of(at: DateTime<Utc>, change: &DocumentChange, cart: &Cart) -> StoreResult<[String; 8]> {
    let left = cart.expires_at.signed_duration_since(at).to_std().unwrap_or_default();
    let [event_type, event] = events::entry(change).map_err(damaged)?;
    Ok([
        change.id().id.clone(),
        change.expected().to_string(),
        change.version().to_string(),
        change.stored().to_string(),
        millis(left),
        u8::from(cart.status == CartStatus::Active).to_string(),
        event_type,
        event,
    ])
}

/// The answer to a request, as it is stored.
fn answer_of(record: &IdempotencyRecord) -> StoreResult<String> {
    let RecordedReply::Text(text) = &record.reply else { return Err(damaged("an order is no answer about a cart")) };
    let answer = Answer { fingerprint: record.fingerprint.clone(), text: text.clone(), at: record.at };
    serde_json::to_string(&answer).map_err(damaged)
}

fn millis(span: Duration) -> String {
    span.as_millis().max(1).to_string()
}

fn damaged(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, error)
}

/// Nothing happened.
fn unavailable(error: &RedisError) -> StoreError {
    telemetry::note_cart_failure();
    StoreError::new(StoreErrorKind::Unavailable, reason(error))
}

/// Whether it happened is not known, unless the server refused.
fn undecided(error: &RedisError) -> StoreError {
    let is_sent = (error.is_io_error() || error.is_timeout()) && !error.is_connection_refusal();
    let kind = if is_sent { StoreErrorKind::Unknown } else { StoreErrorKind::Unavailable };
    StoreError { kind, ..unavailable(error) }
}

fn noted(outcome: RedisResult<()>, failure: &'static str) {
    if let Err(error) = outcome {
        telemetry::note_cart_failure();
        tracing::warn!(error = reason(&error), "{failure}");
    }
}
