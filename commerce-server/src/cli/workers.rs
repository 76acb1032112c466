//! What the server does beside answering: due tasks, old answers, new keys, the currency of a first import.

use std::time::Duration;

use commerce_core::engine::{Engine, EngineError};
use commerce_http::auth::Auth;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use crate::keyring::PublishedKeys;

/// How often due tasks are looked for.
const TASKS_EVERY: Duration = Duration::from_secs(1);
/// How many of them are taken at once.
const TASKS: u16 = 32;
/// The longest pause after failures.
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// How often old answers are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3600);
/// How long a worker may take to finish what it is at.
const GRACE: Duration = Duration::from_secs(5);

/// Work in the background. It ends by [`Workers::stop`].
#[derive(Debug)]
pub(super) struct Workers {
    tasks: JoinSet<()>,
    stop: watch::Sender<()>,
}

impl Workers {
    /// Nothing to do yet.
    pub(super) fn new() -> Self {
        Self { tasks: JoinSet::new(), stop: watch::Sender::new(()) }
    }

    /// Does due tasks from now on.
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

    /// Forgets old answers now and then.
    pub(super) fn purge_idempotency_records(&mut self, engine: Engine) {
        self.every(FORGET_EVERY, move || {
            let engine = engine.clone();
            async move {
                if let Err(error) = forget(&engine).await {
                    tracing::warn!(%error, "old answers could not be forgotten");
                }
            }
        });
    }

    /// Fetches published keys now and then.
    pub(super) fn refresh_keys(&mut self, published: PublishedKeys, auth: Auth) {
        let published = std::sync::Arc::new(published);
        self.every(published.every(), move || {
            let (published, auth) = (std::sync::Arc::clone(&published), auth.clone());
            async move {
                if let Err(error) = published.refresh(&auth).await {
                    tracing::warn!(%error, "keys could not be fetched, the former ones stay");
                }
            }
        });
    }

    /// Does something again and again until the end.
    pub(super) fn every<F, W>(&mut self, period: Duration, mut work: W)
    where
        W: FnMut() -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
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
                work().await;
            }
        });
    }

    /// Does something besides, until it is done or the end.
    pub(super) fn once(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        let mut stopped = self.stop.subscribe();
        self.tasks.spawn(async move {
            tokio::select! {
                _ = stopped.changed() => {}
                () = work => {}
            }
        });
    }

    /// Ends the work: nothing new is begun, what is begun is finished within a time.
    pub(super) async fn stop(mut self) {
        self.stop.send_replace(());
        let finished = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(GRACE, finished).await.is_err() {
            tracing::warn!("work in the background was cut off; its tasks will be done after the next start");
        }
    }
}

async fn run_batch(engine: &Engine) -> Result<u32, EngineError> {
    let done = engine.run_due_tasks(TASKS).await?;
    if done.failed > 0 {
        tracing::warn!(failed = done.failed, "tasks failed and will be tried again");
    }
    Ok(done.finished.saturating_add(done.failed))
}

/// No pause while there is more to do, a longer one with every failure.
fn next_pause(last: Duration, outcome: Result<u32, EngineError>) -> Duration {
    match outcome {
        Ok(done) if done >= u32::from(TASKS) => Duration::ZERO,
        Ok(_) => TASKS_EVERY,
        Err(error) => {
            tracing::warn!(%error, "due tasks could not be read");
            last.max(TASKS_EVERY).saturating_mul(2).min(MAX_PAUSE)
        }
    }
}

/// Forgets until nothing old is left; other work has its turn in between.
async fn forget(engine: &Engine) -> Result<(), EngineError> {
    while engine.purge_idempotency_records().await? > 0 {
        tokio::task::yield_now().await;
    }
    Ok(())
}
