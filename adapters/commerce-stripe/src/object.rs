//! The objects of Stripe, as far as they matter here.

use std::collections::BTreeMap;

use commerce_core::payment::Reference;
use serde::Deserialize;
use serde_json::Value;

pub(crate) type Metadata = BTreeMap<String, String>;

/// A page of a list, newest first.
#[derive(Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    #[serde(default)]
    pub(crate) has_more: bool,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Intent {
    pub(crate) id: Reference,
    pub(crate) status: IntentStatus,
    pub(crate) amount: i64,
    #[serde(default)]
    pub(crate) amount_capturable: i64,
    #[serde(default)]
    pub(crate) amount_received: i64,
    pub(crate) currency: String,
    #[serde(default)]
    pub(crate) capture_method: Option<String>,
    #[serde(default)]
    pub(crate) client_secret: Option<String>,
    #[serde(default)]
    pub(crate) last_payment_error: Option<PaymentError>,
    #[serde(default)]
    pub(crate) next_action: Option<Value>,
    #[serde(default)]
    pub(crate) latest_charge: Option<LatestCharge>,
    #[serde(default)]
    pub(crate) cancellation_reason: Option<String>,
    #[serde(default)]
    pub(crate) metadata: Metadata,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IntentStatus {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Succeeded,
    Canceled,
    #[serde(other)]
    Other,
}

#[derive(Clone, Deserialize)]
pub(crate) struct PaymentError {
    #[serde(default)]
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) decline_code: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum LatestCharge {
    Id(Reference),
    Whole(Box<Charge>),
}

#[derive(Clone, Deserialize)]
pub(crate) struct Charge {
    pub(crate) id: Reference,
    #[serde(default)]
    pub(crate) status: Option<String>,
    #[serde(default)]
    pub(crate) failure_code: Option<String>,
    #[serde(default)]
    pub(crate) outcome: Option<ChargeOutcome>,
    #[serde(default)]
    pub(crate) payment_method_details: Option<Value>,
    #[serde(default)]
    pub(crate) metadata: Metadata,
}

#[derive(Clone, Deserialize)]
pub(crate) struct ChargeOutcome {
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: Reference,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    /// Absent on very old versions: then it succeeded.
    #[serde(default)]
    pub(crate) status: Option<String>,
    #[serde(default)]
    pub(crate) failure_reason: Option<String>,
    #[serde(default)]
    pub(crate) payment_intent: Option<Reference>,
    #[serde(default)]
    pub(crate) metadata: Metadata,
}

#[derive(Deserialize)]
pub(crate) struct Dispute {
    pub(crate) id: Reference,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) payment_intent: Option<Reference>,
    #[serde(default)]
    pub(crate) evidence_details: Option<EvidenceDetails>,
}

#[derive(Deserialize)]
pub(crate) struct EvidenceDetails {
    #[serde(default)]
    pub(crate) due_by: Option<i64>,
}

#[derive(Deserialize)]
pub(crate) struct Event {
    pub(crate) id: Reference,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) created: i64,
    #[serde(default)]
    pub(crate) livemode: bool,
    #[serde(default)]
    pub(crate) account: Option<String>,
    /// The request that caused it. Old versions give only its id.
    #[serde(default)]
    pub(crate) request: Option<Value>,
    pub(crate) data: EventData,
}

#[derive(Deserialize)]
pub(crate) struct EventData {
    pub(crate) object: Value,
}

impl Charge {
    /// Until when it holds money, in Unix seconds. The member is in that of its method of payment.
    pub(crate) fn capture_before(&self) -> Option<i64> {
        let details = self.payment_method_details.as_ref()?;
        details.get(details.get("type")?.as_str()?)?.get("capture_before")?.as_i64()
    }
}

impl LatestCharge {
    pub(crate) const fn id(&self) -> &Reference {
        match self {
            Self::Id(id) => id,
            Self::Whole(charge) => &charge.id,
        }
    }

    /// Until when it holds money, in Unix seconds.
    pub(crate) fn capture_before(&self) -> Option<i64> {
        let Self::Whole(charge) = self else { return None };
        charge.capture_before()
    }

    /// Whether it held or took money. `None` if only its id is known.
    pub(crate) fn succeeded(&self) -> Option<bool> {
        match self {
            Self::Id(_) => None,
            Self::Whole(charge) => Some(charge.status.as_deref() == Some("succeeded")),
        }
    }
}
