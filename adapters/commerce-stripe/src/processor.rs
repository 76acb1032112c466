//! The port on Stripe's API.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::ids::OperationId;
use commerce_core::payment::{CaptureMode, DeclineCode, OperationAnswer, OperationKind, Reference};
use commerce_core::port::{
    ClientSecret, OpenedPayment, OperationAction, OperationLookup, OperationRequest, PaymentTerms, PaymentToken,
    Processor, ProcessorError, ProcessorEvent, ProcessorEvents, SavedMeans, Webhook, WebhookRejection,
};
use commerce_outbound::signature::Secrets;
use commerce_outbound::{Service, ServiceError, is_protected};
use thiserror::Error;

use crate::amount::to_stripe;
use crate::api::{Api, Failure, Fields, escaped};
use crate::event;
use crate::found::{AUTHORIZE, Mark, OPERATION, PAYMENT};
use crate::object::{Charge, Event, Intent, IntentStatus, LatestCharge, Page, Refund};

/// Stripe's address.
const BASE: &str = "https://api.stripe.com";
const TIME_OUT: Duration = Duration::from_secs(20);
/// The maximum number of objects in a page.
const PAGE: usize = 100;

/// Stripe. `docs/stripe.md` says how it is set up.
#[derive(Clone)]
pub struct Stripe {
    pub(crate) api: Api,
    secrets: Secrets,
    account: Option<String>,
    return_url: Option<String>,
    is_live: bool,
}

/// How Stripe is used.
#[derive(Clone)]
pub struct StripeConfig {
    /// Of the API: `sk_…`, or a restricted one `rk_…`. With `…_live_…` money moves, and only live webhooks are believed.
    pub secret_key: String,
    /// Of the webhook endpoint: `whsec_…`; several while one is replaced.
    pub webhook_secrets: Secrets,
    /// The connected account whose webhooks are believed. `None`: those of the own account.
    pub account: Option<String>,
    /// The page that the customer's bank leads back to. `None`: the client handles authentication with the client secret.
    pub return_url: Option<String>,
    /// The address of the API.
    pub base: String,
    /// The time-out of a request. An operation takes up to four.
    pub time_out: Duration,
}

/// The reason why Stripe cannot be used.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum StripeConfigError {
    #[error("the key must be a secret key (sk_test_…, sk_live_…) or a restricted one (rk_…), not a publishable one")]
    Key,
    #[error("the key would be sent over http:// to another machine; use https://")]
    Unprotected,
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl StripeConfig {
    /// Stripe with a secret key and without webhooks.
    pub fn new(secret_key: String) -> Self {
        Self {
            secret_key,
            webhook_secrets: Secrets::default(),
            account: None,
            return_url: None,
            base: BASE.to_owned(),
            time_out: TIME_OUT,
        }
    }
}

impl fmt::Debug for StripeConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StripeConfig").field("base", &self.base).finish_non_exhaustive()
    }
}

impl fmt::Debug for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stripe").field("is_live", &self.is_live).finish_non_exhaustive()
    }
}

impl Stripe {
    /// A client for Stripe. It sends nothing yet.
    ///
    /// # Errors
    /// A setting is invalid, or TLS cannot be set up.
    pub fn new(config: StripeConfig) -> Result<Self, StripeConfigError> {
        let key = &config.secret_key;
        if !["sk_", "rk_"].iter().any(|start| key.starts_with(start)) {
            return Err(StripeConfigError::Key);
        }
        if !is_protected(&config.base) {
            return Err(StripeConfigError::Unprotected);
        }
        Ok(Self {
            api: Api(Service::new(&config.base, Some(key), config.time_out)?),
            is_live: key.starts_with("sk_live_") || key.starts_with("rk_live_"),
            secrets: config.webhook_secrets,
            account: config.account,
            return_url: config.return_url,
        })
    }

    /// An intent, with its last charge.
    async fn intent(&self, reference: &Reference) -> Result<Intent, Failure> {
        self.api.get(&format!("{}?expand[]=latest_charge", path(reference, ""))).await
    }

    /// The intent of a payment. Without its reference it is opened, which for a day gives the same intent again.
    async fn intent_of(&self, payment: &PaymentTerms) -> Result<Intent, Failure> {
        if let Some(reference) = &payment.reference {
            return self.intent(reference).await;
        }
        self.created(payment, &format!("open-{}", payment.payment)).await
    }

