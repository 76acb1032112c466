//! The contract of the port.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commerce_core::payment::OperationAnswer;
use commerce_core::port::{
    OpenedPayment, OperationAction, OperationLookup, OperationRequest, PaymentTerms, Processor, ProcessorError,
    ProcessorEvent, ProcessorEvents, SavedMeans, Webhook, WebhookRejection,
};
use commerce_stripe::Stripe;
use commerce_testkit::suite::processor::{Fixture, SentWebhook, Wanted};

use crate::double::Double;
use crate::{stripe, stripe_at};

/// Stripe with customers who authenticate as soon as the shop asks, and without a connection for one token.
#[derive(Debug)]
struct WithCustomers {
    stripe: Stripe,
    unreachable: Stripe,
    double: Arc<DoubleOf>,
}

struct DoubleOf(Double);

impl std::fmt::Debug for DoubleOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DoubleOf")
    }
}

#[async_trait]
impl Processor for WithCustomers {
    fn name(&self) -> &'static str {
        self.stripe.name()
    }

    fn must_open(&self) -> bool {
        self.stripe.must_open()
    }

    fn saved_means(&self) -> Option<&dyn SavedMeans> {
        self.stripe.saved_means()
    }

    async fn open(&self, payment: &PaymentTerms) -> Result<OpenedPayment, ProcessorError> {
        self.stripe.open(payment).await
    }

    async fn close(&self, payment: &PaymentTerms) -> Result<(), ProcessorError> {
        self.stripe.close(payment).await
    }

    async fn perform(&self, request: &OperationRequest) -> Result<OperationAnswer, ProcessorError> {
        if let OperationAction::Authorize { token } = &request.action
            && token.reveal() == "pm_unreachable"
        {
            return self.unreachable.perform(request).await;
        }
        self.stripe.perform(request).await
    }

    async fn find(&self, lookup: &OperationLookup) -> Result<Option<OperationAnswer>, ProcessorError> {
        self.double.0.authenticate(&lookup.payment.payment.to_string());
        self.stripe.find(lookup).await
    }

    async fn list(&self, after: Option<&str>) -> Result<ProcessorEvents, ProcessorError> {
        self.stripe.list(after).await
    }

    fn read_webhook(&self, webhook: &Webhook<'_>) -> Result<Vec<ProcessorEvent>, WebhookRejection> {
        self.stripe.read_webhook(webhook)
    }
}

struct OnDouble(Arc<WithCustomers>);

impl Fixture for OnDouble {
    fn processor(&self) -> Arc<dyn Processor> {
        self.0.clone()
    }

    fn token(&self, wanted: Wanted) -> Option<&'static str> {
        Some(match wanted {
            Wanted::Approved => "pm_ok",
            Wanted::Declined => "pm_declined",
            Wanted::PendingThenApproved => "pm_3ds",
            Wanted::PendingThenDeclined => "pm_3ds_failed",
            Wanted::RequestLost => "pm_lost_request",
            Wanted::AnswerLost => "pm_lost_answer",
            Wanted::Unreachable => "pm_unreachable",
        })
    }

    fn webhook(&self, at: DateTime<Utc>, event: &ProcessorEvent) -> Option<SentWebhook> {
        let (signature, body) = self.0.double.0.webhook(event.id.as_str(), at.timestamp());
        Some(SentWebhook { headers: vec![("stripe-signature".to_owned(), signature)], body })
    }
}

async fn start() -> OnDouble {
    let double = Double::start().await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let unreachable = stripe_at(format!("http://{gone}"));
    OnDouble(Arc::new(WithCustomers { stripe: stripe(&double), unreachable, double: Arc::new(DoubleOf(double)) }))
}

commerce_testkit::processor_suite!(start);
