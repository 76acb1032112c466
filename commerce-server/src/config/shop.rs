//! What the shop decides for itself, before its currency is known.

use std::collections::BTreeSet;
use std::path::Path;

use commerce_core::money::{Amount, Currency};
use commerce_core::order::Lifecycle;
use commerce_core::pricing::{Tax, TaxRate};
use commerce_core::settings::{Settings, ShippingMethod};
use commerce_core::text::BoundedString;
use rust_decimal::Decimal;

use super::file::{File, ShippingSection};
use super::{ConfigError, DurationText, LifecycleChoice};

/// The most decimals of a tax rate.
const MAX_RATE_DECIMALS: u32 = 8;

/// The shop's own decisions, checked as far as they can be without a currency.
#[derive(Debug)]
pub(super) struct Shop {
    file: File,
    lifecycle: Lifecycle,
    former_lifecycles: Vec<Lifecycle>,
    tax: Tax,
}

impl Shop {
    /// Settles the decisions of a file; a lifecycle named elsewhere goes before the file's.
    pub(super) fn merge(lifecycle: Option<&str>, file: File, directory: &Path) -> Result<Self, ConfigError> {
        let lifecycle = match lifecycle {
            Some(name) => LifecycleChoice::Named(name.to_owned()).load(Path::new(""))?,
            None => file.lifecycle.load(directory)?,
        };
        let lifecycle = file.windows.apply(lifecycle)?;
        let former_lifecycles = file.former_lifecycles.iter().map(|choice| choice.load(directory));
        let former_lifecycles = former_lifecycles.collect::<Result<_, _>>()?;
        let rates = file.tax_rates.iter().map(|(category, rate)| tax_rate(&category.0, *rate));
        let rates = rates.collect::<Result<_, _>>()?;
        let tax = Tax { prices_include_tax: file.prices_include_tax, rates };
        file.check()?;
        Ok(Self { file, lifecycle, former_lifecycles, tax })
    }

    /// The decisions in a currency.
    pub(super) fn settings(&self, currency: Currency) -> Result<Settings, ConfigError> {
        let mut settings = Settings::new(currency);
        let span = |own: Option<DurationText>, default| own.map_or(default, DurationText::delta);
        if let Some(methods) = &self.file.shipping_methods {
            let methods = methods.iter().map(|method| method.in_currency(currency));
            settings.shipping_methods = methods.collect::<Result<_, _>>()?;
        }
        settings.lifecycle = self.lifecycle.clone();
        settings.former_lifecycles.splice(..0, self.former_lifecycles.iter().cloned());
        settings.tax = self.tax.clone();
        settings.tax_level = self.file.tax_level;
        settings.rounding = self.file.rounding;
        settings.reservation = span(self.file.reservation, Settings::RESERVATION);
        settings.cart_lifetime = span(self.file.cart_lifetime, Settings::CART_LIFETIME);
        settings.idempotency_retention = span(self.file.idempotency_retention, Settings::IDEMPOTENCY_RETENTION);
        Ok(settings)
    }
}

impl File {
    fn check(&self) -> Result<(), ConfigError> {
        let day = DurationText::seconds(86_400);
        if self.idempotency_retention.is_some_and(|kept| kept < day) {
            return Err(refused("idempotency_retention", "answers to idempotent requests are kept for at least 24h"));
        }
        let no_time = DurationText::seconds(0);
        if self.reservation == Some(no_time) || self.cart_lifetime == Some(no_time) {
            return Err(refused("reservation, cart_lifetime", "nobody can pay or order within no time"));
        }
        let Some(methods) = &self.shipping_methods else { return Ok(()) };
        let names: BTreeSet<_> = methods.iter().map(|method| &method.name).collect();
        if methods.is_empty() || names.len() < methods.len() {
            return Err(refused("shipping_methods", "at least one, each with a name of its own"));
        }
        Ok(())
    }
}

impl ShippingSection {
    fn in_currency(&self, currency: Currency) -> Result<ShippingMethod, ConfigError> {
        let fee = self.fee.in_currency(currency);
        let fee = fee.map_err(|source| ConfigError::Fee { method: self.name.0.to_string(), source })?;
        if fee.is_negative() {
            return Err(refused("shipping_methods", "a fee is not negative"));
        }
        Ok(ShippingMethod {
            name: self.name.0.clone(),
            fee,
            tax_category: self.tax_category.as_ref().map(|known| known.0.clone()),
        })
    }
}

fn tax_rate(category: &BoundedString<64>, rate: Amount) -> Result<TaxRate, ConfigError> {
    let rate = rate.decimal().normalize();
    if rate.is_sign_negative() || rate > Decimal::TEN || rate.scale() > MAX_RATE_DECIMALS {
        let problem = format!("{category}: a rate is a share from 0 to 10 with at most 8 decimals: 20 % is \"0.20\"");
        return Err(ConfigError::Value { key: "tax_rates", problem });
    }
    Ok(TaxRate { tax_category: category.to_string(), rate })
}

fn refused(key: &'static str, problem: &str) -> ConfigError {
    ConfigError::Value { key, problem: problem.to_owned() }
}
