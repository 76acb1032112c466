//! Signatures of webhooks in the form of [Standard Webhooks](https://www.standardwebhooks.com): `v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=`.
//!
//! The signature is HMAC-SHA256 over the id, the time and the body, with full stops between, in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header `webhook-signature` of a message that is sent at a Unix time: a signature of each secret.
pub fn sign<'s>(secrets: impl IntoIterator<Item = &'s [u8]>, id: &str, time: i64, body: &[u8]) -> String {
    let signed = |secret| format!("v1,{}", STANDARD.encode(mac(secret, id, time, body)));
    secrets.into_iter().map(signed).collect::<Vec<_>>().join(" ")
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(secret: &[u8], id: &str, time: i64, body: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length");
    let mac = mac.chain_update(id).chain_update(".").chain_update(time.to_string()).chain_update(".");
    mac.chain_update(body).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::sign;

    #[test]
    fn a_signature_is_that_of_the_standard() {
        // Of the specification and of the tests of its libraries.
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let (id, time, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        let known = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign([&secret[..]], id, time, body), known);
        let two = sign([&b"other"[..], &secret], id, time, body);
        assert!(two.ends_with(&format!(" {known}")) && two.starts_with("v1,"), "{two}");
    }
}
