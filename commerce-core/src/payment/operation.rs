//! What is done with the money of a payment, and how it ended.

use alloc::string::{String, ToString as _};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::money::Money;
use crate::text::{BoundedString, named};

/// The processor's id of a payment or of an operation.
pub type Reference = BoundedString<200>;

named! {
    /// What an operation does.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum OperationKind {
        /// Holds money of the customer. With automatic capture it also takes it, in one step.
        Authorize = "authorize",
        /// Takes money that is held.
        Capture = "capture",
        /// Pays money back that was taken.
        Refund = "refund",
        /// Gives back what is held and not taken.
        Void = "void",
        /// The customer's bank takes money back. The processor starts it, not the shop. Pending: it is open; succeeded: it is lost and
        /// the money is gone; declined: it is won.
        Dispute = "dispute",
    }
}

impl OperationKind {
    /// Whether it moves money to the customer. Such money can come back.
    pub const fn pays_out(self) -> bool {
        matches!(self, Self::Refund | Self::Dispute)
    }
}

named! {
    /// When the money that is held is taken.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum CaptureMode {
        /// At once.
        #[default]
        Automatic = "automatic",
        /// By operations of its own, such as when goods are shipped.
        Manual = "manual",
    }
}

named! {
    /// A means of payment, as far as the shop knows it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[expect(missing_docs, reason = "the names say it")]
    pub enum PaymentMethod {
        CreditCard = "credit_card",
        DebitCard = "debit_card",
        Wallet = "wallet",
    }
}

/// The processor's answer about an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct OperationAnswer {
    pub outcome: OperationOutcome,
    /// The processor's id of the payment, as soon as it has one.
    pub payment_reference: Option<Reference>,
    /// The processor's id of the operation.
    pub reference: Option<Reference>,
    /// What else the processor said, for staff.
    #[serde(default, skip_serializing_if = "Details::is_empty")]
    pub details: Details,
}

/// How an operation stands at the processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum OperationOutcome {
    /// It is done. `amount` is what it moved or held, which can differ from what was asked for.
    Succeeded {
        /// Positive.
        amount: Money,
    },
    /// It is not decided: the customer or the bank has to act.
    Pending {
        /// What the customer has to do; `None` if nothing.
        next: Option<NextAction>,
    },
    /// It has moved nothing and will move nothing.
    Declined(Decline),
}

/// What a customer has to do before a payment can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum NextAction {
    /// To open a page, such as that of 3-D Secure.
    Redirect {
        /// The address of the page.
        url: BoundedString<2000>,
    },
}

/// Why the processor declined an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Decline {
    pub code: DeclineCode,
    /// For the customer.
    pub message: BoundedString<500>,
}

impl Decline {
    /// A decline whose message is that of the code.
    pub fn new(code: DeclineCode) -> Self {
        Self { code, message: code.message() }
    }
}

named! {
    /// Why an operation was declined, in the same words for all processors. The processor's own code is in the details.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum DeclineCode {
        /// The bank gave no further reason.
        CardDeclined = "card_declined",
        /// The account does not cover the amount.
        InsufficientFunds = "insufficient_funds",
        /// The card has expired.
        ExpiredCard = "expired_card",
        /// A number, date or security code is wrong, or the token is unknown.
        IncorrectDetails = "incorrect_details",
        /// The bank demands that the customer proves who they are.
        AuthenticationRequired = "authentication_required",
        /// The customer did not prove who they are.
        AuthenticationFailed = "authentication_failed",
        /// The means of payment cannot be used for this currency, amount or shop.
        NotSupported = "not_supported",
        /// A limit of the card or of the account is reached.
        LimitExceeded = "limit_exceeded",
        /// The card is lost, stolen or blocked.
        CardBlocked = "card_blocked",
        /// The processor or the bank suspects fraud.
        SuspectedFraud = "suspected_fraud",
        /// The amount is above what is held or was taken, or what it refers to is over.
        InvalidAmount = "invalid_amount",
        /// The account that a refund would go to is closed.
        AccountClosed = "account_closed",
        /// The processor could not do it now, and did nothing.
        ProcessorError = "processor_error",
        /// The processor does not know the operation, so it was never done.
        NotReceived = "not_received",
    }
}

