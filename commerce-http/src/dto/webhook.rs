//! Events of payment processors.

use chrono::{DateTime, Utc};
use commerce_core::ids::{EventId, OperationId, PaymentId};
use commerce_core::money::Currency;
use commerce_core::payment::{OperationKind, OperationOutcome, OperationState, ReceivedEvent, ReceivedState};
use commerce_core::text::BoundedString;

use super::Figure;
use super::payment::DeclineShape;
use super::shape::shape;

shape! {
    /// An event of a payment processor.
    #[schema(as = ProcessorEvent)]
    pub(crate) struct ReceivedEventShape<'a> from received: &'a ReceivedEvent {
        id: EventId = received.id,
        #[schema(example = "stripe")]
        processor: &'a str = received.processor.as_str(),
        /// The processor's id of the event.
        event_id: &'a str = received.event.id.as_str(),
        state: ReceivedState = received.state,
        /// What kind of operation it is about.
        kind: OperationKind = received.event.kind,
        /// How the operation stands after it.
        outcome: OperationState = state(&received.event.answer.outcome),
        decline: Option<DeclineShape<'a>> = match &received.event.answer.outcome {
            OperationOutcome::Declined(decline) => Some(decline.into()),
            OperationOutcome::Succeeded { .. } | OperationOutcome::Pending { .. } => None,
        },
        amount: Figure = received.event.amount.into(),
        currency: Currency = received.event.amount.currency(),
        /// The shop's id of the payment, if the processor tells it.
        payment_id: Option<PaymentId> = received.event.payment,
        /// The shop's id of the operation. Absent if the shop did not start it, such as a dispute or a refund at the processor.
        operation_id: Option<OperationId> = received.event.operation,
        /// The processor's id of the payment.
        payment_reference: Option<&'a BoundedString<200>> = received.event.answer.payment_reference.as_ref(),
        /// The processor's id of the operation.
        reference: Option<&'a BoundedString<200>> = received.event.answer.reference.as_ref(),
        /// When it happened at the processor.
        happened_at: DateTime<Utc> = received.event.at,
        received_at: DateTime<Utc> = received.created_at,
        /// How often it was tried to find what it is about.
        tried: u32 = received.tried,
        /// When it is tried next. Absent if it was processed, or if staff have to look at it.
        ask_at: Option<DateTime<Utc>> = received.ask_at,
    }
}

const fn state(outcome: &OperationOutcome) -> OperationState {
    match outcome {
        OperationOutcome::Succeeded { .. } => OperationState::Succeeded,
        OperationOutcome::Pending { .. } => OperationState::Pending,
        OperationOutcome::Declined(_) => OperationState::Declined,
    }
}
