//! Background work: due tasks, carts whose time is over, published events, messages of brokers, missed events of the payment
//! processor, old idempotency records, published keys, the currency of a first import.

use std::convert::Infallible;
use std::fmt::Display;
use std::hint::black_box;
use std::time::{Duration, SystemTime};

use commerce_core::engine::{Engine, EngineError, TaskOutcome, TaskRun};
use commerce_events::{Consumer, Relay, Source};
use commerce_http::auth::Auth;
use commerce_http::telemetry;
use commerce_otlp::Exporter;
#[cfg(feature = "redis")]
use commerce_redis::RedisCarts;
use commerce_trace::{Kind, Running, TraceContext};
use tokio::signal::unix::Signal;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use crate::keyring::PublishedKeys;
use crate::listener::Certificates;

/// The interval between two looks for due tasks.
const TASKS_EVERY: Duration = Duration::from_secs(1);
/// The interval between two looks at the files of certificates.
const CERTIFICATES_EVERY: Duration = Duration::from_secs(5);
/// The number of tasks in a batch.
const TASKS: u16 = 32;
/// The interval between two counts of dead tasks.
const COUNT_EVERY: Duration = Duration::from_secs(15);
/// The interval between two looks for carts whose time is over, and how many are looked at.
#[cfg(feature = "redis")]
const SWEEP: (Duration, u16) = (Duration::from_secs(5), 500);
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// The interval between two removals of old idempotency records.
const FORGET_EVERY: Duration = Duration::from_secs(3600);
/// The interval in which freed memory is returned, and an allocation that has a page of its own.
const RETURN_EVERY: Duration = Duration::from_secs(1);
const PAGE: usize = 1024 * 1024;
/// How long a worker may take to finish.
const GRACE: Duration = Duration::from_secs(5);

/// Background tasks, which run until [`Workers::stop`].
#[derive(Debug)]
pub(super) struct Workers {
    tasks: JoinSet<()>,
    stop: watch::Sender<()>,
}

impl Workers {
    pub(super) fn new() -> Self {
        Self { tasks: JoinSet::new(), stop: watch::Sender::new(()) }
    }

    /// Runs due tasks of the shop.
    pub(super) fn run_tasks(&mut self, engine: Engine) {
        let mut stopped = self.stop.subscribe();
        self.tasks.spawn(async move {
            let mut pause = TASKS_EVERY;
            loop {
                tokio::select! {
                    _ = stopped.changed() => return,
                    () = tokio::time::sleep(pause) => {}
                }
                pause = next_pause(pause, run_batch(&engine).await);
            }
        });
    }

    /// Removes carts in Redis that were ordered, and marks those that have expired.
    #[cfg(feature = "redis")]
    pub(super) fn sweep_carts(&mut self, carts: RedisCarts, engine: Engine) {
        let carts = std::sync::Arc::new(carts);
        let sweep = move || sweep(std::sync::Arc::clone(&carts), engine.clone());
        self.every(SWEEP.0, "carts whose time is over could not be looked at", sweep);
    }

    /// Reads what happened at the payment processor, at once and then regularly.
    pub(super) fn pull_events(&mut self, engine: Engine, interval: Duration) {
        self.once(async move {
            loop {
                tokio::time::sleep(pull(&engine, interval).await).await;
            }
        });
    }

    /// Publishes events to a target.
    pub(super) fn publish(&mut self, relay: Relay) {
        let mut stopped = self.stop.subscribe();
        self.tasks.spawn(relay.run(async move {
            stopped.changed().await.ok();
        }));
    }

    /// Takes the messages of a broker.
    pub(super) fn consume(&mut self, consumer: Consumer) {
        let mut stopped = self.stop.subscribe();
        self.tasks.spawn(consumer.run(async move {
            stopped.changed().await.ok();
        }));
    }

    /// Sends events to the endpoints of webhooks.
    pub(super) fn deliver(&mut self, source: Source, time_out: Duration) {
        let mut stopped = self.stop.subscribe();
        self.tasks.spawn(commerce_webhooks::deliver(source, time_out, async move {
            stopped.changed().await.ok();
        }));
    }

    /// Sends spans to a collector.
    pub(super) fn export(&mut self, exporter: Exporter) {
        let mut stopped = self.stop.subscribe();
        self.tasks.spawn(exporter.run(async move {
            stopped.changed().await.ok();
        }));
    }

    /// Counts dead tasks for the metrics.
    pub(super) fn count_dead_tasks(&mut self, engine: Engine) {
        let count = move || {
            let engine = engine.clone();
            async move { telemetry::count_dead_tasks(&engine).await }
        };
        self.every(COUNT_EVERY, "dead tasks could not be counted", count);
    }

    /// Removes old idempotency records regularly.
    pub(super) fn purge_idempotency_records(&mut self, engine: Engine) {
        self.every(FORGET_EVERY, "old idempotency records could not be removed", move || forget(engine.clone()));
    }

    /// Makes an idle server return memory to the system. The allocator does so only when it allocates or frees a page.
    pub(super) fn return_freed_memory(&mut self) {
        self.every(RETURN_EVERY, "memory could not be returned", || async {
            drop(black_box(Vec::<u8>::with_capacity(PAGE)));
            Ok::<_, Infallible>(())
        });
    }