    async fn created(&self, payment: &PaymentTerms, key: &str) -> Result<Intent, Failure> {
        let fields = Self::opening(payment).ok_or_else(|| Failure::NotDone("Stripe cannot take this amount".into()))?;
        let opened: Intent = self.api.post("/v1/payment_intents", Some(key), &fields).await?;
        // The answer to a repetition is as old as the first one.
        self.intent(&opened.id).await
    }

    /// The intent of a payment with which it can be paid: one that gave back what it held is followed by another.
    async fn opened(&self, payment: &PaymentTerms) -> Result<Intent, Failure> {
        let intent = self.intent_of(payment).await?;
        let held = intent.latest_charge.as_ref().is_some_and(LatestCharge::held);
        if intent.status == IntentStatus::Canceled && held {
            return self.created(payment, &format!("open-{}-{}", payment.payment, intent.id)).await;
        }
        Ok(intent)
    }

    /// All objects of a list, newest first.
    async fn all<T>(&self, path: &str, id: fn(&T) -> &Reference) -> Result<Vec<T>, Failure>
    where
        T: serde::de::DeserializeOwned,
    {
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let page: Page<T> = self.api.get(&format!("{path}&limit={PAGE}{after}")).await?;
            all.extend(page.data);
            match all.last().filter(|_| page.has_more) {
                Some(last) => after = format!("&starting_after={}", escaped(id(last).as_str())),
                None => return Ok(all),
            }
        }
    }

    async fn refunds(&self, intent: &Intent) -> Result<Vec<Refund>, Failure> {
        if intent.latest_charge.is_none() {
            return Ok(Vec::new());
        }
        self.all(&format!("/v1/refunds?payment_intent={}", intent.id), |refund: &Refund| &refund.id).await
    }

    /// How an operation on an intent stands, if it was performed.
    async fn found(&self, intent: &Intent, lookup: &OperationLookup) -> Result<Option<OperationAnswer>, Failure> {
        let id = lookup.id;
        match lookup.kind {
            OperationKind::Authorize => self.found_authorization(intent, id).await,
            OperationKind::Capture | OperationKind::Void => Ok(intent.mark(id).and_then(|mark| intent.marked(mark))),
            OperationKind::Refund => Ok(Refund::of(id, &self.refunds(intent).await?).and_then(Refund::answer)),
            OperationKind::Dispute => Ok(None),
        }
    }

    /// An authorization that is not the last one is found by the charge that it made.
    async fn found_authorization(&self, intent: &Intent, id: OperationId) -> Result<Option<OperationAnswer>, Failure> {
        match intent.authorization() {
            None => Ok(None),
            Some(last) if last == id => Ok(intent.authorized()),
            Some(_) => {
                let path = format!("/v1/charges?payment_intent={}", intent.id);
                let charges = self.all(&path, |charge: &Charge| &charge.id).await?;
                let id = id.to_string();
                let own = charges.iter().find(|charge| charge.metadata.get(AUTHORIZE) == Some(&id));
                Ok(own.and_then(|charge| charge.authorized(intent)))
            }
        }
    }

    /// Marks the intent with the operation, then confirms it.
    async fn authorize(
        &self,
        request: &OperationRequest,
        intent: &Intent,
        token: &PaymentToken,
    ) -> Result<OperationAnswer, ProcessorError> {
        let Some(amount) = to_stripe(request.amount) else { return Ok(intent.declined(DeclineCode::NotSupported)) };
        if !intent.is_open() {
            return Ok(intent.declined(DeclineCode::InvalidAmount));
        }
        let means = Means::of(token);
        let mut mark = vec![(format!("metadata[{AUTHORIZE}]"), request.id.to_string())];
        mark.extend(means.marked());
        if amount != intent.amount {
            mark.push(("amount".to_owned(), amount.to_string()));
        }
        match self.api.post::<Intent>(&path(&intent.id, ""), None, &mark).await {
            Ok(_) => {}
            Err(Failure::Declined) => return Ok(intent.declined(DeclineCode::CardDeclined)),
            Err(failure) => return declined_or(failure, intent).map_err(Failure::harmless),
        }
        let mut fields = means.confirmed();
        let return_url = self.return_url.iter().map(|url| ("return_url".to_owned(), url.clone()));
        fields.extend(return_url);
        // The charge says until when the money is held.
        fields.push(field("expand[]", &"latest_charge"));
        let confirmed = self.api.post(&path(&intent.id, "/confirm"), Some(&request.id.to_string()), &fields).await;
        let confirmed = match confirmed {
            Ok(confirmed) => confirmed,
            Err(Failure::Declined) => self.intent(&intent.id).await.map_err(unknown)?,
            Err(failure) => return Ok(declined_or(failure, intent)?),
        };
        confirmed
            .authorized()
            .ok_or_else(|| ProcessorError::Unknown("the state of the intent is not one of these".into()))
    }

    async fn capture(
        &self,
        request: &OperationRequest,
        intent: &Intent,
        is_final: bool,
    ) -> Result<OperationAnswer, ProcessorError> {
        let Some(amount) = to_stripe(request.amount) else { return Ok(intent.declined(DeclineCode::NotSupported)) };
        if intent.status != IntentStatus::RequiresCapture || amount > intent.amount_capturable {
            return Ok(intent.declined(DeclineCode::InvalidAmount));
        }
        let keeps_rest = !is_final && amount < intent.amount_capturable;
        self.capture_as(request.id, intent, Mark::Capture(amount), keeps_rest).await
    }

    /// Captures an amount, or nothing to release the rest.
    async fn capture_as(
        &self,
        id: OperationId,
        intent: &Intent,
        mark: Mark,
        keeps_rest: bool,
    ) -> Result<OperationAnswer, ProcessorError> {
        let amount = if mark.kind() == OperationKind::Capture { mark.number() } else { 0 };
        let mut fields = vec![field("amount_to_capture", &amount), (format!("metadata[{id}]"), mark.text())];
        if keeps_rest {
            fields.push(field("final_capture", &false));
        }
        match self.api.post::<Intent>(&path(&intent.id, "/capture"), Some(&id.to_string()), &fields).await {
            Ok(captured) => captured.marked(mark).ok_or_else(unreadable),
            Err(failure) => Ok(declined_or(failure, intent)?),
        }
    }

    /// Before a capture the intent is canceled; after one the rest is released.
    async fn void(&self, request: &OperationRequest, intent: &Intent) -> Result<OperationAnswer, ProcessorError> {
        let number = to_stripe(request.amount);
        let Some(number) = number
            .filter(|number| intent.status == IntentStatus::RequiresCapture && *number == intent.amount_capturable)
        else {
            return Ok(intent.declined(DeclineCode::InvalidAmount));
        };
        if intent.amount_received > 0 {
            return self.capture_as(request.id, intent, Mark::Release(number), false).await;
        }
        let mark = Mark::Cancel(number);
        let fields = vec![(format!("metadata[{}]", request.id), mark.text())];
        self.api.post::<Intent>(&path(&intent.id, ""), None, &fields).await.map_err(Failure::harmless)?;
        let key = request.id.to_string();
        match self.api.post::<Intent>(&path(&intent.id, "/cancel"), Some(&key), &Fields::new()).await {
            Ok(canceled) => canceled.marked(mark).ok_or_else(unreadable),
            Err(failure) => Ok(declined_or(failure, intent)?),
        }
    }

    async fn refund(&self, request: &OperationRequest, intent: &Intent) -> Result<OperationAnswer, ProcessorError> {
        let Some(amount) = to_stripe(request.amount) else { return Ok(intent.declined(DeclineCode::NotSupported)) };
        let refunds = self.refunds(intent).await.map_err(Failure::harmless)?;
        // One list for both questions: another call with this id may have just made its refund.
        if let Some(known) = Refund::of(request.id, &refunds) {
            return known.answer().ok_or_else(unreadable);
        }
        let refunded = refunds
            .iter()
            .filter(|refund| !refund.has_failed())
            .fold(0_i64, |sum, refund| sum.saturating_add(refund.amount));
        if amount > intent.amount_received.saturating_sub(refunded) {
            return Ok(intent.declined(DeclineCode::InvalidAmount));
        }
        let fields = vec![
            field("payment_intent", &intent.id),
            field("amount", &amount),
            (format!("metadata[{OPERATION}]"), request.id.to_string()),
            (format!("metadata[{PAYMENT}]"), request.payment.payment.to_string()),
        ];
        match self.api.post::<Refund>("/v1/refunds", Some(&request.id.to_string()), &fields).await {
            Ok(refund) => refund.answer().ok_or_else(unreadable),
            Err(failure) => Ok(declined_or(failure, intent)?),
        }
    }

    fn opening(payment: &PaymentTerms) -> Option<Fields> {
        let method = match payment.capture {
            CaptureMode::Automatic => "automatic",
            CaptureMode::Manual => "manual",
        };
        let mut fields = vec![
            field("amount", &to_stripe(payment.amount)?),
            field("currency", &payment.amount.currency().code().to_ascii_lowercase()),
            field("capture_method", &method),
            field("payment_method_types[]", &"card"),
            (format!("metadata[{PAYMENT}]"), payment.payment.to_string()),
            field("metadata[order]", &payment.order),
            field("metadata[user]", &payment.user),
        ];
        if payment.capture == CaptureMode::Manual {
            fields.push(field("payment_method_options[card][request_multicapture]", &"if_available"));
        }
        Some(fields)
    }

    /// Events after a cursor, newest first; without a cursor, the oldest ones.
    async fn events(&self, after: Option<&str>) -> Result<Vec<Event>, Failure> {
        let kinds = event::KINDS.map(|kind| format!("&types[]={kind}")).concat();
        let path = format!("/v1/events?limit={PAGE}{kinds}");
        if let Some(after) = after {
            let page: Page<Event> = self.api.get(&format!("{path}&ending_before={}", escaped(after))).await?;
            return Ok(page.data);
        }
        let mut page: Page<Event> = self.api.get(&path).await?;
        while let Some(last) = page.data.last().filter(|_| page.has_more) {
            page = self.api.get(&format!("{path}&starting_after={}", escaped(last.id.as_str()))).await?;
        }
        Ok(page.data)
    }
}

