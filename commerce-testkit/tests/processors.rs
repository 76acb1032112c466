//! The sandbox and the double keep the contract of the payment processor.

mod sandbox {
    use std::future::{Ready, ready};

    use commerce_testkit::suite::processor::SandboxFixture;

    fn start() -> Ready<SandboxFixture> {
        ready(SandboxFixture::default())
    }

    commerce_testkit::processor_suite!(start);
}

mod double {
    use std::future::{Ready, ready};
    use std::sync::Arc;

    use async_trait::async_trait;
    use chrono::{DateTime, Utc};
    use commerce_core::payment::OperationAnswer;
    use commerce_core::port::{
        OpenedPayment, OperationAction, OperationLookup, OperationRequest, PaymentTerms, Processor, ProcessorError,
        ProcessorEvent, ProcessorEvents, Webhook, WebhookRejection,
    };
    use commerce_testkit::suite::processor::{Fixture, SentWebhook, Wanted};
    use commerce_testkit::{FakeProcessor, ProcessorBehavior};

    /// The double with the behaviour that the token asks for, while it performs an authorization.
    #[derive(Debug, Default)]
    struct ByToken(FakeProcessor);

    fn behavior(token: &str) -> ProcessorBehavior {
        match token {
            "declines" => ProcessorBehavior::Declines,
            "hesitates" => ProcessorBehavior::Hesitates,
            "loses_requests" => ProcessorBehavior::LosesRequests,
            "loses_answers" => ProcessorBehavior::LosesAnswers,
            "unavailable" => ProcessorBehavior::Unavailable,
            _ => ProcessorBehavior::Answers,
        }
    }

    #[async_trait]
    impl Processor for ByToken {
        fn name(&self) -> &'static str {
            self.0.name()
        }

        fn must_open(&self) -> bool {
            self.0.must_open()
        }

        async fn open(&self, payment: &PaymentTerms) -> Result<OpenedPayment, ProcessorError> {
            self.0.open(payment).await
        }

        async fn close(&self, payment: &PaymentTerms) -> Result<(), ProcessorError> {
            self.0.close(payment).await
        }

        async fn perform(&self, request: &OperationRequest) -> Result<OperationAnswer, ProcessorError> {
            if let OperationAction::Authorize { token } = &request.action
                && self.0.books().get(&request.payment.payment).is_none_or(|book| book.find(request.id).is_none())
            {
                self.0.be(behavior(token.reveal()));
            }
            let answer = self.0.perform(request).await;
            self.0.be(ProcessorBehavior::Answers);
            answer
        }

        async fn find(&self, lookup: &OperationLookup) -> Result<Option<OperationAnswer>, ProcessorError> {
            self.0.find(lookup).await
        }

        async fn list(&self, after: Option<&str>) -> Result<ProcessorEvents, ProcessorError> {
            self.0.list(after).await
        }

        fn read_webhook(&self, webhook: &Webhook<'_>) -> Result<Vec<ProcessorEvent>, WebhookRejection> {
            self.0.read_webhook(webhook)
        }
    }

    struct Double(Arc<ByToken>);

    impl Fixture for Double {
        fn processor(&self) -> Arc<dyn Processor> {
            self.0.clone()
        }

        fn token(&self, wanted: Wanted) -> Option<&'static str> {
            match wanted {
                Wanted::Approved => Some("answers"),
                Wanted::Declined => Some("declines"),
                Wanted::PendingThenApproved => Some("hesitates"),
                Wanted::PendingThenDeclined => None,
                Wanted::RequestLost => Some("loses_requests"),
                Wanted::AnswerLost => Some("loses_answers"),
                Wanted::Unreachable => Some("unavailable"),
            }
        }

        fn webhook(&self, at: DateTime<Utc>, event: &ProcessorEvent) -> Option<SentWebhook> {
            let (signature, body) = FakeProcessor::webhook(at, std::slice::from_ref(event));
            Some(SentWebhook { headers: vec![("x-signature".into(), signature)], body })
        }
    }

    fn start() -> Ready<Double> {
        ready(Double(Arc::default()))
    }

    commerce_testkit::processor_suite!(start);
}
