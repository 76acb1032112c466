//! How values are stored.
//!
//! The serde form of a type of this crate is the form in which stores keep it, and no other: what a service or a program speaks is
//! that one's matter. A stored form
//! * is derived, and so follows the type;
//! * has no sentences, and nothing that follows from the rest;
//! * may have fields that are not known here: a newer version has written them, and they are passed over (so an enum with data names
//!   its variant in a field, and is not named by one);
//! * is not subject to the limits of the day. What was stored was checked when it came in, through a constructor or
//!   [`FromStr`](core::str::FromStr); a limit that is lowered later does not make old orders unreadable.
//!
//! A document that is stored by itself (an event, a promotion) says which version of its form it has: see [`Stored`].

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The version of the stored forms of this crate. It grows when older versions of this crate would misread what is stored.
pub const VERSION: u64 = 1;

/// A document that is stored by itself: a value, beside the version of its form in the field `v`.
///
/// Without the field, the form has version 1. A version above [`VERSION`] is an error: it was written by a newer version.
///
/// ```
/// use commerce_core::stock::StockEvent;
/// use commerce_core::stored::Stored;
///
/// let event = StockEvent::LowStock { available: 3 };
/// let text = serde_json::to_string(&Stored(&event))?;
/// assert_eq!(text, r#"{"v":1,"type":"low","available":3}"#);
/// assert_eq!(serde_json::from_str::<Stored<StockEvent>>(&text)?.0, event);
/// let newer = serde_json::from_str::<Stored<StockEvent>>(&text.replace("1", "2"));
/// assert!(newer.unwrap_err().to_string().starts_with("version 2 was written by a newer version of this software"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored<T>(pub T);

#[derive(Serialize)]
struct Written<'a, T> {
    v: u64,
    #[serde(flatten)]
    value: &'a T,
}

impl<T: Serialize> Serialize for Stored<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written { v: VERSION, value: &self.0 }.serialize(serializer)
    }
}

#[derive(Deserialize)]
struct Read<T> {
    #[serde(default, rename = "v")]
    _version: Version,
    #[serde(flatten)]
    value: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Stored<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Read::deserialize(deserializer).map(|Read { value, .. }| Self(value))
    }
}

/// That a version is known here.
#[derive(Default, Deserialize)]
#[serde(try_from = "u64")]
struct Version;

impl TryFrom<u64> for Version {
    type Error = Newer;

    fn try_from(version: u64) -> Result<Self, Newer> {
        if version <= VERSION { Ok(Self) } else { Err(Newer(version)) }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("version {0} was written by a newer version of this software")]
struct Newer(u64);
