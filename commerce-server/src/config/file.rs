//! The TOML file; `shop.example.toml` beside `Cargo.toml` shows all of it. Paths are taken from its directory.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

use commerce_core::money::{Amount, Currency, Rounding};
use commerce_core::pricing::TaxLevel;
use commerce_core::text::BoundedString;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::database::ConnectionsSection;
use super::{Database, DurationText, KeysSection, LifecycleChoice, LogFormat, LogLevel, Windows};

/// Everything a file may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) listen: Option<SocketAddr>,
    pub(super) metrics_listen: Option<SocketAddr>,
    pub(super) database: Option<Database>,
    pub(super) connections: ConnectionsSection,
    pub(super) orders_per_minute: Option<u32>,
    pub(super) max_connections: Option<NonZeroU32>,
    pub(super) log_format: Option<LogFormat>,
    pub(super) log_level: Option<LogLevel>,
    pub(super) currency: Option<Currency>,
    pub(super) lifecycle: LifecycleChoice,
    pub(super) former_lifecycles: Vec<LifecycleChoice>,
    pub(super) windows: Windows,
    pub(super) shipping_methods: Option<Vec<ShippingSection>>,
    pub(super) prices_include_tax: bool,
    pub(super) tax_level: TaxLevel,
    pub(super) tax_rates: BTreeMap<Checked<BoundedString<64>>, Amount>,
    pub(super) rounding: Rounding,
    pub(super) reservation: Option<DurationText>,
    pub(super) cart_lifetime: Option<DurationText>,
    pub(super) idempotency_retention: Option<DurationText>,
    pub(super) keys: KeysSection,
    pub(super) users: UsersSection,
}

/// A way of shipping. Its fee gets a currency once the shop has one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShippingSection {
    pub(super) name: Checked<BoundedString<64>>,
    pub(super) fee: Amount,
    #[serde(default)]
    pub(super) tax_category: Option<Checked<BoundedString<64>>>,
}

/// The users service.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct UsersSection {
    pub(super) url: Option<String>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) time_out: Option<DurationText>,
}

/// A value that is checked as it is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Checked<T>(pub(super) T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Checked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}