named! {
    /// What to do after a decline.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum DeclineClass {
        /// The same can be tried again later.
        Retry = "retry",
        /// The customer has to correct something or use another means of payment.
        AskCustomer = "ask_customer",
        /// It will not succeed with this means of payment.
        Never = "never",
    }
}

impl DeclineCode {
    /// What to do after it.
    pub const fn class(self) -> DeclineClass {
        match self {
            Self::ProcessorError | Self::NotReceived => DeclineClass::Retry,
            Self::CardDeclined
            | Self::InsufficientFunds
            | Self::ExpiredCard
            | Self::IncorrectDetails
            | Self::AuthenticationRequired
            | Self::AuthenticationFailed
            | Self::NotSupported
            | Self::LimitExceeded => DeclineClass::AskCustomer,
            Self::CardBlocked | Self::SuspectedFraud | Self::InvalidAmount | Self::AccountClosed => DeclineClass::Never,
        }
    }

    /// A message for the customer. It does not tell a thief that a card is known as stolen.
    #[expect(clippy::expect_used, reason = "the messages are short and printable")]
    #[expect(clippy::missing_panics_doc, reason = "it never panics")]
    pub fn message(self) -> BoundedString<500> {
        let text = match self {
            Self::CardDeclined | Self::CardBlocked | Self::SuspectedFraud => "The card was declined.",
            Self::InsufficientFunds => "The account does not cover the amount.",
            Self::ExpiredCard => "The card has expired.",
            Self::IncorrectDetails => "The details of the card are not correct.",
            Self::AuthenticationRequired => "The bank requires an authentication.",
            Self::AuthenticationFailed => "The authentication failed.",
            Self::NotSupported => "This means of payment is not accepted here.",
            Self::LimitExceeded => "A limit of the card or of the account is reached.",
            Self::InvalidAmount => "The amount is more than is left.",
            Self::AccountClosed => "The account is closed.",
            Self::ProcessorError => "The payment processor could not do it now.",
            Self::NotReceived => "The payment processor did not receive it.",
        };
        text.parse().expect("it is one line")
    }
}

/// What a processor said besides the outcome: bounded JSON for staff, without card data and secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Details(Value);

impl Details {
    /// The maximum length of the JSON text, in bytes.
    pub const MAX: usize = 2_000;

    /// Nothing.
    pub const NONE: Self = Self(Value::Null);

    /// Longer JSON is cut to a text: its beginning.
    pub fn new(value: Value) -> Self {
        let text = value.to_string();
        if text.len() <= Self::MAX {
            return Self(value);
        }
        let beginning: String = text.chars().take(Self::MAX.saturating_div(4)).collect();
        Self(json!({ "beginning": beginning }))
    }

    /// Whether the processor said nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_null()
    }

    /// The member `evidence_due_by`.
    pub fn evidence_due(&self) -> Option<DateTime<Utc>> {
        self.0.get("evidence_due_by")?.as_str()?.parse().ok()
    }

    /// The JSON.
    pub const fn value(&self) -> &Value {
        &self.0
    }
}

impl OperationAnswer {
    /// An answer without references and details.
    pub fn new(outcome: OperationOutcome) -> Self {
        Self { outcome, payment_reference: None, reference: None, details: Details::default() }
    }

    /// Declined with a code.
    pub fn declined(code: DeclineCode) -> Self {
        Self::new(OperationOutcome::Declined(Decline::new(code)))
    }

    /// Whether the outcome will not change.
    pub const fn is_final(&self) -> bool {
        !matches!(self.outcome, OperationOutcome::Pending { .. })
    }
}
