//! The saga of an order: the steps that carry it out, and what undoes them.
//!
//! | step | done when | undone by |
//! |---|---|---|
//! | `reserve` | the order is placed | releasing the reservation, or putting the units back |
//! | `pay` | the money was taken | a refund, or giving back what is held |
//! | `ship` | the parcel is with the carrier | a return, which puts the units back |
//! | `notify` | the shipment is in the feed of events | nothing: a later event tells what changed |
//!
//! A saga is not stored. [`Saga::of`] derives it from what was recorded, so it cannot disagree with the order: whether a step must
//! be undone follows from its outcome. What is not known, such as a payment without an answer, is neither done nor undone until
//! the task of the payment finds out.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::event::Recorded;
use crate::ids::OrderId;
use crate::order::{Order, OrderEvent, Phase, RefundStatus, StockEffect};
use crate::payment::{Operation, OperationKind, OperationState, Payment};
use crate::task::{Task, TaskState};
use crate::text::named;

named! {
    /// A step of a saga, in the order in which they are taken.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[expect(missing_docs, reason = "see the table of the module")]
    pub enum SagaStep {
        Reserve = "reserve",
        Pay = "pay",
        Ship = "ship",
        Notify = "notify",
    }
}

named! {
    /// How a step stands.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum StepState {
        /// An earlier step comes first, or the customer has to act.
        Waiting = "waiting",
        /// It is being done, or its end is not known yet.
        Running = "running",
        /// It has happened.
        Done = "done",
        /// The last attempt failed; another may succeed.
        Failed = "failed",
        /// It was not necessary, or the order was cancelled before it.
        Skipped = "skipped",
        /// It is being undone.
        Compensating = "compensating",
        /// It was undone.
        Compensated = "compensated",
        /// It waits for a person: the processor gives no answer, or refused a refund.
        NeedsAttention = "needs_attention",
    }
}

impl StepState {
    /// Whether nothing more is to be done.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Skipped | Self::Compensated)
    }
}

named! {
    /// What undoes a step.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Compensation {
        /// Releases the reservation.
        Release = "release",
        /// Adds the units to the stock again.
        Restock = "restock",
        /// Pays the money back.
        Refund = "refund",
        /// Gives back what is held.
        Void = "void",
    }
}

named! {
    /// How a saga stands.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum SagaStatus {
        /// Steps are to be taken.
        Running = "running",
        /// All steps are done.
        Completed = "completed",
        /// Steps are being undone.
        Compensating = "compensating",
        /// The order was cancelled or returned, and everything was undone.
        Compensated = "compensated",
        /// A step, or the task of one, waits for a person.
        NeedsAttention = "needs_attention",
    }
}

/// A step of the saga of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StepReport {
    pub step: SagaStep,
    pub state: StepState,
    /// What undoes it, or undid it. `None`: there is nothing to undo.
    pub compensation: Option<Compensation>,
}

/// The saga of an order at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Saga {
    pub order: OrderId,
    pub status: SagaStatus,
    /// The step that is being done or undone. `None`: nothing more is to be done.
    pub current: Option<SagaStep>,
    pub steps: [StepReport; 4],
    /// The scheduled tasks that drive it.
    pub tasks: Vec<Task>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Saga {
    /// The saga that follows from an order with its history, its payment and their tasks, at an instant.
    pub fn of(
        order: &Order,
        history: &[Recorded<OrderEvent>],
        payment: Option<&Payment>,
        tasks: Vec<Task>,
        at: DateTime<Utc>,
    ) -> Self {
        let stock: Vec<_> = history.iter().filter_map(stock_effect).collect();
        let ship = ship(order, &stock);
        let steps = [reserve(order, &stock, at), pay(order, payment), ship, notify(ship.state)];
        let is_dead = tasks.iter().any(|task| task.state(at) == TaskState::Dead);
        Self {
            order: order.id,
            status: if is_dead { SagaStatus::NeedsAttention } else { status(order, &steps) },
            current: current(&steps),
            steps,
            tasks,
            created_at: order.created_at,
            updated_at: payment.map_or(order.updated_at, |payment| payment.updated_at.max(order.updated_at)),
        }
    }
}

fn report(step: SagaStep, state: StepState, compensation: Option<Compensation>) -> StepReport {
    StepReport { step, state, compensation: compensation.filter(|_| state != StepState::Skipped) }
}

const fn stock_effect(entry: &Recorded<OrderEvent>) -> Option<StockEffect> {
    if let OrderEvent::Transitioned { stock, .. } = &entry.event { Some(*stock) } else { None }
}

