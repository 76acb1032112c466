//! The settings of the engine.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use commerce_core::money::{Amount, Currency};
use commerce_core::pricing::{Tax, TaxRate};
use commerce_core::settings::{Settings, ShippingMethod};
use commerce_core::text::BoundedString;
use rust_decimal::Decimal;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::{Config, ConfigError, DurationText, refused};

const MAX_RATE_DECIMALS: u32 = 8;

/// A shipping method. Its fee is in the currency of the shop.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShippingSection {
    name: Checked<BoundedString<64>>,
    fee: Amount,
    #[serde(default)]
    tax_category: Option<Checked<BoundedString<64>>>,
}

/// A value that is checked when it is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Checked<T>(pub(super) T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Checked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

impl Config {
    /// The settings of the engine for a shop with this currency.
    ///
    /// # Errors
    /// A setting is invalid.
    pub(crate) fn settings(&self, currency: Currency) -> Result<Settings, ConfigError> {
        self.check_shop()?;
        let mut settings = Settings::new(currency);
        let span = |own: Option<DurationText>, default| own.map_or(default, DurationText::delta);
        if let Some(methods) = &self.shipping_methods {
            let methods = methods.iter().map(|method| method.in_currency(currency));
            settings.shipping_methods = methods.collect::<Result<_, _>>()?;
        }
        let rates = self.tax_rates.iter().map(|(category, rate)| tax_rate(&category.0, *rate));
        let former = self.former_lifecycles.iter().map(super::LifecycleChoice::load);
        let lifecycle = self.lifecycle.as_ref().map(super::LifecycleChoice::load).transpose()?;
        settings.lifecycle = self.windows.apply(lifecycle.unwrap_or_else(|| settings.lifecycle.clone()))?;
        settings.former_lifecycles.splice(..0, former.collect::<Result<Vec<_>, _>>()?);
        settings.tax = Tax { prices_include_tax: self.prices_include_tax, rates: rates.collect::<Result<_, _>>()? };
        settings.tax_level = self.tax_level;
        settings.rounding = self.rounding;
        settings.reservation = span(self.reservation, Settings::RESERVATION);
        let limit = |own: Option<u32>, usual| own.map_or(usual, |own| Some(own).filter(|own| *own > 0));
        settings.unpaid.orders = limit(self.unpaid_orders, settings.unpaid.orders);
        settings.unpaid.units = limit(self.unpaid_units, settings.unpaid.units);
        settings.unpaid.declined_payments = limit(self.declined_payments, settings.unpaid.declined_payments);
        settings.capture = self.payments.capture.map_or(settings.capture, Into::into);
        settings.expiring_hold = self.payments.expiring_hold;
        settings.outage_grace = span(self.payments.outage_grace, Settings::OUTAGE_GRACE);
        settings.cart_lifetime = span(self.cart_lifetime, Settings::CART_LIFETIME);
        settings.webhook_secret_overlap = span(self.webhooks.secret_overlap, Settings::WEBHOOK_SECRET_OVERLAP);
        settings.webhook_patience = span(self.webhooks.give_up_after, Settings::WEBHOOK_PATIENCE);
        settings.idempotency_retention = span(self.idempotency_retention, Settings::IDEMPOTENCY_RETENTION);
        settings.sources = self.consume.sources();
        Ok(settings)
    }

    fn check_shop(&self) -> Result<(), ConfigError> {
        let day = DurationText::seconds(86_400);
        if self.idempotency_retention.is_some_and(|kept| kept < day) {
            return Err(refused("idempotency_retention", "answers to idempotent requests are stored for at least 24h"));
        }
        let no_time = DurationText::seconds(0);
        if self.reservation == Some(no_time) || self.cart_lifetime == Some(no_time) {
            return Err(refused("reservation, cart_lifetime", "must be longer than 0s"));
        }
        let Some(methods) = &self.shipping_methods else { return Ok(()) };
        let names: BTreeSet<_> = methods.iter().map(|method| &method.name).collect();
        if methods.is_empty() || names.len() < methods.len() {
            return Err(refused("shipping_methods", "at least one is required, and the names must be unique"));
        }
        Ok(())
    }
}

impl ShippingSection {
    fn in_currency(&self, currency: Currency) -> Result<ShippingMethod, ConfigError> {
        let fee = self.fee.in_currency(currency);
        let fee = fee.map_err(|source| ConfigError::Fee { method: self.name.0.to_string(), source })?;
        if fee.is_negative() {
            return Err(refused("shipping_methods", "a fee must not be negative"));
        }
        let tax_category = self.tax_category.as_ref().map(|known| known.0.clone());
        Ok(ShippingMethod { name: self.name.0.clone(), fee, tax_category })
    }
}

fn tax_rate(category: &BoundedString<64>, rate: Amount) -> Result<TaxRate, ConfigError> {
    let rate = rate.decimal().normalize();
    if rate.is_sign_negative() || rate > Decimal::TEN || rate.scale() > MAX_RATE_DECIMALS {
        let problem = format!("{category}: a rate is a share from 0 to 10 with at most 8 decimals: 20 % is \"0.20\"");
        return Err(refused("tax_rates", problem));
    }
    Ok(TaxRate { tax_category: category.to_string(), rate })
}
