//! Signatures of webhooks in the form of [Standard Webhooks](https://www.standardwebhooks.com): `v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=`.
//!
//! The signature is HMAC-SHA256 over the id, the time and the body, with full stops between, in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::signature::{Refused, TOLERANCE_SECONDS};

/// The most signatures of a header that are tried.
const MAX_SIGNATURES: usize = 16;

/// The headers of a message that was received.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Signed<'a> {
    pub id: &'a str,
    pub timestamp: &'a str,
    pub signatures: &'a str,
}

impl Signed<'_> {
    /// Checks the signature of a body that was received at a Unix time. Any of the secrets may have signed it.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check<'s>(&self, secrets: impl IntoIterator<Item = &'s [u8]>, body: &[u8], now: i64) -> Result<(), Refused> {
        let time: i64 = self.timestamp.parse().map_err(|_| Refused::Forged)?;
        let sent = self.signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,"));
        let sent: Vec<_> = sent.take(MAX_SIGNATURES).filter_map(|text| STANDARD.decode(text).ok()).collect();
        // What was signed is the text of the time, which may be written in several ways.
        let is_of = |secret: &[u8]| {
            let mac = keyed(secret).chain_update(self.id).chain_update(".").chain_update(self.timestamp);
            let mac = mac.chain_update(".").chain_update(body);
            // Compared in constant time.
            sent.iter().any(|sent| mac.clone().verify_slice(sent).is_ok())
        };
        if !secrets.into_iter().any(is_of) {
            return Err(Refused::Forged);
        }
        let age_seconds = now.saturating_sub(time);
        if age_seconds.saturating_abs() > TOLERANCE_SECONDS {
            return Err(Refused::Stale { age_seconds });
        }
        Ok(())
    }
}

/// The header `webhook-signature` of a message that is sent at a Unix time: a signature of each secret.
pub fn sign<'s>(secrets: impl IntoIterator<Item = &'s [u8]>, id: &str, time: i64, body: &[u8]) -> String {
    let signed = |secret| format!("v1,{}", STANDARD.encode(mac(secret, id, time, body)));
    secrets.into_iter().map(signed).collect::<Vec<_>>().join(" ")
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn keyed(secret: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length")
}

fn mac(secret: &[u8], id: &str, time: i64, body: &[u8]) -> [u8; 32] {
    let mac = keyed(secret).chain_update(id).chain_update(".").chain_update(time.to_string()).chain_update(".");
    mac.chain_update(body).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::{Signed, sign};
    use crate::signature::Refused;

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
    fn check(signatures: &str, timestamp: &str, body: &[u8], now: i64) -> Result<(), Refused> {
        Signed { id: "m", timestamp, signatures }.check([&b"old"[..], b"new"], body, now)
    }

    #[test]
    fn each_secret_and_each_signature_is_tried() {
        let (old, new, other) = (b"old", b"new", b"other");
        for secrets in [vec![&old[..]], vec![&new[..]], vec![&other[..], new]] {
            assert_eq!(check(&sign(secrets, "m", 1_000, b"{}"), "1000", b"{}", 1_000), Ok(()));
        }
    }

    #[test]
    fn what_is_not_signed_is_forged() {
        let good = sign([&b"new"[..]], "m", 1_000, b"{}");
        let others =
            [sign([&b"other"[..]], "m", 1_000, b"{}"), good.replace("v1,", "v1a,"), "v1,é".to_owned(), String::new()];
        for signatures in &others {
            assert_eq!(check(signatures, "1000", b"{}", 1_000), Err(Refused::Forged), "{signatures}");
        }
        assert_eq!(check(&good, "1000", b"{ }", 1_000), Err(Refused::Forged));
        for time in ["1001", "+1000", "01000", "", "soon", "9999999999999999999999999999999999999999"] {
            assert_eq!(check(&good, time, b"{}", 1_000), Err(Refused::Forged), "{time}");
        }
    }

    #[test]
    fn a_signature_is_valid_for_five_minutes() {
        let good = sign([&b"new"[..]], "m", 1_000, b"{}");
        assert_eq!(check(&good, "1000", b"{}", 1_300), Ok(()));
        assert_eq!(check(&good, "1000", b"{}", 1_301), Err(Refused::Stale { age_seconds: 301 }));
        assert_eq!(check(&good, "1000", b"{}", 699), Err(Refused::Stale { age_seconds: -301 }));
    }
}
