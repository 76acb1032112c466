//! Signatures of webhooks in the form of Stripe: `t=1700000000,v1=5257a8…`.
//!
//! The signature is HMAC-SHA256 over the time, a full stop and the body, in hexadecimal digits. While a secret is replaced, a
//! header may have several `v1`, and a receiver several secrets.

use std::fmt;
use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How old a webhook may be, and how far in the future, in seconds.
pub const TOLERANCE_SECONDS: i64 = 300;
/// The most signatures of a header that are tried.
const MAX_SIGNATURES: usize = 16;

/// Secrets of webhooks. `Debug` does not show them.
#[derive(Clone, Default)]
pub struct Secrets(Vec<String>);

/// Why a signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is missing, cannot be read, or of no secret.
    Forged,
    /// It is right, but was made long ago or in the future.
    Stale {
        /// Negative if it is of the future.
        age_seconds: i64,
    },
}

impl Secrets {
    /// Secrets that are separated by commas or space. Each is valid.
    pub fn parse(text: &str) -> Self {
        let secrets = text.split(|char: char| char == ',' || char.is_whitespace());
        Self(secrets.filter(|secret| !secret.is_empty()).map(str::to_owned).collect())
    }

    /// Whether there are none, so that every signature is refused.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks the header of a body that was received at a Unix time.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check(&self, header: Option<&str>, body: &[u8], now: i64) -> Result<(), Refused> {
        let header = header.and_then(Header::read).ok_or(Refused::Forged)?;
        let known = |secret: &String| header.signatures.iter().any(|sent| is_of(secret, &header.time, body, sent));
        if !self.0.iter().any(known) {
            return Err(Refused::Forged);
        }
        let time: i64 = header.time.parse().map_err(|_| Refused::Forged)?;
        let age_seconds = now.saturating_sub(time);
        if age_seconds.saturating_abs() > TOLERANCE_SECONDS {
            return Err(Refused::Stale { age_seconds });
        }
        Ok(())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

/// The header of a body that is sent at a Unix time.
pub fn sign(secret: &str, body: &[u8], now: i64) -> String {
    let time = now.to_string();
    let mut header = format!("t={time},v1=");
    for byte in mac(secret, &time, body).finalize().into_bytes() {
        write!(header, "{byte:02x}").ok();
    }
    header
}

struct Header {
    time: String,
    signatures: Vec<[u8; 32]>,
}

impl Header {
    fn read(header: &str) -> Option<Self> {
        let mut parts = header.split(',').filter_map(|part| part.trim().split_once('='));
        let time = parts.clone().find(|(name, _)| *name == "t")?.1.to_owned();
        let signatures = parts.by_ref().filter(|(name, _)| *name == "v1").take(MAX_SIGNATURES);
        Some(Self { time, signatures: signatures.filter_map(|(_, digits)| from_hex(digits)).collect() })
    }
}

fn from_hex(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        let start = place.saturating_mul(2);
        *byte = u8::from_str_radix(digits.get(start..start.saturating_add(2))?, 16).ok()?;
    }
    Some(bytes)
}

/// Compares in constant time.
fn is_of(secret: &str, time: &str, body: &[u8], sent: &[u8; 32]) -> bool {
    mac(secret, time, body).verify_slice(sent).is_ok()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(secret: &str, time: &str, body: &[u8]) -> Hmac<Sha256> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.chain_update(time).chain_update(".").chain_update(body)
}

#[cfg(test)]
mod tests {
    use super::{Refused, Secrets, sign};

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;

    fn check(header: &str, body: &[u8], now: i64) -> Result<(), Refused> {
        Secrets::parse("old, new").check(Some(header), body, now)
    }

    #[test]
    fn a_signature_is_that_of_the_standard() {
        // python3 -c "import hmac; print(hmac.digest(b'new', b'1000.{\"id\":\"evt_1\"}', 'sha256').hex())"
        let known = "t=1000,v1=40a3c63671ecc3f2cd63647c067acd2b44cbe3a7fa6a42025bf0e64b4c27eff9";
        assert_eq!(sign("new", BODY, 1_000), known);
        assert_eq!(check(known, BODY, 1_000), Ok(()));
    }

    #[test]
    fn each_secret_and_each_signature_is_tried() {
        let (old, new) = (sign("old", BODY, 1_000), sign("new", BODY, 1_000));
        let both = format!("{},{}", sign("other", BODY, 1_000), &new["t=1000,".len()..]);
        for header in [&old, &new, &both] {
            assert_eq!(check(header, BODY, 1_000), Ok(()), "{header}");
        }
    }

    #[test]
    fn what_is_not_signed_is_forged() {
        let good = sign("new", BODY, 1_000);
        let others = [
            sign("other", BODY, 1_000),
            good.replace("t=1000", "t=1001"),
            good.replace("v1=", "v0="),
            good[..good.len() - 1].to_owned(),
            "t=1000,v1=é".to_owned(),
            "t=1000".to_owned(),
            String::new(),
        ];
        for header in &others {
            assert_eq!(check(header, BODY, 1_000), Err(Refused::Forged), "{header}");
        }
        assert_eq!(check(&good, b"{}", 1_000), Err(Refused::Forged));
        assert_eq!(Secrets::parse("new").check(None, BODY, 1_000), Err(Refused::Forged));
        assert_eq!(Secrets::parse(" , ").check(Some(&sign("", BODY, 1_000)), BODY, 1_000), Err(Refused::Forged));
    }

    #[test]
    fn a_signature_is_valid_for_five_minutes() {
        let header = sign("new", BODY, 1_000);
        assert_eq!(check(&header, BODY, 1_300), Ok(()));
        assert_eq!(check(&header, BODY, 1_301), Err(Refused::Stale { age_seconds: 301 }));
        assert_eq!(check(&header, BODY, 699), Err(Refused::Stale { age_seconds: -301 }));
    }
}
