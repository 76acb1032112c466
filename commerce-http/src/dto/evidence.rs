//! Evidence about disputes.

use chrono::{DateTime, Utc};
use commerce_core::engine::PaymentEvidence;
use commerce_core::event::Recorded;
use commerce_core::order::OrderEvent;
use commerce_core::payment::{Operation, OperationKind};

use super::order::{ActorShape, OrderShape};
use super::payment::{OperationShape, PaymentShape};
use super::shape::shape;

shape! {
    /// What the shop knows of a payment and its order.
    #[schema(as = Evidence)]
    pub(crate) struct EvidenceShape<'a> from evidence: &'a PaymentEvidence {
        payment: PaymentShape<'a> = (&evidence.view).into(),
        disputes: Vec<DisputeShape<'a>> = disputes(evidence).map(DisputeShape::from).collect(),
        /// With its items, its address and its shipment.
        order: OrderShape<'a> = (&evidence.view.order).into(),
        /// What happened to the order, oldest first.
        timeline: Vec<TimelineEntryShape<'a>> = evidence.history.iter().map(TimelineEntryShape::from).collect(),
    }
}

shape! {
    /// A dispute: pending while it is open, succeeded when it is lost, declined when it is won.
    #[schema(as = Dispute)]
    pub(crate) struct DisputeShape<'a> from dispute: &'a Operation {
        #[serde(flatten)]
        operation: OperationShape<'a> = dispute.into(),
        /// Why the customer disputed the payment, in the words of the processor.
        #[schema(example = "fraudulent")]
        reason: Option<&'a str> = dispute.details.value()["reason"].as_str(),
        /// Until when the processor needs evidence. Absent if it needs none.
        evidence_due_by: Option<DateTime<Utc>> = dispute.evidence_due(),
    }
}

shape! {
    /// An event of an order, and who caused it.
    #[schema(as = TimelineEntry)]
    pub(crate) struct TimelineEntryShape<'a> from entry: &'a Recorded<OrderEvent> {
        timestamp: DateTime<Utc> = entry.at,
        #[schema(example = "order.shipped")]
        event_type: &'static str = entry.event.event_type(),
        actor: ActorShape<'a> = (&entry.actor).into(),
    }
}

fn disputes(evidence: &PaymentEvidence) -> impl Iterator<Item = &Operation> {
    let operations = evidence.view.payment.iter().flat_map(|payment| &payment.operations);
    operations.filter(|operation| operation.kind == OperationKind::Dispute)
}
