//! Cards that customers save for later.

use std::fmt;

use commerce_core::ids::UserId;
use commerce_core::payment::Reference;
use commerce_core::port::{PaymentToken, ProcessorError};
use serde::Deserialize;
use serde_json::Value;

use crate::Stripe;
use crate::api::{Failure, Fields, escaped};
use crate::processor::field;

/// A `SetupIntent`, with which a customer saves a card.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StartedSetup {
    pub reference: Reference,
    /// With it the customer's client enters the card at Stripe.
    pub client_secret: String,
}

impl fmt::Debug for StartedSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartedSetup").field("reference", &self.reference).finish_non_exhaustive()
    }
}

/// A card that a customer has saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedMethod {
    /// Authorizes payments off session.
    pub token: PaymentToken,
    /// Such as `visa`.
    pub brand: String,
    /// The last four digits.
    pub last_four: String,
}

#[derive(Deserialize)]
struct Customer {
    id: Reference,
}

#[derive(Deserialize)]
struct Setup {
    id: Reference,
    status: String,
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default)]
    customer: Option<Reference>,
    #[serde(default)]
    payment_method: Option<Method>,
}

/// A method is whole in a setup that is asked for with it, else an id.
#[derive(Deserialize)]
#[serde(untagged)]
enum Method {
    Id(#[expect(dead_code, reason = "it only tells it from a whole one")] String),
    Whole { id: Reference, card: Option<Card> },
}

#[derive(Deserialize)]
struct Card {
    #[serde(default)]
    brand: String,
    #[serde(default)]
    last4: String,
}

impl Stripe {
    /// Starts to save a card of a user, who consents to later charges.
    ///
    /// # Errors
    /// [`ProcessorError::NotDone`]. No money moves.
    pub async fn start_setup(&self, user: &UserId) -> Result<StartedSetup, ProcessorError> {
        let key = format!("customer-{}", escaped(user.as_str()));
        let customer =
            self.api.post::<Customer>("/v1/customers", Some(&key), &vec![field("metadata[user]", user)]).await;
        let fields = vec![
            field("customer", &customer.map_err(Failure::harmless)?.id),
            field("usage", &"off_session"),
            field("payment_method_types[]", &"card"),
            field("metadata[user]", user),
        ];
        let setup: Setup = self.api.post("/v1/setup_intents", None, &fields).await.map_err(Failure::harmless)?;
        let client_secret = setup.client_secret.ok_or_else(|| ProcessorError::NotDone("no client secret".into()))?;
        Ok(StartedSetup { reference: setup.id, client_secret })
    }

    /// The card that was saved. `None` as long as the customer has not finished.
    ///
    /// # Errors
    /// [`ProcessorError::NotDone`].
    pub async fn saved_method(&self, setup: &Reference) -> Result<Option<SavedMethod>, ProcessorError> {
        let path = format!("/v1/setup_intents/{}?expand[]=payment_method", escaped(setup.as_str()));
        let setup: Setup = self.api.get(&path).await.map_err(Failure::harmless)?;
        let (true, Some(customer), Some(Method::Whole { id, card: Some(card) })) =
            (setup.status == "succeeded", setup.customer, setup.payment_method)
        else {
            return Ok(None);
        };
        let token = PaymentToken::new(format!("{customer}/{id}"));
        Ok(Some(SavedMethod { token, brand: card.brand, last_four: card.last4 }))
    }

    /// Removes a saved card. It cannot be charged any more.
    ///
    /// # Errors
    /// [`ProcessorError::NotDone`].
    pub async fn forget_method(&self, token: &PaymentToken) -> Result<(), ProcessorError> {
        let method = token.reveal().rsplit('/').next().unwrap_or_default();
        let path = format!("/v1/payment_methods/{}/detach", escaped(method));
        match self.api.post::<Value>(&path, None, &Fields::new()).await {
            Ok(_) => Ok(()),
            Err(Failure::Refused(refusal)) if refusal.is_missing() => Ok(()),
            Err(failure) => Err(failure.harmless()),
        }
    }
}