fn reserve(order: &Order, stock: &[StockEffect], at: DateTime<Utc>) -> StepReport {
    let state = if order.phase.is_undone() {
        StepState::Compensated
    } else if order.is_overdue(at) {
        StepState::Compensating
    } else {
        StepState::Done
    };
    let is_gone = stock.contains(&StockEffect::Fulfil);
    report(SagaStep::Reserve, state, Some(if is_gone { Compensation::Restock } else { Compensation::Release }))
}

fn pay(order: &Order, payment: Option<&Payment>) -> StepReport {
    let totals = payment.map(Payment::totals).unwrap_or_default();
    let taken = !order.payment.captured.is_zero();
    let held = !taken && totals.capturable() > 0;
    let compensation = match (taken, held || totals.voided > 0 || totals.voiding > 0) {
        (true, _) => Some(Compensation::Refund),
        (false, true) => Some(Compensation::Void),
        (false, false) => None,
    };
    let state = if payment.is_some_and(waits_for_staff) {
        StepState::NeedsAttention
    } else if taken {
        taken_state(order)
    } else if order.phase.is_undone() {
        untaken_end(payment, held)
    } else {
        untaken_state(order, payment, held)
    };
    report(SagaStep::Pay, state, compensation)
}

/// Whether the processor is asked no more, although the end of an operation is not known. Of a refund that was made there, the
/// processor tells by itself how it ends.
fn waits_for_staff(payment: &Payment) -> bool {
    let waits = |operation: &Operation| operation.state.is_open() && operation.ask_at.is_none();
    let is_told = |operation: &Operation| {
        operation.kind == OperationKind::Refund && operation.sent == 0 && operation.state == OperationState::Pending
    };
    payment.operations.iter().any(|operation| waits(operation) && !is_told(operation))
}

fn taken_state(order: &Order) -> StepState {
    let is_requested = order.refunds.iter().any(|refund| refund.status == RefundStatus::Requested);
    if is_requested {
        StepState::Compensating
    } else if order.payment.refunded == order.payment.captured {
        StepState::Compensated
    } else if order.phase == Phase::Cancelled {
        StepState::NeedsAttention // a refund was refused
    } else {
        StepState::Done
    }
}

/// Of an order that was undone before money was taken. An operation whose end is open may still have taken it.
fn untaken_end(payment: Option<&Payment>, held: bool) -> StepState {
    match payment {
        Some(payment) if held || payment.operations.iter().any(|operation| operation.state.is_open()) => {
            StepState::Compensating
        }
        Some(payment) if payment.totals().voided > 0 => StepState::Compensated,
        Some(_) | None => StepState::Skipped,
    }
}

fn untaken_state(order: &Order, payment: Option<&Payment>, held: bool) -> StepState {
    let mut attempts = payment.into_iter().flat_map(|payment| &payment.operations).rev();
    let last = attempts.find(|attempt| attempt.kind == OperationKind::Authorize);
    let is_declined = last.is_some_and(|attempt| attempt.state == OperationState::Declined);
    if order.payment.amount.is_zero() {
        StepState::Skipped
    } else if is_declined && !held {
        StepState::Failed
    } else if held || last.is_some() {
        StepState::Running
    } else {
        StepState::Waiting
    }
}

fn ship(order: &Order, stock: &[StockEffect]) -> StepReport {
    let state = match order.phase {
        Phase::Draft | Phase::AwaitingPayment => StepState::Waiting,
        Phase::Paid | Phase::InFulfilment => StepState::Running,
        Phase::Shipped | Phase::Delivered | Phase::Completed => StepState::Done,
        Phase::Cancelled | Phase::Returned if stock.contains(&StockEffect::Fulfil) => StepState::Compensated,
        Phase::Cancelled | Phase::Returned => StepState::Skipped,
    };
    report(SagaStep::Ship, state, Some(Compensation::Restock))
}

/// The commit that records the shipment also writes the feed.
fn notify(ship: StepState) -> StepReport {
    let is_over = ship.is_over();
    let told = if ship == StepState::Skipped { StepState::Skipped } else { StepState::Done };
    report(SagaStep::Notify, if is_over { told } else { StepState::Waiting }, None)
}

fn status(order: &Order, steps: &[StepReport]) -> SagaStatus {
    let has = |state| steps.iter().any(|step| step.state == state);
    if has(StepState::NeedsAttention) {
        SagaStatus::NeedsAttention
    } else if has(StepState::Compensating) {
        SagaStatus::Compensating
    } else if order.phase.is_undone() {
        SagaStatus::Compensated
    } else if steps.iter().all(|step| step.state.is_over()) {
        SagaStatus::Completed
    } else {
        SagaStatus::Running
    }
}

/// Steps are undone in reverse.
fn current(steps: &[StepReport]) -> Option<SagaStep> {
    let undone = steps.iter().rev().find(|step| step.state == StepState::Compensating);
    undone.or_else(|| steps.iter().find(|step| !step.state.is_over())).map(|step| step.step)
}
