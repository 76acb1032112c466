//! The data of events, by type.

use alloc::format;
use alloc::string::String;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::message::{data, malformed};
use super::{IncomingId, IncomingType, Reason};
use crate::ids::{Sku, UserId};
use crate::payment::{OperationAnswer, OperationResult, ResultStatus};
use crate::port::ProcessorEvent;
use crate::stock::MAX_ON_HAND;
use crate::text::BoundedString;

/// The data of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// How an operation of a payment stands.
    Payment(ProcessorEvent),
    /// The user who was deactivated.
    UserDeactivated(UserId),
    /// Units on hand.
    StockLevel(LevelChange),
    /// A change of the units on hand.
    StockDelta(StockDelta),
}

/// The units on hand of a SKU, as another system counts them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LevelChange {
    pub sku: Sku,
    pub on_hand: i64,
    /// Rises with every level of the SKU. Without one in the data, it is the sequence of the event.
    pub version: u64,
}

/// A change of the units on hand of a SKU.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StockDelta {
    pub sku: Sku,
    pub delta: i64,
    /// The change takes effect once, in however many events it is.
    pub key: BoundedString<120>,
    pub reason: BoundedString<200>,
}

#[derive(Deserialize)]
struct UserData {
    user_id: String,
}

#[derive(Deserialize)]
struct LevelData {
    sku: String,
    on_hand: i64,
    #[serde(default)]
    version: Option<u64>,
}

#[derive(Deserialize)]
struct DeltaData {
    sku: String,
    delta: i64,
    key: String,
    #[serde(default)]
    reason: Option<String>,
}

/// The reason of a change that tells none.
const UNTOLD: &str = "stock.delta";

impl Payload {
    /// Reads the data of an event of a type, with the id, the time and the sequence of the envelope.
    pub(super) fn read(
        kind: IncomingType,
        text: &str,
        (id, time, sequence): (&IncomingId, DateTime<Utc>, Option<u64>),
    ) -> Result<Self, Reason> {
        match kind {
            IncomingType::PaymentSucceeded | IncomingType::PaymentFailed | IncomingType::RefundProcessed => {
                let result: OperationResult = data(text)?;
                if result.event_type() != kind {
                    let said = format!("the data is that of {}", result.event_type());
                    return Err(malformed(&said));
                }
                payment(&result, id, time).map(Self::Payment)
            }
            IncomingType::UserDeactivated => {
                let UserData { user_id } = data(text)?;
                Ok(Self::UserDeactivated(user_id.parse().map_err(|error| malformed(&format!("user_id {error}")))?))
            }
            IncomingType::StockLevel => level(data(text)?, sequence).map(Self::StockLevel),
            IncomingType::StockDelta => delta(data(text)?).map(Self::StockDelta),
        }
    }
}

fn payment(result: &OperationResult, id: &IncomingId, time: DateTime<Utc>) -> Result<ProcessorEvent, Reason> {
    if result.amount_cents < 0 {
        return Err(malformed(&"amount_cents must not be negative"));
    }
    Ok(ProcessorEvent {
        id: id.as_str().parse().map_err(|error| malformed(&error))?,
        at: time,
        payment: Some(result.payment_id),
        operation: Some(result.operation_id),
        kind: result.kind,
        amount: result.amount(),
        // The payment processor alone names the payment.
        answer: OperationAnswer { payment_reference: None, ..result.answer() },
    })
}

fn sku(text: &str) -> Result<Sku, Reason> {
    text.parse().map_err(|error| malformed(&format!("sku {error}")))
}

fn level(LevelData { sku: name, on_hand, version }: LevelData, sequence: Option<u64>) -> Result<LevelChange, Reason> {
    if !(0..=MAX_ON_HAND).contains(&on_hand) {
        return Err(malformed(&format!("on_hand must be 0 to {MAX_ON_HAND}")));
    }
    let version = version.or(sequence).ok_or_else(|| malformed(&"a level needs a version or a sequence"))?;
    Ok(LevelChange { sku: sku(&name)?, on_hand, version })
}

/// A key as it is: without space at its ends, which would make two keys equal.
fn whole(text: &str) -> Result<BoundedString<120>, Reason> {
    let key: BoundedString<120> = text.parse().map_err(|error| malformed(&format!("key {error}")))?;
    if key.as_str() == text { Ok(key) } else { Err(malformed(&"key must not begin or end with space")) }
}

fn delta(DeltaData { sku: name, delta, key, reason }: DeltaData) -> Result<StockDelta, Reason> {
    if !(-MAX_ON_HAND..=MAX_ON_HAND).contains(&delta) {
        return Err(malformed(&format!("delta must be -{MAX_ON_HAND} to {MAX_ON_HAND}")));
    }
    Ok(StockDelta {
        sku: sku(&name)?,
        delta,
        key: whole(&key)?,
        reason: reason.as_deref().unwrap_or(UNTOLD).parse().map_err(|error| malformed(&format!("reason {error}")))?,
    })
}

impl OperationResult {
    /// The type of the event about it.
    const fn event_type(&self) -> IncomingType {
        use crate::payment::OperationKind;
        match (self.kind, self.status) {
            (OperationKind::Refund, _) => IncomingType::RefundProcessed,
            (_, ResultStatus::Declined) => IncomingType::PaymentFailed,
            (_, ResultStatus::Succeeded | ResultStatus::Pending) => IncomingType::PaymentSucceeded,
        }
    }
}
