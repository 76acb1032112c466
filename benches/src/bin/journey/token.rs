//! Tokens of customers, signed with the secret that the server is started with.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest, Sha256};

pub(crate) const SECRET: &str = "a secret of the load generator, of nobody else";

/// The size of a block of SHA-256.
const BLOCK: usize = 64;
/// Longer than any run.
const LIFETIME: u64 = 24 * 3600;

/// The value of the header `Authorization` of a user.
pub(crate) fn bearer(user: &str, role: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let head = json!({ "alg": "HS256", "typ": "JWT" });
    let claims = json!({ "sub": user, "roles": [role], "exp": now + LIFETIME });
    let [head, claims] = [head, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = format!("{head}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(hmac(SECRET.as_bytes(), signed.as_bytes()));
    format!("Bearer {signed}.{signature}")
}

/// HMAC-SHA256 (RFC 2104) with a key of at most one block.
fn hmac(key: &[u8], message: &[u8]) -> impl AsRef<[u8]> {
    let padded = |pad: u8| {
        let mut block = [pad; BLOCK];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        Sha256::new().chain_update(block)
    };
    let inner = padded(0x36).chain_update(message).finalize();
    padded(0x5c).chain_update(inner).finalize()
}
