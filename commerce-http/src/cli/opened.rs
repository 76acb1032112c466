//! The database, opened, and an engine over it.

use std::sync::Arc;

use commerce_core::engine::Engine;
use commerce_core::money::Currency;
use commerce_core::payment::Sandbox;
use commerce_core::port::{Catalog, Page, ProductFilter, StoreError, Users};
use commerce_diesel::sqlite::{SqliteOptions, SqliteStore};
use tokio::runtime;

use super::failure::Failure;
use crate::config::{Config, Secret};
use crate::system;
use crate::users::{EveryoneExists, HttpUsers};

/// The database of a shop.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    store: SqliteStore,
}

impl Opened {
    /// Opens the database; one that is not there is made.
    pub(super) async fn open(config: &Config) -> Result<Self, Failure> {
        let store = SqliteStore::open(config.database.path(), SqliteOptions::default()).await?;
        Ok(Self { store })
    }

    /// The store.
    pub(super) const fn store(&self) -> &SqliteStore {
        &self.store
    }

    /// The currency of the products; none while there are no products.
    pub(super) async fn catalogue_currency(&self) -> Result<Option<Currency>, StoreError> {
        let first = Page { limit: 1, after: None };
        let products = self.store.products(&ProductFilter::default(), &first).await?.items;
        let variant = products.first().and_then(|product| product.variants.first());
        Ok(variant.map(|variant| variant.price.currency()))
    }

    /// The currency of the shop: as configured, or that of its products, or else the one assumed.
    pub(super) async fn currency(&self, config: &Config, assumed: Currency) -> Result<Currency, Failure> {
        match config.currency {
            Some(currency) => Ok(currency),
            None => Ok(self.catalogue_currency().await?.unwrap_or(assumed)),
        }
    }

    /// An engine over the database.
    pub(super) fn engine(&self, config: &Config, currency: Currency) -> Result<Engine, Failure> {
        let ports = system::ports(self.store.clone(), users(config)?, Arc::new(Sandbox));
        Ok(Engine::new(ports, config.settings(currency)?))
    }
}

fn users(config: &Config) -> Result<Arc<dyn Users>, Failure> {
    let Some(service) = &config.users else { return Ok(Arc::new(EveryoneExists)) };
    let token = service.token.as_ref().map(Secret::reveal);
    Ok(Arc::new(HttpUsers::new(&service.url, token, service.time_out)?))
}

/// Runs a command that does one thing after another.
pub(super) fn block_on<T>(command: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Failure::System { what: "the runtime cannot be started", source })?;
    Ok(runtime.block_on(command))
}
