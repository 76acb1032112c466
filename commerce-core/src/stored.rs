//! Stored forms.
//!
//! Stores write the serde form of the types of this crate. HTTP and other interfaces have types of their own. A stored
//! form:
//! * is derived from the type;
//! * contains no sentences and no derivable data;
//! * may contain unknown fields, which were written by a newer version and are ignored. An enum with data therefore
//!   names its variant in a field;
//! * is not checked against current limits when it is read. It was checked on input, and lowering a limit must not make
//!   old orders unreadable.
//!
//! A value that is stored by itself (an event, a promotion) contains the version of its form: see [`Stored`].

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The version of the stored forms. It grows when older versions of this crate would misread the new form.
pub const VERSION: u64 = 1;

/// A value that is stored by itself, with the version of its form in the field `v`.
///
/// Without the field, the version is 1. A version above [`VERSION`] is an error: it was written by a newer version.
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

/// A supported version.
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
