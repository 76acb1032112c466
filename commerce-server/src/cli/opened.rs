//! The opened database, and an engine on it.

mod kept;

use std::sync::Arc;

use commerce_core::engine::Engine;
use commerce_core::money::Currency;
use commerce_core::payment::SandboxProcessor;
use commerce_core::port::{PageRequest, ProductFilter, Store, StoreError, Targets, WebhookSender};
use commerce_core::system::SystemClock;
use commerce_http::RequestTraces;
use commerce_http::telemetry::ShopMetrics;
use commerce_outbound::{Outbound, Service};
#[cfg(feature = "redis")]
use commerce_redis::{CartOptions, RedisCarts};
use tokio::runtime;

use self::kept::Backend;
use super::failure::Failure;
use crate::config::{Config, Secret};
use crate::users::HttpUsers;

/// How long an expired cart is still in Redis.
#[cfg(feature = "redis")]
const GRACE: std::time::Duration = std::time::Duration::from_secs(3600);
/// How long a cart is not changed while its order is committed.
#[cfg(feature = "redis")]
const MARK: std::time::Duration = std::time::Duration::from_secs(30);

#[derive(Clone, Debug)]
pub(super) struct OpenStore {
    kept: Arc<dyn Backend>,
}

impl OpenStore {
    /// Opens or creates the database and runs missing migrations.
    pub(super) async fn open(config: &Config) -> Result<Self, Failure> {
        Ok(Self { kept: kept::open(config, true).await? })
    }

    /// Opens the database of a shop that exists, without migrations.
    pub(super) async fn existing(config: &Config) -> Result<Self, Failure> {
        Ok(Self { kept: kept::open(config, false).await? })
    }

    pub(super) fn kept(&self) -> &dyn Backend {
        &*self.kept
    }

    /// How far events were published.
    pub(super) fn targets(&self) -> Arc<dyn Targets> {
        self.kept.clone()
    }

    /// The currency of the products. `None` if there are no products.
    pub(super) async fn catalog_currency(&self) -> Result<Option<Currency>, StoreError> {
        let first = PageRequest { limit: 1, after: None };
        let products = self.kept.products(&ProductFilter::default(), &first).await?.items;
        let variant = products.first().and_then(|product| product.variants.first());
        Ok(variant.map(|variant| variant.price.currency()))
    }

    /// The currency of the shop: the configured one, that of the products, or `assumed`.
    pub(super) async fn currency(&self, config: &Config, assumed: Currency) -> Result<Currency, Failure> {
        match config.currency {
            Some(currency) => Ok(currency),
            None => Ok(self.catalog_currency().await?.unwrap_or(assumed)),
        }
    }

    pub(super) fn engine(&self, config: &Config, currency: Currency) -> Result<Engine, Failure> {
        let processor = config.payments.processor(&config.outgoing)?;
        let sandbox = || Arc::new(SandboxProcessor::new(self.kept.clone(), Arc::new(SystemClock)));
        let processor = processor.unwrap_or_else(|| sandbox());
        let engine = Engine::builder(config.settings(currency)?, self.store(config, currency)?, processor);
        let mut engine = engine.observer(Arc::new(ShopMetrics)).inbox(config.consume.verifier()?);
        engine = engine.traces(Arc::new(RequestTraces));
        if let Some(url) = config.users.url() {
            engine = engine.users(Arc::new(Self::users(config, url)?));
        }
        if let Some(sender) = Self::webhook_sender(config)? {
            engine = engine.webhooks(sender, self.kept.clone(), self.kept.clone());
        }
        Ok(engine.build())
    }

    fn users(config: &Config, url: &str) -> Result<HttpUsers, Failure> {
        let name = "users service (--users-url, COMMERCE_USERS_TOKEN)";
        let refused = |source| Failure::Service { name, source };
        let (token, time_out) = (config.users.token()?, config.users.time_out());
        let client = match config.outgoing.tls()? {
            Some(tls) => Ok(Outbound::with_tls(&tls, time_out)),
            None => Outbound::new(time_out),
        };
        let client = client.map_err(|source| refused(source.into()))?;
        let service = Service::over(client, url, token.as_ref().map(Secret::reveal)).map_err(refused)?;
        Ok(HttpUsers::over(service, config.users.signed_tokens()?))
    }

    /// Where orders, documents and stock are: the database, perhaps with carts in Redis.
    #[cfg(feature = "redis")]
    fn store(&self, config: &Config, currency: Currency) -> Result<Arc<dyn Store>, Failure> {
        match self.redis_carts(config, currency)? {
            Some(carts) => Ok(Arc::new(carts)),
            None => Ok(self.kept.clone()),
        }
    }

    /// The carts in Redis, if they are there.
    #[cfg(feature = "redis")]
    pub(super) fn redis_carts(&self, config: &Config, currency: Currency) -> Result<Option<RedisCarts>, Failure> {
        let Some(redis) = config.redis.server_of_carts()? else { return Ok(None) };
        let options = CartOptions {
            grace: GRACE,
            mark: MARK,
            answers: config.settings(currency)?.idempotency_retention.to_std().unwrap_or_default(),
            is_of_carts: commerce_http::is_of_carts,
        };
        Ok(Some(RedisCarts::new(redis, self.kept.clone(), options)))
    }

    #[cfg(not(feature = "redis"))]
    #[expect(clippy::unnecessary_wraps, reason = "as with Redis")]
    fn store(&self, _: &Config, _: Currency) -> Result<Arc<dyn Store>, Failure> {
        Ok(self.kept.clone())
    }

    /// What sends webhooks. A shop without configured keys signs with the development key.
    fn webhook_sender(config: &Config) -> Result<Option<Arc<dyn WebhookSender>>, Failure> {
        let development = config.keys.is_development().then(|| config.keys.signing(&config.database.key_path()));
        let development = development.transpose()?.flatten();
        Ok(config.webhooks.sender(development.as_ref())?)
    }
}

/// Runs a command on a single-threaded runtime.
pub(super) fn block_on<T>(command: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Failure::System { what: "the runtime cannot be started", source })?;
    Ok(runtime.block_on(command))
}