    /// Reads the certificates again when their files change, and at every SIGHUP.
    pub(super) fn reload_certificates(&mut self, certificates: Certificates, mut hang_ups: Signal) {
        self.once(async move {
            let mut ticks = interval_at(Instant::now() + CERTIFICATES_EVERY, CERTIFICATES_EVERY);
            loop {
                tokio::select! {
                    _ = hang_ups.recv() => {}
                    _ = ticks.tick() => if !certificates.are_old() { continue },
                }
                match certificates.reload() {
                    Ok(()) => tracing::info!("the certificates were read again"),
                    Err(error) => tracing::warn!(%error, "the new certificates cannot be used; the previous ones stay"),
                }
            }
        });
    }

    /// Fetches published keys regularly, and when a token names one that is not known.
    pub(super) fn refresh_keys(&mut self, published: PublishedKeys, auth: Auth) {
        self.once(async move {
            let mut ticks = interval_at(Instant::now() + published.every, published.every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = auth.newer_keys_wanted() => {}
                }
                if let Err(error) = published.refresh(&auth).await {
                    tracing::warn!(%error, "keys could not be fetched; the previous ones stay");
                }
                auth.keys_fetched();
            }
        });
    }

    /// Repeats an operation until the end, and logs its failures.
    fn every<F, E>(&mut self, period: Duration, failure: &'static str, mut work: impl FnMut() -> F + Send + 'static)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + Send,
    {
        let mut stopped = self.stop.subscribe();
        self.tasks.spawn(async move {
            let mut ticks = interval_at(Instant::now() + period, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = stopped.changed() => return,
                    _ = ticks.tick() => {}
                }
                if let Err(error) = work().await {
                    tracing::warn!(%error, "{failure}");
                }
            }
        });
    }

    /// Runs an operation in the background until it or the server ends.
    pub(super) fn once(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        let mut stopped = self.stop.subscribe();
        self.tasks.spawn(async move {
            tokio::select! {
                _ = stopped.changed() => {}
                () = work => {}
            }
        });
    }

    /// Starts nothing new, and waits a limited time for running work.
    pub(super) async fn stop(mut self) {
        self.stop.send_replace(());
        let finished = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(GRACE, finished).await.is_err() {
            tracing::warn!("background work was aborted; its tasks will run after the next start");
        }
    }
}

async fn run_batch(engine: &Engine) -> Result<usize, EngineError> {
    let round = TraceContext::first();
    let measured = Running::begin(round, Kind::Internal);
    let runs = Box::pin(commerce_trace::within(round, engine.run_due_tasks(TASKS))).await?;
    if let Some(measured) = measured.filter(|_| !runs.is_empty()) {
        for run in &runs {
            export(round, run);
        }
        measured.end("tasks".to_owned(), Vec::new(), false);
    }
    telemetry::note_task_runs(&runs, TASKS);
    telemetry::note_processor(engine);
    let failed = runs.iter().filter(|run| run.outcome != TaskOutcome::Finished).count();
    if failed > 0 {
        tracing::warn!(failed, "tasks failed and will be retried, or are dead");
    }
    Ok(runs.len())
}

#[cfg(feature = "redis")]
async fn sweep(carts: std::sync::Arc<RedisCarts>, engine: Engine) -> Result<(), EngineError> {
    let mut outcome = Ok(());
    for cart in carts.sweep(SWEEP.1).await? {
        outcome = outcome.and(engine.expire_cart(cart).await);
    }
    outcome
}

/// Ends the span of a task.
fn export(round: TraceContext, run: &TaskRun) {
    let Some(measured) = Running::begin(round.child(), Kind::Internal) else { return };
    let (kind, outcome) = (run.kind.as_str(), run.outcome.name());
    let attributes = vec![("commerce.task.kind", kind.into()), ("commerce.task.outcome", outcome.into())];
    let time = (SystemTime::from(run.started), run.took.to_std().unwrap_or_default());
    measured.end_as(format!("task {kind}"), time, attributes, run.outcome != TaskOutcome::Finished);
}

/// Reads events of the processor. Returns the pause before the next reading.
async fn pull(engine: &Engine, interval: Duration) -> Duration {
    let pulled = engine.pull_events().await;
    telemetry::note_pull(&pulled);
    match pulled {
        Ok(0) => interval,
        Ok(events) => {
            tracing::info!(events, "the payment processor listed events that no webhook told");
            interval
        }
        Err(error) => {
            tracing::warn!(%error, "the events of the payment processor could not be read");
            interval.min(MAX_PAUSE)
        }
    }
}

/// No pause if there may be more due tasks, and a longer one after each failure.
fn next_pause(last: Duration, outcome: Result<usize, EngineError>) -> Duration {
    match outcome {
        Ok(done) if done >= usize::from(TASKS) => Duration::ZERO,
        Ok(_) => TASKS_EVERY,
        Err(error) => {
            tracing::warn!(%error, "due tasks could not be read");
            last.max(TASKS_EVERY).saturating_mul(2).min(MAX_PAUSE)
        }
    }
}

/// Removes old records in batches, so that other work is not blocked.
async fn forget(engine: Engine) -> Result<(), EngineError> {
    while engine.purge_idempotency_records().await? > 0 {
        tokio::task::yield_now().await;
    }
    Ok(())
}
