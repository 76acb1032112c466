//! The TOML file.
//!
//! ```toml
//! listen = "127.0.0.1:8080"
//! metrics_listen = "127.0.0.1:9100"
//! database = "sqlite:commerce.db"
//! orders_per_minute = 120
//! log_format = "json"                       # or "text", "auto"
//! log_level = "info"
//! currency = "EUR"
//! lifecycle = "standard"                    # a built-in name, a file, or a table
//! former_lifecycles = ["lifecycles/2024.toml"]
//! reservation = "30m"
//! cart_lifetime = "30d"
//! receipts_kept = "48h"
//! prices_include_tax = true
//! tax_level = "line"                        # or "order"
//! rounding = "half_away_from_zero"          # or "half_even", "down"
//! tax_rates = { standard = "0.20", reduced = "0.05" }
//!
//! [[shipping_methods]]
//! name = "express"
//! fee = "9.90"
//! tax_category = "standard"
//!
//! [windows]
//! cancellation = "24h"
//! returns = "30d"
//!
//! [keys]
//! hs256_file = "secrets/jwt"                # or hs256_env = "JWT_SECRET"
//! pem_files = ["keys/2026.pem"]
//! jwks_url = "https://id.example.com/jwks.json"
//! jwks_refresh = "5m"
//! issuer = "https://id.example.com"
//! audience = "shop"
//!
//! [users]
//! url = "https://users.example.com"
//! token_file = "secrets/users"
//! time_out = "2s"
//! ```
//!
//! Paths are taken from the directory of the file.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use commerce_core::money::{Amount, Currency, Rounding};
use commerce_core::pricing::TaxLevel;
use commerce_core::text::Text;
use serde::Deserialize;

use super::{Database, KeysSection, LifecycleChoice, LogFormat, LogLevel, Span, Windows};

/// Everything a file may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) listen: Option<SocketAddr>,
    pub(super) metrics_listen: Option<SocketAddr>,
    pub(super) database: Option<Database>,
    pub(super) orders_per_minute: Option<u32>,
    pub(super) log_format: Option<LogFormat>,
    pub(super) log_level: Option<LogLevel>,
    pub(super) currency: Option<Currency>,
    pub(super) lifecycle: LifecycleChoice,
    pub(super) former_lifecycles: Vec<LifecycleChoice>,
    pub(super) windows: Windows,
    pub(super) shipping_methods: Option<Vec<ShippingSection>>,
    pub(super) prices_include_tax: bool,
    pub(super) tax_level: TaxLevel,
    pub(super) tax_rates: BTreeMap<Text<64>, Amount>,
    pub(super) rounding: Rounding,
    pub(super) reservation: Option<Span>,
    pub(super) cart_lifetime: Option<Span>,
    pub(super) receipts_kept: Option<Span>,
    pub(super) keys: KeysSection,
    pub(super) users: UsersSection,
}

/// A way of shipping. Its fee gets a currency once the shop has one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShippingSection {
    pub(super) name: Text<64>,
    pub(super) fee: Amount,
    #[serde(default)]
    pub(super) tax_category: Option<Text<64>>,
}

/// The users service.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct UsersSection {
    pub(super) url: Option<String>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) time_out: Option<Span>,
}
