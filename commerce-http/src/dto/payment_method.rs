//! Means of payment that customers save.

use chrono::{DateTime, Utc};
use commerce_core::ids::{PaymentMethodId, UserId};
use commerce_core::payment::{SavedMethod, SavedMethodState};
use commerce_core::port::PaymentToken;
use commerce_core::problem::{Findings, Read};
use serde::Deserialize;
use utoipa::ToSchema;

use super::payment::{SecretShape, read_token};
use super::shape::shape;

shape! {
    /// A means of payment that a customer has saved at the payment processor, or is about to save.
    #[schema(as = SavedPaymentMethod)]
    pub(crate) struct SavedMethodShape<'a> from method: &'a SavedMethod {
        id: PaymentMethodId = method.id,
        user_id: &'a UserId = &method.user_id,
        /// `pending` as long as the customer has not entered it, then `active`.
        #[schema(value_type = SavedMethodState)]
        status: SavedMethodState = method.state,
        #[schema(example = "visa")]
        brand: Option<&'a str> = method.card.as_ref().map(|card| card.brand.as_str()),
        /// The last four digits.
        #[schema(example = "4242")]
        last_four: Option<&'a str> = method.card.as_ref().map(|card| card.last_four.as_str()),
        /// When the customer agreed that it is charged later, when they are not there.
        consented_at: DateTime<Utc> = method.consented_at,
        created_at: DateTime<Utc> = method.created_at,
        /// With it the customer's client enters the means of payment at the processor. It is in answers about a single one, for the
        /// customer, while it is pending. Store and log it nowhere.
        #[schema(value_type = Option<String>)]
        client_secret: Option<SecretShape<'a>> = None,
    }
}

/// A means of payment to save.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPaymentMethod {
    /// Must be true: the customer agrees that it is charged later, when they are not there.
    consent: bool,
    /// What the processor gave to the customer's client instead of card data. Without it, the client enters them at the processor,
    /// with the `client_secret` of the answer.
    #[schema(example = "tok_ok", min_length = 1, max_length = 255)]
    token: Option<String>,
}

impl NewPaymentMethod {
    pub(crate) fn read(self, f: &mut Findings) -> Read<Option<PaymentToken>> {
        let token = match self.token {
            Some(token) => read_token(token, f).map(|token| Some(PaymentToken::new(token))),
            None => Some(None),
        };
        if !self.consent {
            return f.refuse("consent", "invalid", "must be true: the customer has to agree");
        }
        token
    }
}
