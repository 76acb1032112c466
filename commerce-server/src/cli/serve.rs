//! `commerce serve`: serves the shop until a signal ends it.

mod currency;
mod open_files;
mod signals;

use std::net::SocketAddr;
#[cfg(feature = "redis")]
use std::sync::Arc;
use std::thread;

use commerce_core::engine::Engine;
use commerce_core::money::Currency;
use commerce_events::{Consumer, Relay, SharedFeed, Source};
use commerce_http::auth::Auth;
use commerce_http::dto::event::write;
use commerce_http::{Options, Service, telemetry};
use commerce_otlp::{Exporter, Queue};
#[cfg(feature = "redis")]
use commerce_redis::{CartEvents, RedisLimits};
use commerce_trace::HasExporter;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::runtime;
use uuid::Uuid;

use self::currency::Counter;
use self::signals::Signals;
use super::failure::Failure;
use super::opened::OpenStore;
use super::workers::Workers;
use super::{guide, logs, print};
use crate::config::{Config, ConfigError, CorsSection};
use crate::listener::{self, Certificates, Ended, Limits};
use crate::metrics_page;

/// The maximum number of threads. More are not faster, because requests wait for the database.
const MAX_WORKERS: usize = 8;
/// Threads for blocking calls, such as host name lookups.
const BLOCKING_THREADS: usize = 4;

pub(super) fn run(config: Config) -> Result<(), Failure> {
    config.check_listening()?;
    // Before a database is made.
    config.payments.processor(&config.outgoing)?;
    config.users.signed_tokens()?;
    config.consume.verifier()?;
    logs::start(config.log_format.unwrap_or_default(), &config.log_level.clone().unwrap_or_default());
    let workers = thread::available_parallelism().map_or(1, usize::from).min(MAX_WORKERS);
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|source| Failure::System { what: "the runtime cannot be started", source })?;
    runtime.block_on(serve(config))
}

/// Does everything that can fail before it accepts the first connection.
async fn serve(config: Config) -> Result<(), Failure> {
    // Clients of brokers need the runtime.
    config.publish.targets()?;
    config.consume.queues()?;
    config.redis.server()?;
    let signals = Signals::listen()?;
    let tls = config.outgoing.tls()?; // bad files are refused even if nothing is called
    let exporter = config.trace.exporter(tls.as_ref())?;
    let certificates = config.tls.files()?.map(Certificates::load).transpose()?;
    let listener = listen(config.listen())?;
    let metrics_listener = match config.metrics_listen {
        Some(address) => Some(listen(address)?),
        None => None,
    };
    let address = listener.local_addr().unwrap_or(config.listen());
    let limits = limits(&config);
    let opened = OpenStore::open(&config).await?;
    let mut workers = Workers::new();
    let auth = authorities(&config, &mut workers).await?;
    let metrics = telemetry::install()?;
    export(exporter, &mut workers);
    let mut options = options(&config, auth, &metrics)?;
    share_limits(&config, &mut options, &mut workers)?;
    let drain = options.drain.clone();
    let found = opened.catalog_currency().await?;
    let currency = config.currency.or(found).unwrap_or(Currency::USD);
    let engine = opened.engine(&config, currency)?;
    workers.run_tasks(engine.clone());
    workers.pull_events(engine.clone(), config.payments.pull_interval());
    publish(&config, &mut workers, &opened, (&engine, &options))?;
    for (source, queue) in config.consume.queues()? {
        workers.consume(Consumer::new(engine.clone(), source, queue, telemetry::note_incoming));
    }
    sweep_carts(&config, &mut workers, (&opened, &engine), currency)?;
    workers.count_dead_tasks(engine.clone());
    workers.return_freed_memory();
    workers.purge_idempotency_records(engine.clone());
    let counter = Counter::new(Service::new(engine.clone(), options.clone()));
    // The guide speaks the form that a shop has without a contract.
    if config.keys.is_development() && options.contract.is_none() {
        print(&guide::guide(&config, address, &engine).await?)?;
    }
    if let Some(listener) = metrics_listener {
        workers.once(metrics_page::serve(listener, metrics, counter.clone()));
    }
    if let Some(certificates) = certificates.clone() {
        workers.reload_certificates(certificates, signals::hang_ups()?);
    }
    tracing::info!(%address, database = %config.database, %currency, tls = certificates.is_some(), "serving");
    if config.currency.is_none() && found.is_none() {
        workers.once(currency::follow(opened.clone(), config, options, counter.clone()));
    }
    let shutdown = async {
        signals.ended().await;
        drain.begin();
    };
    let ended = listener::serve_over((listener, certificates), counter, &limits, shutdown).await;
    workers.stop().await;
    match ended {
        Ended::Complete => Ok(()),
        Ended::Interrupted(connections) => Err(Failure::Interrupted(connections)),
    }
}

