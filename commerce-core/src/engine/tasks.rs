//! Use cases of tasks, and running them.

use alloc::string::ToString;
use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};

use crate::actor::Actor;
use crate::event::Recorded;
use crate::ids::EventId;
use crate::order::Command;
use crate::permission::Permission;
use crate::port::{OrderRef, Page, PageRequest};
use crate::stock::StockRefusal;
use crate::task::{Task, TaskEvent, TaskKey, TaskKind, TaskState};
use crate::text::named;

use super::{Engine, EngineError, Resource, Result, Target};

/// The duration of a lease.
const LEASE: TimeDelta = TimeDelta::minutes(1);
/// How long before its end a reservation is extended.
const AHEAD: TimeDelta = TimeDelta::seconds(5);
/// The number of retries of a task before it is dead.
const MAX_FAILURES: u32 = 20;
/// The longest pause between two attempts.
const MAX_PAUSE_SECONDS: u32 = 3600;

/// An attempt at a task.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct TaskRun {
    pub kind: TaskKind,
    pub started: DateTime<Utc>,
    /// How long the task had been due.
    pub overdue: TimeDelta,
    /// How long the attempt took.
    pub took: TimeDelta,
    pub outcome: TaskOutcome,
}

named! {
    /// The outcome of an attempt at a task.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[expect(missing_docs, reason = "the names say it")]
    pub enum TaskOutcome {
        Finished = "finished",
        /// It failed and will be tried again.
        Failed = "failed",
        /// It failed too often and is dead.
        GivenUp = "given_up",
    }
}

impl Engine {
    /// Runs up to `limit` due tasks, oldest first. Any number of workers and processes may call this concurrently.
    ///
    /// # Errors
    /// [`EngineError::Store`] if the tasks cannot be read. The failure of a task is stored with the task.
    pub async fn run_due_tasks(&self, limit: u16) -> Result<Vec<TaskRun>> {
        let now = self.now();
        let until = now.checked_add_signed(LEASE).unwrap_or(now);
        let mut runs = Vec::new();
        for task in self.ports.store.lease_tasks(self.horizon(now), until, limit).await? {
            if task.due > now {
                self.run_early(&task).await?;
                continue;
            }
            let started = self.now();
            let outcome = match self.run(&task).await {
                Ok(()) => TaskOutcome::Finished,
                Err(error) => self.reschedule(&task, &error).await?,
            };
            let (overdue, took) = (now.signed_duration_since(task.due), self.now().signed_duration_since(started));
            runs.push(TaskRun { started, overdue, took, kind: task.key.kind, outcome });
        }
        Ok(runs)
    }

    /// A task.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] also if it was done or deleted, [`EngineError::Forbidden`].
    pub async fn task(&self, caller: &Actor, key: &TaskKey) -> Result<Task> {
        caller.require(Permission::ManageTasks)?;
        self.ports.store.task(key).await?.ok_or(EngineError::NotFound(Resource::Task))
    }

    /// The tasks by kind and subject; with a state only those that are in it now.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::Store`].
    pub async fn tasks(
        &self,
        caller: &Actor,
        state: Option<TaskState>,
        page: &PageRequest<TaskKey>,
    ) -> Result<Page<Task, TaskKey>> {
        caller.require(Permission::ManageTasks)?;
        Ok(self.ports.store.tasks(state, self.now(), page).await?)
    }

    /// Makes a task due now and resets its failures.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::TaskRunning`], [`EngineError::Forbidden`].
    pub async fn retry_task(&self, caller: &Actor, key: &TaskKey) -> Result<Task> {
        let retried = self.change_task(caller, key, TaskEvent::Retried).await?;
        retried.ok_or(EngineError::NotFound(Resource::Task))
    }

    /// Deletes a task without running it.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::TaskRunning`], [`EngineError::Forbidden`].
    pub async fn drop_task(&self, caller: &Actor, key: &TaskKey) -> Result<()> {
        self.change_task(caller, key, TaskEvent::Dropped).await.map(drop)
    }

    /// Records an event of a task that is not running. A task that changed since it was read was leased by a worker.
    async fn change_task(&self, caller: &Actor, key: &TaskKey, event: TaskEvent) -> Result<Option<Task>> {
        let task = self.task(caller, key).await?;
        let entry = self.task_event(caller, event);
        let after = entry.evolve(&task);
        let is_running = task.state(entry.at) == TaskState::Running;
        if is_running || !self.ports.store.replace_task(&task, after.as_ref(), Some(&entry)).await? {
            return Err(EngineError::TaskRunning(task.key));
        }
        Ok(after)
    }