/// What the customer pays with.
pub(crate) enum Means<'a> {
    /// `pm_…`; Stripe refuses all that it does not know.
    Method(&'a str),
    /// `tok_…`, of Stripe's older forms.
    Token(&'a str),
    /// `ctoken_…`, of the payment element.
    Confirmation(&'a str),
    /// `cus_…/pm_…`: saved with consent, charged without the customer.
    Saved { customer: &'a str, method: &'a str },
}

impl<'a> Means<'a> {
    pub(crate) fn of(token: &'a PaymentToken) -> Self {
        let text = token.reveal();
        match text.split_once('/').filter(|_| token.is_saved()) {
            Some((customer, method)) => Self::Saved { customer, method },
            None if text.starts_with("tok_") => Self::Token(text),
            None if text.starts_with("ctoken_") => Self::Confirmation(text),
            None => Self::Method(text),
        }
    }

    pub(crate) fn marked(&self) -> Fields {
        match self {
            Self::Method(method) => vec![field("payment_method", method)],
            Self::Token(token) => {
                vec![field("payment_method_data[type]", &"card"), field("payment_method_data[card][token]", token)]
            }
            Self::Confirmation(_) => Fields::new(),
            Self::Saved { customer, method } => vec![field("customer", customer), field("payment_method", method)],
        }
    }

    pub(crate) fn confirmed(&self) -> Fields {
        match self {
            Self::Confirmation(token) => vec![field("confirmation_token", token)],
            Self::Saved { .. } => vec![field("off_session", &true)],
            Self::Method(_) | Self::Token(_) => Fields::new(),
        }
    }
}

fn path(intent: &Reference, action: &str) -> String {
    format!("/v1/payment_intents/{}{action}", escaped(intent.as_str()))
}

pub(crate) fn field(name: &str, value: &impl fmt::Display) -> (String, String) {
    (name.to_owned(), value.to_string())
}

/// A refusal that says something about the payment is a decline.
fn declined_or(failure: Failure, intent: &Intent) -> Result<OperationAnswer, Failure> {
    match failure {
        Failure::Declined => Ok(intent.declined(DeclineCode::CardDeclined)),
        Failure::Refused(refusal) => {
            refusal.meaning().map(|code| intent.declined(code)).ok_or(Failure::Refused(refusal))
        }
        other @ (Failure::NotDone(_) | Failure::Unknown(_)) => Err(other),
    }
}

fn unknown(failure: Failure) -> ProcessorError {
    match ProcessorError::from(failure) {
        ProcessorError::NotDone(reason) | ProcessorError::Unknown(reason) => ProcessorError::Unknown(reason),
    }
}

fn unreadable() -> ProcessorError {
    ProcessorError::Unknown("the amount of the answer cannot be read".into())
}

#[async_trait]
impl Processor for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn must_open(&self) -> bool {
        true
    }

    async fn open(&self, payment: &PaymentTerms) -> Result<OpenedPayment, ProcessorError> {
        let intent = self.opened(payment).await.map_err(Failure::harmless)?;
        let client_secret = intent.client_secret.clone().filter(|_| intent.is_open()).map(ClientSecret::new);
        Ok(OpenedPayment { reference: intent.id, client_secret })
    }

    async fn close(&self, payment: &PaymentTerms) -> Result<(), ProcessorError> {
        let Some(reference) = &payment.reference else { return Ok(()) };
        let intent = self.intent(reference).await.map_err(Failure::harmless)?;
        if intent.status == IntentStatus::Processing {
            return Err(ProcessorError::NotDone(
                "the money is on its way, so the intent cannot be canceled yet".into(),
            ));
        }
        if intent.is_open() {
            self.api.post::<Intent>(&path(reference, "/cancel"), None, &Fields::new()).await?;
        }
        Ok(())
    }

    fn saved_means(&self) -> Option<&dyn SavedMeans> {
        Some(self)
    }

    async fn perform(&self, request: &OperationRequest) -> Result<OperationAnswer, ProcessorError> {
        if request.payment.reference.is_none() && request.action.kind() != OperationKind::Authorize {
            return Err(ProcessorError::NotDone("the payment was not opened".into()));
        }
        let intent = self.intent_of(&request.payment).await.map_err(Failure::harmless)?;
        // Stripe forgets idempotency keys after a day. What was performed before that is found, and not sent again.
        let lookup = request.lookup();
        let known = if lookup.kind == OperationKind::Refund {
            None
        } else {
            self.found(&intent, &lookup).await.map_err(Failure::harmless)?
        };
        if let Some(known) = known {
            return Ok(known);
        }
        match &request.action {
            OperationAction::Authorize { token } => self.authorize(request, &intent, token).await,
            OperationAction::Capture { is_final } => self.capture(request, &intent, *is_final).await,
            OperationAction::Refund => self.refund(request, &intent).await,
            OperationAction::Void => self.void(request, &intent).await,
        }
    }

    async fn find(&self, lookup: &OperationLookup) -> Result<Option<OperationAnswer>, ProcessorError> {
        let intent = match self.intent_of(&lookup.payment).await {
            Ok(intent) => intent,
            Err(Failure::Refused(refusal)) if refusal.is_missing() => return Ok(None),
            Err(failure) => return Err(failure.into()),
        };
        Ok(self.found(&intent, lookup).await?)
    }

    async fn list(&self, after: Option<&str>) -> Result<ProcessorEvents, ProcessorError> {
        let listed = match self.events(after).await {
            // The cursor is older than what Stripe remembers.
            Err(Failure::Refused(refusal)) if refusal.is_missing() => self.events(None).await,
            listed => listed,
        };
        let listed = listed.map_err(Failure::harmless)?;
        let next = listed.first().map(|newest| newest.id.to_string());
        let mut events = Vec::with_capacity(listed.len());
        for event in listed.iter().rev() {
            events.extend(event.read().map_err(|problem| ProcessorError::NotDone(problem.into()))?);
        }
        Ok(ProcessorEvents { events, next })
    }

    fn read_webhook(&self, webhook: &Webhook<'_>) -> Result<Vec<ProcessorEvent>, WebhookRejection> {
        let event = event::verified(webhook, &self.secrets)?;
        if event.livemode != self.is_live || event.account != self.account {
            return Err(WebhookRejection::Foreign);
        }
        Ok(event.read().map_err(event::malformed)?.into_iter().collect())
    }
}
