//! Tasks: what was left to do later, done.

use alloc::string::ToString;

use chrono::TimeDelta;

use crate::actor::Actor;
use crate::ids::{OrderId, RefundId};
use crate::order::{Command, RefundStatus};
use crate::port::{OrderRef, RefundRequest};
use crate::task::{Task, TaskChange, TaskKey};

use super::{Engine, EngineError, Resource, Target};

/// For how long a worker has a task for itself.
const LEASE: TimeDelta = TimeDelta::minutes(1);
/// After this many failures a task is given up and left for people to see.
const MAX_FAILURES: u32 = 20;
/// The longest pause between two attempts.
const MAX_PAUSE_SECONDS: u32 = 3600;

/// What a round of work came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TasksDone {
    /// Tasks that are done.
    pub finished: u32,
    /// Tasks that failed and will be tried again, or were given up.
    pub failed: u32,
}

impl Engine {
    /// Does up to `limit` tasks that are due. Any number of workers may call this at once, in any number of processes.
    ///
    /// # Errors
    /// [`EngineError::Store`] if the tasks cannot be read; the failure of a task is kept with the task.
    pub async fn run_due_tasks(&self, limit: u16) -> Result<TasksDone, EngineError> {
        let now = self.now();
        let until = now.checked_add_signed(LEASE).unwrap_or(now);
        let mut done = TasksDone::default();
        for task in self.ports.store.lease_tasks(now, until, limit).await? {
            match self.run(task.key).await {
                Ok(()) => done.finished = done.finished.saturating_add(1),
                Err(error) => {
                    done.failed = done.failed.saturating_add(1);
                    self.reschedule(&task, &error).await?;
                }
            }
        }
        Ok(done)
    }

    /// Forgets answers that are older than the shop keeps them.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn purge_idempotency_records(&self) -> Result<u64, EngineError> {
        let now = self.now();
        let before = now.checked_sub_signed(self.settings.idempotency_retention).unwrap_or(now);
        Ok(self.ports.store.purge_idempotency_records(before).await?)
    }

    async fn run(&self, key: TaskKey) -> Result<(), EngineError> {
        let (order, command) = match key {
            TaskKey::ExpireOrder { order } => (order, Some(Command::Expire)),
            TaskKey::SendRefund { order, refund } => (order, self.send_refund(order, refund).await?),
        };
        if let Some(command) = command {
            self.command(&Actor::SYSTEM, Target::any(&OrderRef::Id(order)), command, None).await?;
        }
        self.finish(key).await
    }

    /// Sends a refund to the processor; nothing is left to record where that was done already.
    async fn send_refund(&self, order: OrderId, id: RefundId) -> Result<Option<Command>, EngineError> {
        let order =
            self.ports.store.order(&OrderRef::Id(order)).await?.ok_or(EngineError::NotFound(Resource::Order))?;
        let Some(refund) = order.refund(id).filter(|refund| refund.status == RefundStatus::Requested) else {
            return Ok(None);
        };
        let refund_request = RefundRequest {
            refund: id,
            payment: order.payment.id,
            reference: order.payment.reference.clone(),
            amount: refund.amount,
        };
        let outcome = self.ports.payments.refund(&refund_request).await?;
        Ok(Some(Command::RecordRefund { id, outcome }))
    }

    /// Takes a task off the list. The events of a command do so themselves; saying it again changes nothing.
    async fn finish(&self, key: TaskKey) -> Result<(), EngineError> {
        let mut commit = self.commit_by(&Actor::SYSTEM, self.now());
        commit.tasks.push(TaskChange::Finish(key));
        self.ports.store.commit(commit).await.map_err(|error| match error {
            crate::port::CommitError::Refused(refusal) => refusal.into(),
            crate::port::CommitError::Failed(error) => error.into(),
        })
    }

    /// Each failure doubles the pause before the next attempt.
    async fn reschedule(&self, task: &Task, error: &EngineError) -> Result<(), EngineError> {
        let seconds = 2_u32.saturating_pow(task.failures.saturating_add(1)).min(MAX_PAUSE_SECONDS);
        let retry = self.now().checked_add_signed(TimeDelta::seconds(seconds.into()));
        let retry = retry.filter(|_| task.failures < MAX_FAILURES);
        self.ports.store.fail_task(task.key, retry, &error.to_string()).await?;
        Ok(())
    }
}
