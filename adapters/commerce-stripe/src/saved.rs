//! Cards that customers save for later.

use async_trait::async_trait;
use commerce_core::payment::{Decline, DeclineCode, Reference, SavedCard};
use commerce_core::port::{ClientSecret, ProcessorError, SavedMeans, Setup, SetupOutcome, SetupRequest};
use serde::Deserialize;
use serde_json::Value;

use crate::Stripe;
use crate::api::{Failure, Fields, escaped};
use crate::processor::{Means, field};

#[derive(Deserialize)]
struct Customer {
    id: Reference,
}

#[derive(Deserialize)]
struct SetupIntent {
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

impl SetupIntent {
    fn setup(self) -> Setup {
        let card = self.card();
        let is_pending = card.is_none() && self.status != "canceled";
        let outcome = match card {
            Some(card) => SetupOutcome::Saved(card),
            None if is_pending => SetupOutcome::Pending,
            None => SetupOutcome::Declined(Decline::new(DeclineCode::IncorrectDetails)),
        };
        let client_secret = self.client_secret.filter(|_| is_pending).map(ClientSecret::new);
        Setup { reference: self.id, client_secret, outcome }
    }

    fn card(&self) -> Option<SavedCard> {
        let (Some(customer), Some(Method::Whole { id, card: Some(card) })) = (&self.customer, &self.payment_method)
        else {
            return None;
        };
        let reference = format!("{customer}/{id}").parse().ok().filter(|_| self.status == "succeeded")?;
        Some(SavedCard { reference, brand: card.brand.parse().ok()?, last_four: card.last4.parse().ok()? })
    }
}

/// A refusal of a card is an answer.
fn declined(failure: Failure) -> Result<Decline, ProcessorError> {
    match &failure {
        Failure::Declined => Ok(Decline::new(DeclineCode::CardDeclined)),
        Failure::Refused(refusal) => match refusal.meaning() {
            Some(code) => Ok(Decline::new(code)),
            None => Err(failure.harmless()),
        },
        Failure::NotDone(_) | Failure::Unknown(_) => Err(failure.harmless()),
    }
}

#[async_trait]
impl SavedMeans for Stripe {
    async fn start_setup(&self, request: &SetupRequest) -> Result<Setup, ProcessorError> {
        let user = &request.user;
        let key = format!("customer-{}", escaped(user.as_str()));
        let customer =
            self.api.post::<Customer>("/v1/customers", Some(&key), &vec![field("metadata[user]", user)]).await;
        let mut fields = vec![
            field("customer", &customer.map_err(Failure::harmless)?.id),
            field("usage", &"off_session"),
            field("payment_method_types[]", &"card"),
            field("metadata[user]", user),
        ];
        if let Some(token) = &request.token {
            let means = Means::of(token);
            fields.extend(means.marked().into_iter().chain(means.confirmed()));
            fields.push(field("confirm", &true));
        }
        let key = format!("setup-{}", request.id);
        match self.api.post::<SetupIntent>("/v1/setup_intents", Some(&key), &fields).await {
            Ok(started) => self.find_setup(&started.id).await,
            Err(failure) => {
                let outcome = SetupOutcome::Declined(declined(failure)?);
                let reference = request.id.to_string().parse();
                let reference = reference.map_err(|_| ProcessorError::NotDone("no reference".into()))?;
                Ok(Setup { reference, client_secret: None, outcome })
            }
        }
    }

    async fn find_setup(&self, setup: &Reference) -> Result<Setup, ProcessorError> {
        let path = format!("/v1/setup_intents/{}?expand[]=payment_method", escaped(setup.as_str()));
        Ok(self.api.get::<SetupIntent>(&path).await.map_err(Failure::harmless)?.setup())
    }

    async fn forget(&self, saved: &Reference) -> Result<(), ProcessorError> {
        let method = saved.as_str().rsplit('/').next().unwrap_or_default();
        let path = format!("/v1/payment_methods/{}/detach", escaped(method));
        match self.api.post::<Value>(&path, None, &Fields::new()).await {
            Ok(_) => Ok(()),
            Err(Failure::Refused(refusal)) if refusal.is_missing() => Ok(()),
            Err(failure) => Err(failure.harmless()),
        }
    }
}
