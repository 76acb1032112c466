//! The `OpenAPI` schemas of the core's values. `build.rs` makes the derives use them by the names of the core's types, with `Schema` after them.

use std::borrow::Cow;

use super::promotion::{EffectDto, PromotionDto};
use commerce_core::actor::Role;
use commerce_core::cart::CartStatus;
use commerce_core::ids::MAX_TEXT_ID;
use commerce_core::inbox::{DeadLetterReason, InboxState, Receipt};
use commerce_core::money::Rounding;
use commerce_core::order::{PaymentStatus, Phase, RefundStatus, ReturnStatus, ShipmentStatus};
use commerce_core::payment::{
    DeclineClass, DeclineCode, OperationKind, OperationState, PaymentMethod, ReceivedState, SavedMethodState,
};
use commerce_core::pricing::{CodeMatching, CodeRejection, NoEffect, Selection, TaxLevel};
use commerce_core::promotion::{Limit, MAX_CODE};
use commerce_core::saga::{Compensation, SagaStatus, SagaStep, StepState};
use commerce_core::task::TaskState;
use commerce_core::text::MAX_LINE;
use commerce_core::webhook::{DeliveryFailure, DisabledReason};
use serde::Serialize;
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{Object, ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// No control characters, no space at the ends, and not `.` or `..`.
const PRINTABLE: &str = r"^(?!\.\.?$)[^\s\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]([^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*[^\s\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069])?$";
/// Not only space, and no line breaks or control characters.
const LINE: &str = r"^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*[^\s\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069][^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*$";
/// Not only space, and no control characters but line breaks and tabs.
const TEXT: &str = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$";

macro_rules! schemas {
    ($($name:ident $description:literal $schema:expr;)*) => {$(
        #[derive(Debug)]
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.description(Some($description)).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).trim_end_matches("Schema").into()
            }
        }
    )*};
}

schemas! {
    AmountNumber "An amount in major units: a string, or a number of at most 15 digits." decimal();
    CartStatusSchema "The state of a cart." words(&[CartStatus::Active, CartStatus::CheckedOut, CartStatus::Expired]);
    CategoryIdSchema "Identifies a category of products." id();
    CodeSchema "A promotion code." text(MAX_CODE);
    CodeMatchingSchema "How codes are compared." words(&[CodeMatching::Exact, CodeMatching::IgnoreCase]);
    CodeRejectionSchema "Why a code is refused." words(&[
        CodeRejection::UnknownCode, CodeRejection::Expired, CodeRejection::NotStarted, CodeRejection::UsageLimit,
        CodeRejection::MinSpend, CodeRejection::NotEligible,
    ]);
    CompensationSchema "What undoes a step of a saga." names(Compensation::ALL.iter().map(|undone| undone.name()));
    CurrencySchema "An ISO 4217 code." string().pattern(Some("^[A-Z]{3}$")).examples(["USD"]);
    DeadLetterReasonSchema "Why an event of another system could not take effect." words(DeadLetterReason::ALL);
    DeclineClassSchema "What to do after a decline." names(DeclineClass::ALL.iter().map(|class| class.name()));
    DeclineCodeSchema "Why an operation was declined, in the same words for all processors." words(DeclineCode::ALL);
    DeliveryFailureSchema "Why a webhook got no answer." names(DeliveryFailure::ALL.iter().map(|failure| failure.name()));
    DisabledReasonSchema "Why an endpoint gets nothing." names(DisabledReason::ALL.iter().map(|reason| reason.name()));
    DecimalNumber "A decimal number: a string, or a number of at most 15 digits." decimal();
    InboxStateSchema "What became of an event of another system: `settled`, `waiting` to be tried again, `dead`, or `discarded` by staff." words(InboxState::ALL);
    LimitSchema "The limit of a promotion that is reached." words(&[
        Limit::Uses, Limit::UsesPerCustomer, Limit::Budget,
    ]);
    LineIdSchema "The id of a line of the request." id();
    NameSchema "A name." text(255);
    NoEffectSchema "Why a promotion that applies has no effect." words(&[
        NoEffect::NothingMatches, NoEffect::NothingLeft, NoEffect::TooFewUnits, NoEffect::NothingToTakeOff,
    ]);
    OperationKindSchema "What an operation does with money." words(OperationKind::ALL);
    OperationStateSchema "How an operation stands; `unknown` is not known until the processor tells." words(OperationState::ALL);
    OrderNumberSchema "The number of an order for people." string().examples(["ORD-20260216-7K3F"]);
    PaymentMethodSchema "What a customer pays with." words(PaymentMethod::ALL);
    PaymentStatusSchema "The state of a payment." words(&[
        PaymentStatus::Pending, PaymentStatus::Authorized, PaymentStatus::Succeeded, PaymentStatus::PartiallyCaptured,
        PaymentStatus::CaptureFailed, PaymentStatus::Voided, PaymentStatus::Failed, PaymentStatus::PartiallyRefunded,
        PaymentStatus::Refunded,
    ]);
    PhaseSchema "The meaning of the state of an order." words(Phase::ALL);
    ProductIdSchema "Identifies a product." id();
    PromotionIdSchema "Identifies a promotion." id();
    ReasonSchema "A reason, for people." text(500);
    ReceiptSchema "What became of a message: `applied`, it took effect; `outdated`, it is older than what is known; `duplicate`, it was received before; `ignored`, its type is not taken; `waiting`, it is tried again later; `dead_lettered`, staff have to look at it." words(Receipt::ALL);
    ReceivedStateSchema "What became of an event of a payment processor: `received`, `processed`, or `unmatched` if it is about nothing that the shop knows." words(ReceivedState::ALL);
    RefundStatusSchema "The state of a refund." words(&[RefundStatus::Requested, RefundStatus::Processed, RefundStatus::Failed]);
    ReturnStatusSchema "The state of a return." words(&[
        ReturnStatus::Requested, ReturnStatus::Approved, ReturnStatus::Rejected, ReturnStatus::Received,
    ]);
    RoleSchema "The role of a user; `system` is the shop itself." words(Role::ALL);
    RoundingSchema "How amounts are rounded." words(&[Rounding::HalfAwayFromZero, Rounding::HalfEven, Rounding::Down]);
    SavedMethodStateSchema "The state of a saved means of payment." words(&[SavedMethodState::Pending, SavedMethodState::Active]);
    SagaStatusSchema "How a saga stands." names(SagaStatus::ALL.iter().map(|status| status.name()));
    SagaStepSchema "A step of a saga." names(SagaStep::ALL.iter().map(|step| step.name()));
    SelectionSchema "How promotions are selected." words(&[Selection::Priority, Selection::Best]);
    ShipmentStatusSchema "The state of a shipment." words(&[ShipmentStatus::Pending, ShipmentStatus::Shipped, ShipmentStatus::Delivered]);
    SkuSchema "Identifies a variant of a product, in stock, prices and orders." id();
    StatusSchema "The name of a state of orders, chosen by the shop." id().examples(["pending"]);
    StepStateSchema "How a step of a saga stands." names(StepState::ALL.iter().map(|state| state.name()));
    TaskStateSchema "The state of a task; `dead` is after too many failures." names(TaskState::ALL.iter().map(|state| state.name()));
    TaxLevelSchema "Where taxes are rounded." words(&[TaxLevel::Line, TaxLevel::Order]);
    UserIdSchema "Identifies a user: the `sub` of their tokens." id();
}

