//! `Idempotency-Key`: a repeated request gets the first answer.
//!
//! The engine commits the answer together with the effect, so the answer is serialized before the commit. An
//! [`IdempotencyGuard`] serializes it once: the client gets the committed bytes. Of an order the engine commits the version, and
//! the answer is serialized again.

use std::borrow::Cow;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use commerce_core::actor::Role;
use commerce_core::commit::IdempotencyKey;
use commerce_core::engine::{Idempotency, Reply};
use commerce_core::ids::OrderId;
use http::header::IF_MATCH;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;

use crate::answer::{Answer, Outcome};
use crate::call::RequestContext;
use crate::problem::Problem;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const MAX_KEY: usize = 255;

/// The optional header of a request that takes effect once.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes what `key` reads")]
pub(crate) struct IdempotencyKeyHeader {
    /// 1 to 255 characters, chosen by the caller. A request that is repeated with the same key and body gets the first answer,
    /// with `Idempotent-Replayed: true`.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255)]
    idempotency_key: Option<String>,
}

/// The required header of a request that takes effect once.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes what `key` reads")]
pub(crate) struct RequiredIdempotencyKeyHeader {
    /// 1 to 255 characters, chosen by the caller. A request that is repeated with the same key and body gets the first answer,
    /// with `Idempotent-Replayed: true`.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255)]
    idempotency_key: String,
}

pub(crate) type Write<T> = dyn Fn(&T) -> Answer + Send + Sync;
/// Serializes the answer for an outcome that is about to be committed.
type Record<'w, T> = dyn Fn(&T) -> String + Send + Sync + 'w;

/// A request with or without a key, and its serialized answer.
pub(crate) struct IdempotencyGuard<'w, T> {
    write: &'w Write<T>,
    keyed: Option<Keyed<'w, T>>,
}

struct Keyed<'w, T> {
    key: IdempotencyKey,
    fingerprint: String,
    record: Box<Record<'w, T>>,
    written: Arc<Mutex<Option<Answer>>>,
}

impl RequestContext {
    pub(crate) fn idempotency_guard<'w, T>(&self, write: &'w Write<T>) -> Result<IdempotencyGuard<'w, T>, Problem> {
        let keyed = key(self.headers())?.map(|key| self.keyed(key, write)).transpose()?;
        Ok(IdempotencyGuard { write, keyed })
    }

    pub(crate) fn required_idempotency_guard<'w, T>(
        &self,
        write: &'w Write<T>,
    ) -> Result<IdempotencyGuard<'w, T>, Problem> {
        let guard = self.idempotency_guard(write)?;
        if guard.keyed.is_none() {
            return Err(Problem::bad_request("idempotency_key_required", "The header Idempotency-Key is required."));
        }
        Ok(guard)
    }

    /// The key with its scope (caller and route) and the fingerprint of the request.
    fn keyed<'w, T>(&self, key: String, write: &'w Write<T>) -> Result<Keyed<'w, T>, Problem> {
        let caller = self.caller()?;
        let user = caller.user.as_ref().map_or("", |user| user.as_str());
        // What a user got in a role is not shown to them in another.
        let role = if caller.role == Role::Customer { String::new() } else { format!(" {}", caller.role) };
        let scope = format!("{user} {} {}{role}", self.parts.method, self.path);
        let written = Arc::<Mutex<Option<Answer>>>::default();
        let slot = Arc::clone(&written);
        let record = Box::new(move |outcome: &T| {
            let answer = write(outcome);
            let text = Recorded::of(&answer);
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            text
        });
        Ok(Keyed { key: IdempotencyKey { scope, key }, fingerprint: self.fingerprint(), record, written })
    }

    fn fingerprint(&self) -> String {
        let hash = Sha256::new().chain_update(self.parts.method.as_str());
        let hash = self.params.iter().fold(hash.chain_update([0]).chain_update(self.path), |hash, (_, value)| {
            hash.chain_update([0]).chain_update(value)
        });
        let hash = hash.chain_update([0]).chain_update(&self.body);
        let condition = self.headers().get(IF_MATCH).map(|tags| [&[0][..], tags.as_bytes()].concat());
        URL_SAFE_NO_PAD.encode(hash.chain_update(condition.unwrap_or_default()).finalize())
    }
}

