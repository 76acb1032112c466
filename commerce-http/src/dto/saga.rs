//! Sagas.

use chrono::{DateTime, Utc};
use commerce_core::engine::SagaView;
use commerce_core::ids::{OrderId, OrderNumber, PaymentId};
use commerce_core::money::Currency;
use commerce_core::order::{Order, PaymentStatus, Status};
use commerce_core::saga::StepReport;
use commerce_core::text::BoundedString;

use super::Figure;
use super::shape::shape;
use super::task::TaskShape;

shape! {
    /// How far an order is carried out, and what is being undone.
    #[schema(as = Saga)]
    pub(crate) struct SagaShape<'a> from (view, now): (&'a SagaView, DateTime<Utc>) {
        /// An order has one saga, under its own id.
        id: OrderId = view.order.id,
        #[serde(rename = "type")]
        #[schema(example = "order")]
        kind: &'static str = "order",
        /// The order.
        correlation_id: OrderId = view.saga.order,
        #[schema(value_type = SagaStatus)]
        status: &'static str = view.saga.status.name(),
        /// Absent when nothing more is to be done.
        #[schema(value_type = Option<SagaStep>)]
        current_step: Option<&'static str> = view.saga.current.map(commerce_core::saga::SagaStep::name),
        /// In the order in which they are taken. They are undone in reverse.
        steps: Vec<SagaStepShape> = view.saga.steps.iter().map(SagaStepShape::from).collect(),
        data: SagaDataShape<'a> = (&view.order).into(),
        /// The scheduled tasks that drive it.
        tasks: Vec<TaskShape<'a>> = view.saga.tasks.iter().map(|task| (task, now).into()).collect(),
        created_at: DateTime<Utc> = view.saga.created_at,
        updated_at: DateTime<Utc> = view.saga.updated_at,
    }
}

shape! {
    /// A step of a saga.
    #[schema(as = SagaStepReport)]
    pub(crate) struct SagaStepShape from report: &StepReport {
        #[schema(value_type = SagaStep)]
        step: &'static str = report.step.name(),
        #[schema(value_type = StepState)]
        state: &'static str = report.state.name(),
        /// What undoes the step, or undid it. Absent if there is nothing to undo.
        #[schema(value_type = Option<Compensation>)]
        compensation: Option<&'static str> = report.compensation.map(commerce_core::saga::Compensation::name),
    }
}

shape! {
    /// What a saga is about.
    #[schema(as = SagaData)]
    pub(crate) struct SagaDataShape<'a> from order: &'a Order {
        order_number: &'a OrderNumber = &order.number,
        order_status: &'a Status = &order.status,
        /// When the reservation of an order that is not paid ends.
        reserved_until: Option<DateTime<Utc>> = order.phase.is_unpaid().then(|| order.reservation_end()),
        payment_id: PaymentId = order.payment.id,
        payment_status: PaymentStatus = order.payment.status,
        currency: Currency = order.currency(),
        amount: Figure = order.payment.amount.into(),
        captured: Figure = order.payment.captured.into(),
        refunded: Figure = order.payment.refunded.into(),
        tracking_number: Option<&'a BoundedString<100>> =
            order.shipment.as_ref().and_then(|shipment| shipment.tracking_number.as_ref()),
    }
}