    /// An event of a task. The store numbers it.
    fn task_event(&self, actor: &Actor, event: TaskEvent) -> Recorded<TaskEvent> {
        let id = EventId::new(self.ports.ids.next());
        Recorded { id, sequence: 0, at: self.now(), actor: actor.clone(), trace: self.trace(), event }
    }

    /// Deletes idempotency records older than the retention.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn purge_idempotency_records(&self) -> Result<u64> {
        let now = self.now();
        let before = now.checked_sub_signed(self.settings.idempotency_retention).unwrap_or(now);
        Ok(self.ports.store.purge_idempotency_records(before).await?)
    }

    async fn run(&self, task: &Task) -> Result<()> {
        let unknown = || EngineError::UnknownTask(task.key.clone());
        if task.key.kind == TaskKind::SETTLE_PAYMENT {
            // The payment moves its task, or finishes it.
            return self.settle_payment(task.key.subject.parse().map_err(|_| unknown())?).await;
        }
        if task.key.kind == TaskKind::TAKE_EVENT {
            return self.take_event(task.key.subject.parse().map_err(|_| unknown())?).await;
        }
        if task.key.kind == TaskKind::TAKE_INBOX_EVENT {
            return self.take_inbox_event(task.key.subject.parse().map_err(|_| unknown())?).await;
        }
        if task.key.kind == TaskKind::ANSWER_DISPUTE {
            return self.ask_for_evidence(task.key.subject.parse().map_err(|_| unknown())?).await;
        }
        if task.key.kind == TaskKind::SETTLE_SETUP {
            return self.settle_setup(task.key.subject.parse().map_err(|_| unknown())?).await;
        }
        if task.key.kind != TaskKind::EXPIRE_ORDER {
            return Err(unknown());
        }
        let order = OrderRef::Id(task.key.subject.parse().map_err(|_| unknown())?);
        if self.extend_reservation(&order).await? {
            return Ok(());
        }
        self.command(&Actor::SYSTEM, Target::any(&order), Command::Expire, None).await?;
        // The events of the command finish the task. Without events, there was nothing to do.
        let dropped = self.task_event(&Actor::SYSTEM, TaskEvent::Dropped);
        self.ports.store.replace_task(task, None, Some(&dropped)).await?;
        Ok(())
    }

    /// Until when tasks count as due. While the processor cannot be reached, reservations are extended shortly before they end.
    fn horizon(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let horizon = self.processor_outage().and_then(|_| now.checked_add_signed(AHEAD));
        horizon.unwrap_or(now)
    }

    /// Extends a reservation before it ends. Any other task is given back.
    async fn run_early(&self, task: &Task) -> Result<()> {
        let order = task.key.subject.parse().ok().filter(|_| task.key.kind == TaskKind::EXPIRE_ORDER);
        if let Some(order) = order
            && self.extend_reservation(&OrderRef::Id(order)).await?
        {
            return Ok(());
        }
        let waiting = Task { ready_at: Some(task.due), ..task.clone() };
        self.ports.store.replace_task(task, Some(&waiting), None).await?;
        Ok(())
    }

    /// Extends the reservation of an unpaid order if the processor cannot be reached. Returns whether it did.
    async fn extend_reservation(&self, order_ref: &OrderRef) -> Result<bool> {
        let order = self.order(&Actor::SYSTEM, order_ref).await?;
        let Some(until) = order.extension(self.settings.outage_grace, self.now()) else { return Ok(false) };
        let payment = self.stored_payment(order.payment.id).await?;
        if !self.is_processor_away(payment.and_then(|payment| payment.unanswered())) {
            return Ok(false);
        }
        match self.command_read(&order, Command::ExtendReservation { until }).await {
            Ok(after) => Ok(after.reservation_end() == until),
            Err(EngineError::Stock(StockRefusal::OutOfStock { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Each failure doubles the pause before the next attempt.
    async fn reschedule(&self, task: &Task, error: &EngineError) -> Result<TaskOutcome> {
        let seconds = 2_u32.saturating_pow(task.failures.saturating_add(1)).min(MAX_PAUSE_SECONDS);
        let retry = self.now().checked_add_signed(TimeDelta::seconds(seconds.into()));
        let waits_for_staff = matches!(error, EngineError::EvidenceDue { .. });
        let retry = retry.filter(|_| task.failures < MAX_FAILURES && !waits_for_staff);
        // A worker that lost the lease changes nothing: another worker has the task.
        let failed = task.failed(retry, &error.to_string());
        let given_up = retry.is_none().then(|| self.task_event(&Actor::SYSTEM, TaskEvent::GivenUp));
        self.ports.store.replace_task(task, Some(&failed), given_up.as_ref()).await?;
        Ok(if retry.is_some() { TaskOutcome::Failed } else { TaskOutcome::GivenUp })
    }
}