impl<T> IdempotencyGuard<'_, T> {
    /// The key and the recorder for the engine.
    pub(crate) fn idempotency(&self) -> Option<Idempotency<'_, T>> {
        let Keyed { key, fingerprint, record, .. } = self.keyed.as_ref()?;
        Some(Idempotency { key: key.clone(), fingerprint: fingerprint.clone(), reply: &**record })
    }

    /// The answer: the committed one, the stored one, or a new one without a key.
    pub(crate) fn answer(&self, reply: Reply<T>) -> Outcome {
        let written = || self.keyed.as_ref()?.written.lock().unwrap_or_else(PoisonError::into_inner).take();
        unkeyed(reply, |outcome| written().unwrap_or_else(|| (self.write)(outcome)))
    }
}

/// Whether a key is of a request that changes a cart and nothing else.
pub fn is_of_carts(key: &IdempotencyKey) -> bool {
    // The path, or the path and the role.
    key.scope.rsplit(' ').take(2).any(|word| word == "/carts" || word.starts_with("/carts/"))
}

/// The answer to a request that is idempotent without a key.
pub(crate) fn unkeyed<T>(reply: Reply<T>, write: impl FnOnce(&T) -> Answer) -> Outcome {
    match reply {
        Reply::Fresh(outcome) => Ok(write(&outcome)),
        Reply::Again(outcome) => Ok(repeated(write(&outcome))),
        Reply::Replayed(text) => Recorded::replay(&text).map_err(|damage| Problem::internal().caused_by(damage)),
    }
}

/// Marks an answer as the one that was given before.
fn repeated(mut answer: Answer) -> Answer {
    answer.headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    answer
}

#[derive(Debug, Serialize, Deserialize)]
struct Recorded<'a> {
    status: u16,
    #[serde(borrow)]
    headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order: Option<OrderId>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    body: Option<&'a RawValue>,
}

impl Recorded<'_> {
    /// Serializes an answer. Its body is JSON and is embedded as it is.
    fn of(answer: &Answer) -> String {
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned().into(), value.to_str().ok()?.to_owned().into()))
        };
        let headers = answer.headers.iter().filter_map(header).collect();
        let head = Recorded { status: answer.status.as_u16(), headers, order: answer.order, body: None };
        let mut text = serde_json::to_string(&head).unwrap_or_default();
        if let Ok(body) = str::from_utf8(&answer.body)
            && !body.is_empty()
            && text.pop().is_some()
        {
            text.reserve(body.len() + r#","body":}"#.len());
            text.push_str(r#","body":"#);
            text.push_str(body);
            text.push('}');
        }
        text
    }

    fn replay(text: &str) -> Result<Answer, Box<dyn Error + Send + Sync>> {
        let recorded: Recorded<'_> = serde_json::from_str(text)?;
        let status = StatusCode::from_u16(recorded.status)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &recorded.headers {
            headers.insert(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
        }
        let body = recorded.body.map_or_else(Bytes::new, |body| Bytes::copy_from_slice(body.get().as_bytes()));
        Ok(repeated(Answer { headers, order: recorded.order, body, ..Answer::empty(status) }))
    }
}

/// The key of a request, bare or quoted like a structured field.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|_| values.next().is_none()).map(str::trim);
    let key = text.and_then(unquoted).filter(|key| (1..=MAX_KEY).contains(&key.len()));
    let detail = "Idempotency-Key must be one key of 1 to 255 printable ASCII characters.";
    key.map(Some).ok_or_else(|| Problem::bad_request("invalid_idempotency_key", detail))
}

fn unquoted(text: &str) -> Option<String> {
    let Some(rest) = text.strip_prefix('"') else { return Some(text.to_owned()) };
    let inner = rest.strip_suffix('"')?;
    let mut key = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => key.push(letters.next().filter(|next| matches!(next, '"' | '\\'))?),
            '"' => return None,
            plain => key.push(plain),
        }
    }
    Some(key)
}

#[cfg(test)]
#[path = "../tests/unit/idempotency.rs"]
mod tests;
