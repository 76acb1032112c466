//! What the server does beside answering: due tasks, old answers, new keys, the currency of a first import.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use commerce_core::engine::{Engine, EngineError, TaskOutcome};
use commerce_http::auth::Auth;
use commerce_http::telemetry;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use crate::keyring::PublishedKeys;

/// How often due tasks are looked for.
const TASKS_EVERY: Duration = Duration::from_secs(1);
/// How many of them are taken at once.
const TASKS: u16 = 32;
/// How often those that were given up are counted.
const COUNT_EVERY: Duration = Duration::from_secs(15);
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

    /// Counts the tasks that were given up, for the metrics.
    pub(super) fn count_dead_tasks(&mut self, engine: Engine) {
        let count = move || {
            let engine = engine.clone();
            async move { telemetry::count_dead_tasks(&engine).await }
        };
        self.every(COUNT_EVERY, "the tasks that were given up could not be counted", count);
    }

    /// Forgets old answers now and then.
    pub(super) fn purge_idempotency_records(&mut self, engine: Engine) {
        self.every(FORGET_EVERY, "old answers could not be forgotten", move || forget(engine.clone()));
    }

    /// Fetches published keys now and then.
    pub(super) fn refresh_keys(&mut self, published: PublishedKeys, auth: Auth) {
        let published = Arc::new(published);
        self.every(published.every, "keys could not be fetched, the former ones stay", move || {
            let (published, auth) = (Arc::clone(&published), auth.clone());
            async move { published.refresh(&auth).await }
        });
    }

    /// Does something again and again until the end, and logs when it fails.
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

async fn run_batch(engine: &Engine) -> Result<usize, EngineError> {
    let runs = engine.run_due_tasks(TASKS).await?;
    telemetry::note_task_runs(&runs, TASKS);
    let failed = runs.iter().filter(|run| run.outcome != TaskOutcome::Finished).count();
    if failed > 0 {
        tracing::warn!(failed, "tasks failed and will be tried again or were given up");
    }
    Ok(runs.len())
}

/// No pause while there is more to do, a longer one with every failure.
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

/// Forgets until nothing old is left; other work has its turn in between.
async fn forget(engine: Engine) -> Result<(), EngineError> {
    while engine.purge_idempotency_records().await? > 0 {
        tokio::task::yield_now().await;
    }
    Ok(())
}