/// Sends spans to the collector of the settings.
fn export(exporter: Option<(Exporter, Queue)>, workers: &mut Workers) {
    let Some((exporter, queue)) = exporter else { return };
    commerce_otlp::describe();
    if let Err(HasExporter) = commerce_trace::export_to(Box::new(queue)) {
        tracing::warn!("spans of this process are exported already");
    } else {
        workers.export(exporter);
    }
}

/// Publishes events to the targets of the settings, and to the endpoints of webhooks.
fn publish(
    config: &Config,
    workers: &mut Workers,
    opened: &OpenStore,
    (engine, options): (&Engine, &Options),
) -> Result<(), Failure> {
    commerce_events::telemetry::describe();
    let source = Source {
        engine: engine.clone(),
        feed: feed(config, engine)?,
        targets: opened.targets(),
        encode: write,
        event_source: options.event_source.clone(),
        holder: Uuid::new_v4(),
    };
    workers.deliver(source.clone(), config.webhooks.time_out());
    for (target, publisher) in config.publish.targets()? {
        workers.publish(Relay::new(source.clone(), target, publisher));
    }
    Ok(())
}

/// All events: those of the history, and of carts in Redis.
#[cfg(feature = "redis")]
fn feed(config: &Config, engine: &Engine) -> Result<SharedFeed, ConfigError> {
    let feed = SharedFeed::new(engine.clone(), SharedFeed::LOOK_EVERY);
    Ok(match config.redis.server_of_carts()? {
        Some(redis) => feed.with_backlog(Arc::new(CartEvents::new(redis))),
        None => feed,
    })
}

#[cfg(not(feature = "redis"))]
#[expect(clippy::unnecessary_wraps, reason = "as with Redis")]
fn feed(_: &Config, engine: &Engine) -> Result<SharedFeed, ConfigError> {
    Ok(SharedFeed::new(engine.clone(), SharedFeed::LOOK_EVERY))
}

/// Looks after carts in Redis whose time is over, if they are there.
#[cfg(feature = "redis")]
fn sweep_carts(
    config: &Config,
    workers: &mut Workers,
    (opened, engine): (&OpenStore, &Engine),
    currency: Currency,
) -> Result<(), Failure> {
    if let Some(carts) = opened.redis_carts(config, currency)? {
        workers.sweep_carts(carts, engine.clone());
    }
    Ok(())
}

#[cfg(not(feature = "redis"))]
#[expect(clippy::unnecessary_wraps, reason = "as with Redis")]
const fn sweep_carts(_: &Config, _: &mut Workers, _: (&OpenStore, &Engine), _: Currency) -> Result<(), Failure> {
    Ok(())
}

/// Counts limits per minute in Redis, if there is one.
#[cfg(feature = "redis")]
fn share_limits(config: &Config, options: &mut Options, workers: &mut Workers) -> Result<(), ConfigError> {
    let Some(redis) = config.redis.server()? else { return Ok(()) };
    commerce_redis::telemetry::describe();
    options.limiter = Arc::new(RedisLimits::new(redis.clone(), Arc::clone(&options.limiter)));
    workers.once(async move { redis.warn_of_eviction().await });
    Ok(())
}

#[cfg(not(feature = "redis"))]
#[expect(clippy::unnecessary_wraps, reason = "as with Redis")]
const fn share_limits(_: &Config, _: &mut Options, _: &mut Workers) -> Result<(), ConfigError> {
    Ok(())
}

fn limits(config: &Config) -> Limits {
    let said = config.max_connections.and_then(|connections| usize::try_from(connections.get()).ok());
    config.clients.limits(open_files::connections(said.unwrap_or(Limits::default().connections)))
}

fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    listener::bind(address).map_err(|source| Failure::Listen { address, source })
}

/// The keys that verify tokens. Fetches published keys first.
async fn authorities(config: &Config, workers: &mut Workers) -> Result<Auth, Failure> {
    let auth = config.keys.auth(&config.database.key_path())?;
    if let Some(published) = config.keys.published(config.outgoing.tls()?.as_ref())? {
        published.refresh(&auth).await?;
        workers.refresh_keys(published, auth.clone());
    }
    Ok(auth)
}

fn options(config: &Config, auth: Auth, metrics: &PrometheusHandle) -> Result<Options, ConfigError> {
    let usual = Options::new(auth);
    Ok(Options {
        orders_per_minute: config.orders_per_minute.unwrap_or(usual.orders_per_minute),
        codes_per_minute: config.codes_per_minute.unwrap_or(usual.codes_per_minute),
        bad_tokens_per_minute: config.bad_tokens_per_minute.unwrap_or(usual.bad_tokens_per_minute),
        metrics: config.metrics_listen.is_none().then(|| metrics.clone()),
        contract: config.contract()?,
        cors: config.cors.as_ref().map(CorsSection::cors).transpose()?,
        ..usual
    })
}
