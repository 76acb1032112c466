//! The sandbox and the double keep the contract of the payment processor.

mod sandbox {
    use std::future::{Ready, ready};

    use commerce_testkit::suite::processor::SandboxFixture;

    fn start() -> Ready<SandboxFixture> {
        ready(SandboxFixture::default())
    }

    commerce_testkit::processor_suite!(start);
}

#[expect(clippy::expect_used, reason = "a test that cannot go on has failed")]
mod sandbox_events {
    use std::sync::Arc;

    use OperationKind::{Authorize, Dispute};
    use chrono::{DateTime, TimeDelta};
    use commerce_core::payment::{CaptureMode, MemoryBooks, OperationKind, OperationOutcome, SandboxProcessor};
    use commerce_core::port::{OperationAction, OperationRequest, PaymentTerms, PaymentToken, Processor};
    use commerce_testkit::ManualClock;
    use commerce_testkit::commit_builder::parse;

    /// Each event: the second, the kind, and `pending`, `succeeded` or `declined`.
    type Told = (i64, OperationKind, &'static str);

    const fn word(outcome: &OperationOutcome) -> &'static str {
        match outcome {
            OperationOutcome::Pending { .. } => "pending",
            OperationOutcome::Succeeded { .. } => "succeeded",
            OperationOutcome::Declined(_) => "declined",
        }
    }

    async fn told(token: &str) -> Vec<Told> {
        let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
        let sandbox = SandboxProcessor::new(Arc::new(MemoryBooks::default()), clock.clone());
        let (id, amount) = ("01890000-0000-7000-8000-000000000001", parse("5.00 USD"));
        let (method, capture, reference) = (None, CaptureMode::Automatic, None);
        let payment = PaymentTerms {
            payment: parse(id),
            order: parse(id),
            user: parse("ann"),
            amount,
            method,
            capture,
            reference,
        };
        let action = OperationAction::Authorize { token: PaymentToken::new(token.into()) };
        let request = OperationRequest { id: parse(id), payment, amount, action };
        for _ in 0..2 {
            sandbox.perform(&request).await.expect("an answer");
        }
        let (mut told, mut cursor) = (Vec::new(), None);
        for second in 0..10 {
            let listed = sandbox.list(cursor.as_deref()).await.expect("a list");
            told.extend(listed.events.iter().map(|event| (second, event.kind, word(&event.answer.outcome))));
            cursor = listed.next.or(cursor);
            clock.advance(TimeDelta::seconds(1));
        }
        told
    }

    #[tokio::test]
    async fn what_comes_later_is_told_once_and_when_it_is_due() {
        let late = [(0, Authorize, "pending"), (2, Authorize, "succeeded")];
        let paid = [(0, Authorize, "succeeded"), (2, Dispute, "pending")];
        let cases: [(&str, Vec<Told>); 7] = [
            ("tok_ok", paid[..1].to_vec()),
            ("tok_late", late.to_vec()),
            ("tok_duplicate", [&late[..], &late[1..]].concat()),
            ("tok_reordered", [&late[..], &[(2, Authorize, "pending")]].concat()),
            ("tok_dispute", paid.to_vec()),
            ("tok_dispute_won", [&paid[..], &[(4, Dispute, "declined")]].concat()),
            ("tok_dispute_lost", [&paid[..], &[(4, Dispute, "succeeded")]].concat()),
        ];
        for (token, expected) in cases {
            assert_eq!(told(token).await, expected, "{token}");
        }
    }
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