/// A JSON merge patch of a promotion and its effect.
#[derive(Debug)]
pub(crate) struct PromotionPatch;

impl PartialSchema for PromotionPatch {
    fn schema() -> RefOr<Schema> {
        let mut patch = optional::<PromotionDto>();
        patch.description = Some("A JSON merge patch of a promotion.".to_owned());
        patch.properties.insert("effect".to_owned(), optional::<EffectDto>().into());
        patch.into()
    }
}

impl ToSchema for PromotionPatch {}

/// The schema of an object without required members.
fn optional<T: PartialSchema>() -> Object {
    let RefOr::T(Schema::Object(mut object)) = T::schema() else { return Object::new() };
    object.required.clear();
    object
}

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn id() -> ObjectBuilder {
    string().min_length(Some(1)).max_length(Some(MAX_TEXT_ID)).pattern(Some(PRINTABLE))
}

fn text(limit: usize) -> ObjectBuilder {
    string().min_length(Some(1)).max_length(Some(limit)).pattern(Some(characters(limit)))
}

/// The characters of a text of limited length.
pub(crate) const fn characters(limit: usize) -> &'static str {
    if limit <= MAX_LINE { LINE } else { TEXT }
}

/// One of the values, as they are written.
fn words<T: Serialize>(values: &[T]) -> ObjectBuilder {
    names(values.iter().map(|value| serde_json::to_value(value).unwrap_or_default()))
}

fn names(names: impl IntoIterator<Item = impl Into<serde_json::Value>>) -> ObjectBuilder {
    string().enum_values(Some(names))
}

fn decimal() -> ObjectBuilder {
    let types = SchemaType::Array(vec![Type::String, Type::Number]);
    let builder = ObjectBuilder::new().schema_type(types).max_length(Some(40));
    builder.pattern(Some(r"^-?([0-9]+(\.[0-9]+)?|\.[0-9]+)$")).examples(["9.99"])
}
