//! Tests of the contract of the [`Processor`] port.
//!
//! An adapter runs all of them with one line. It provides a function that creates a [`Fixture`] with a processor to which each case makes
//! payments of its own:
//!
//! ```
//! use commerce_testkit::suite::processor::SandboxFixture;
//!
//! async fn start() -> SandboxFixture {
//!     SandboxFixture::default()
//! }
//!
//! commerce_testkit::processor_suite!(start);
//! ```
//!
//! A case that needs what the fixture does not [have](Fixture::token) passes at once.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a case fails by panicking")]

use std::sync::Arc;

use chrono::{DateTime, Utc};
use commerce_core::ids::{OperationId, PaymentMethodId};
use commerce_core::money::Money;
use commerce_core::payment::{
    Books, CaptureMode, DeclineClass, DeclineCode, OperationAnswer, OperationKind, OperationOutcome, SandboxProcessor,
    SavedCard,
};
use commerce_core::port::{
    OperationAction, OperationRequest, PaymentTerms, PaymentToken, Processor, ProcessorError, ProcessorEvent, Setup,
    SetupOutcome, SetupRequest, Webhook, WebhookRejection,
};
use commerce_core::system::SystemClock;
use uuid::Uuid;

use crate::commit_builder::parse;

/// A processor for one case.
pub trait Fixture: Send + Sync {
    /// The processor.
    fn processor(&self) -> Arc<dyn Processor>;

    /// A token that makes an authorization end in a way. `None` if the processor cannot.
    fn token(&self, wanted: Wanted) -> Option<&'static str>;

    /// A webhook that the processor would send now with an event. `None` if it sends none.
    fn webhook(&self, _at: DateTime<Utc>, _event: &ProcessorEvent) -> Option<SentWebhook> {
        None
    }
}

/// A webhook as the processor sends it.
#[derive(Clone, Debug)]
pub struct SentWebhook {
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The end of an authorization that a case needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Wanted {
    Approved,
    Declined,
    /// Pending; asked again, it is approved.
    PendingThenApproved,
    /// Pending; asked again, it is declined.
    PendingThenDeclined,
    /// The request does not arrive, and there is no answer.
    RequestLost,
    /// It is approved, and there is no answer.
    AnswerLost,
    /// There is no connection.
    Unreachable,
}

/// The sandbox.
#[derive(Clone, Debug)]
pub struct SandboxFixture(Arc<SandboxProcessor>);

impl SandboxFixture {
    /// The sandbox with given books.
    pub fn on(books: Arc<dyn Books>) -> Self {
        Self(Arc::new(SandboxProcessor::new(books, Arc::new(SystemClock))))
    }
}

/// The books are in memory.
impl Default for SandboxFixture {
    fn default() -> Self {
        Self(Arc::new(SandboxProcessor::in_memory()))
    }
}

impl Fixture for SandboxFixture {
    fn processor(&self) -> Arc<dyn Processor> {
        self.0.clone()
    }

    fn token(&self, wanted: Wanted) -> Option<&'static str> {
        Some(match wanted {
            Wanted::Approved => "tok_ok",
            Wanted::Declined => "tok_declined",
            Wanted::PendingThenApproved => "tok_3ds",
            Wanted::PendingThenDeclined => "tok_3ds_failed",
            Wanted::RequestLost => "tok_timeout",
            Wanted::AnswerLost => "tok_timeout_paid",
            Wanted::Unreachable => "tok_unavailable",
        })
    }
}

/// Runs all tests of the processor's contract on an adapter. See [`suite::processor`](crate::suite::processor).
#[macro_export]
macro_rules! processor_suite {
    ($start:expr) => {
        $crate::processor_suite! { @stamp ($start)
            an_approved_payment_is_taken_at_once
            an_operation_is_performed_once
            an_operation_sent_at_once_is_performed_once
            a_decline_has_a_code_and_moves_nothing
            what_was_performed_is_found
            an_operation_that_was_never_sent_is_not_found
            a_lost_request_is_not_found
            a_lost_answer_is_found
            without_a_connection_nothing_is_done
            what_is_pending_becomes_final
            a_hold_is_taken_in_parts
            the_final_capture_gives_back_the_rest
            no_more_is_taken_than_is_held
            a_void_gives_back_what_is_held
            no_more_is_paid_back_than_was_taken
            refunds_at_once_pay_back_no_more_than_was_taken
            opening_twice_gives_one_payment
            a_closed_payment_cannot_be_paid
            closing_a_paid_payment_changes_nothing
            a_saved_means_of_payment_is_charged
            what_happened_is_listed_once
            a_webhook_is_read_if_its_signature_is_right
        }
    };
    (@stamp ($start:expr) $($case:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::suite::processor::$case(&$start().await).await;
        }
    )+};
}

/// A payment at the processor of a fixture.
struct Case {
    processor: Arc<dyn Processor>,
    terms: PaymentTerms,
}

fn usd(minor: i64) -> Money {
    Money::new(minor, commerce_core::money::Currency::USD)
}

fn fresh() -> Uuid {
    Uuid::now_v7()
}

impl Case {
    fn new<F: Fixture>(fixture: &F, capture: CaptureMode) -> Self {
        let id = fresh().to_string();
        let (payment, order) = (parse(&id), parse(&fresh().to_string()));
        let terms = PaymentTerms {
            payment,
            order,
            user: parse("ann"),
            amount: usd(10_000),
            method: None,
            capture,
            reference: None,
        };
        Self { processor: fixture.processor(), terms }
    }

    /// A payment of 100.00 that is held, or taken, by now.
    async fn approved<F: Fixture>(fixture: &F, capture: CaptureMode) -> Self {
        let mut case = Self::new(fixture, capture).opened().await;
        let request = case.authorize(fixture.token(Wanted::Approved).unwrap());
        case.terms.reference = case.succeeds(&request).await.payment_reference;
        case
    }

    async fn opened(mut self) -> Self {
        if self.processor.must_open() {
            self.terms.reference = Some(self.processor.open(&self.terms).await.unwrap().reference);
        }
        self
    }

    fn request(&self, minor: i64, action: OperationAction) -> OperationRequest {
        OperationRequest { id: OperationId::new(fresh()), payment: self.terms.clone(), amount: usd(minor), action }
    }

    fn authorize(&self, token: &str) -> OperationRequest {
        self.request(10_000, OperationAction::Authorize { token: PaymentToken::new(token.into()) })
    }

    async fn perform(&self, request: &OperationRequest) -> OperationAnswer {
        self.processor.perform(request).await.unwrap()
    }

    async fn find(&self, request: &OperationRequest) -> Option<OperationAnswer> {
        self.processor.find(&request.lookup()).await.unwrap()
    }

    /// Performs an operation that succeeds with its amount.
    async fn succeeds(&self, request: &OperationRequest) -> OperationAnswer {
        let answer = self.perform(request).await;
        assert_eq!(answer.outcome, OperationOutcome::Succeeded { amount: request.amount }, "{request:?}");
        answer
    }

    /// Performs an operation that is declined for its amount.
    async fn exceeds(&self, minor: i64, action: OperationAction) {
        let answer = self.perform(&self.request(minor, action.clone())).await;
        assert_eq!(code(&answer), Some(DeclineCode::InvalidAmount), "{action:?} of {minor}: {answer:?}");
    }
}

fn code(answer: &OperationAnswer) -> Option<DeclineCode> {
    match &answer.outcome {
        OperationOutcome::Declined(decline) => Some(decline.code),
        OperationOutcome::Succeeded { .. } | OperationOutcome::Pending { .. } => None,
    }
}

const fn capture(is_final: bool) -> OperationAction {
    OperationAction::Capture { is_final }
}

/// With automatic capture, what is authorized can be paid back at once.
pub async fn an_approved_payment_is_taken_at_once<F: Fixture>(fixture: &F) {
    let case = Case::approved(fixture, CaptureMode::Automatic).await;
    case.exceeds(1, capture(false)).await;
    case.succeeds(&case.request(10_000, OperationAction::Refund)).await;
}

/// A repetition gets the first answer, with another token, too.
pub async fn an_operation_is_performed_once<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture, CaptureMode::Automatic).opened().await;
    let request = case.authorize(fixture.token(Wanted::Approved).unwrap());
    let first = case.succeeds(&request).await;
    assert_eq!(case.perform(&request).await, first);
    let other = OperationRequest { action: case.authorize("tok_other").action, ..request };
    assert_eq!(case.perform(&other).await, first);
    case.succeeds(&case.request(10_000, OperationAction::Refund)).await;
    case.exceeds(1, OperationAction::Refund).await;
}

/// Ten calls with one id.
pub async fn an_operation_sent_at_once_is_performed_once<F: Fixture>(fixture: &F) {
    let case = Case::approved(fixture, CaptureMode::Automatic).await;
    let refund = case.request(6_000, OperationAction::Refund);
    for answer in at_once(&case, vec![refund; 10]).await {
        assert_eq!(answer.outcome, OperationOutcome::Succeeded { amount: usd(6_000) });
    }
    case.exceeds(4_001, OperationAction::Refund).await;
    case.succeeds(&case.request(4_000, OperationAction::Refund)).await;
}

async fn at_once(case: &Case, requests: Vec<OperationRequest>) -> Vec<OperationAnswer> {
    let send = |request: OperationRequest| {
        let processor = Arc::clone(&case.processor);
        tokio::spawn(async move { processor.perform(&request).await })
    };
    let sent: Vec<_> = requests.into_iter().map(send).collect();
    let mut answers = Vec::with_capacity(sent.len());
    for answer in sent {
        answers.push(answer.await.unwrap().unwrap());
    }
    answers
}

/// A decline is an answer. The next attempt has an id of its own.
pub async fn a_decline_has_a_code_and_moves_nothing<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture, CaptureMode::Automatic).opened().await;
    let Some(token) = fixture.token(Wanted::Declined) else { return };
    let request = case.authorize(token);
    let declined = case.perform(&request).await;
    assert_eq!(code(&declined).map(DeclineCode::class), Some(DeclineClass::AskCustomer), "{declined:?}");
    assert_eq!(case.perform(&request).await, declined);
    case.succeeds(&case.authorize(fixture.token(Wanted::Approved).unwrap())).await;
}

/// It is found with the answer that it got.
pub async fn what_was_performed_is_found<F: Fixture>(fixture: &F) {
    let case = Case::approved(fixture, CaptureMode::Automatic).await;
    let refund = case.request(2_500, OperationAction::Refund);
    let answer = case.succeeds(&refund).await;
    let found = case.find(&refund).await;
    assert_eq!(found.map(|found| (found.outcome, found.reference)), Some((answer.outcome, answer.reference)));
}

/// Of a payment that is known or not.
pub async fn an_operation_that_was_never_sent_is_not_found<F: Fixture>(fixture: &F) {
    let unknown = Case::new(fixture, CaptureMode::Automatic);
    assert_eq!(unknown.find(&unknown.authorize("tok")).await, None);
    let known = Case::approved(fixture, CaptureMode::Automatic).await;
    assert_eq!(known.find(&known.request(1_000, OperationAction::Refund)).await, None);
}

/// Whether it happened is not known at first. It did not.
pub async fn a_lost_request_is_not_found<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture, CaptureMode::Automatic).opened().await;
    let Some(token) = fixture.token(Wanted::RequestLost) else { return };
    let request = case.authorize(token);
    let error = case.processor.perform(&request).await.unwrap_err();
    assert!(matches!(error, ProcessorError::Unknown(_)), "{error}");
    assert_eq!(case.find(&request).await, None);
}

/// Whether it happened is not known at first. It did.
pub async fn a_lost_answer_is_found<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture, CaptureMode::Automatic).opened().await;
    let Some(token) = fixture.token(Wanted::AnswerLost) else { return };
    let request = case.authorize(token);
    let error = case.processor.perform(&request).await.unwrap_err();
    assert!(matches!(error, ProcessorError::Unknown(_)), "{error}");
    let found = case.find(&request).await.unwrap();
    assert_eq!(found.outcome, OperationOutcome::Succeeded { amount: usd(10_000) });
    assert_eq!(case.perform(&request).await.outcome, found.outcome);
}

/// The error promises it.
pub async fn without_a_connection_nothing_is_done<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture, CaptureMode::Automatic).opened().await;
    let Some(token) = fixture.token(Wanted::Unreachable) else { return };
    let request = case.authorize(token);
    let error = case.processor.perform(&request).await.unwrap_err();
    assert!(matches!(error, ProcessorError::NotDone(_)), "{error}");
    assert_eq!(case.find(&request).await, None);
}

/// And then stays as it is.
pub async fn what_is_pending_becomes_final<F: Fixture>(fixture: &F) {
    for (wanted, succeeds) in [(Wanted::PendingThenApproved, true), (Wanted::PendingThenDeclined, false)] {
        let case = Case::new(fixture, CaptureMode::Automatic).opened().await;
        let Some(token) = fixture.token(wanted) else { continue };
        let request = case.authorize(token);
        let pending = case.perform(&request).await;
        assert!(!pending.is_final(), "{pending:?}");
        case.exceeds(1, OperationAction::Refund).await;
        let found = case.find(&request).await.unwrap();
        assert!(found.is_final(), "{found:?}");
        assert_eq!(matches!(found.outcome, OperationOutcome::Succeeded { .. }), succeeds, "{found:?}");
        assert_eq!(case.find(&request).await.map(|again| again.outcome), Some(found.outcome));
    }
}

/// 100.00 in 60.00 and 40.00.
pub async fn a_hold_is_taken_in_parts<F: Fixture>(fixture: &F) {
    let case = Case::approved(fixture, CaptureMode::Manual).await;
    case.exceeds(1, OperationAction::Refund).await;
    case.succeeds(&case.request(6_000, capture(false))).await;
    case.succeeds(&case.request(4_000, capture(false))).await;
    case.exceeds(1, capture(false)).await;
    case.succeeds(&case.request(10_000, OperationAction::Refund)).await;
}

/// 60.00 of 100.00, and no more.
pub async fn the_final_capture_gives_back_the_rest<F: Fixture>(fixture: &F) {
    let case = Case::approved(fixture, CaptureMode::Manual).await;
    case.succeeds(&case.request(6_000, capture(true))).await;
    case.exceeds(1, capture(false)).await;
    case.exceeds(6_001, OperationAction::Refund).await;
    case.succeeds(&case.request(6_000, OperationAction::Refund)).await;
}

/// Nothing is taken by a capture that exceeds the hold.
pub async fn no_more_is_taken_than_is_held<F: Fixture>(fixture: &F) {
    let case = Case::approved(fixture, CaptureMode::Manual).await;
    case.exceeds(10_001, capture(false)).await;
    case.succeeds(&case.request(10_000, capture(false))).await;
    case.exceeds(1, OperationAction::Void).await;
}

/// Nothing is taken after it.
pub async fn a_void_gives_back_what_is_held<F: Fixture>(fixture: &F) {
    let case = Case::approved(fixture, CaptureMode::Manual).await;
    case.succeeds(&case.request(10_000, OperationAction::Void)).await;
    case.exceeds(1, capture(false)).await;
    case.exceeds(1, OperationAction::Refund).await;
}

/// Not in one and not in several.
pub async fn no_more_is_paid_back_than_was_taken<F: Fixture>(fixture: &F) {
    let case = Case::approved(fixture, CaptureMode::Automatic).await;
    case.exceeds(10_001, OperationAction::Refund).await;
    case.succeeds(&case.request(6_000, OperationAction::Refund)).await;
    case.exceeds(6_000, OperationAction::Refund).await;
    case.succeeds(&case.request(4_000, OperationAction::Refund)).await;
}

/// Ten refunds of 60.00 on 100.00: one.
pub async fn refunds_at_once_pay_back_no_more_than_was_taken<F: Fixture>(fixture: &F) {
    let case = Case::approved(fixture, CaptureMode::Automatic).await;
    let refunds = (0..10).map(|_| case.request(6_000, OperationAction::Refund)).collect();
    let answers = at_once(&case, refunds).await;
    let paid = answers.iter().filter(|answer| matches!(answer.outcome, OperationOutcome::Succeeded { .. })).count();
    assert_eq!(paid, 1, "{answers:?}");
}

/// The same reference.
pub async fn opening_twice_gives_one_payment<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture, CaptureMode::Automatic);
    let first = case.processor.open(&case.terms).await.unwrap();
    assert_eq!(case.processor.open(&case.terms).await.unwrap().reference, first.reference);
    let other = Case::new(fixture, CaptureMode::Automatic);
    assert_ne!(other.processor.open(&other.terms).await.unwrap().reference, first.reference);
}

/// However often it is closed. Nobody gets a secret any more.
pub async fn a_closed_payment_cannot_be_paid<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture, CaptureMode::Automatic).opened().await;
    if !case.processor.must_open() {
        return;
    }
    case.processor.close(&case.terms).await.unwrap();
    case.processor.close(&case.terms).await.unwrap();
    assert_eq!(case.processor.open(&case.terms).await.unwrap().client_secret, None);
    let paying = case.authorize(fixture.token(Wanted::Approved).unwrap());
    assert_eq!(code(&case.perform(&paying).await), Some(DeclineCode::InvalidAmount));
}

/// Its money can still be paid back.
pub async fn closing_a_paid_payment_changes_nothing<F: Fixture>(fixture: &F) {
    let case = Case::approved(fixture, CaptureMode::Automatic).await;
    case.processor.close(&case.terms).await.unwrap();
    case.succeeds(&case.request(10_000, OperationAction::Refund)).await;
}

/// By its reference. It can be forgotten twice.
pub async fn a_saved_means_of_payment_is_charged<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture, CaptureMode::Automatic).opened().await;
    let Some(means) = case.processor.saved_means() else { return };
    let token = Some(PaymentToken::new(fixture.token(Wanted::Approved).unwrap().into()));
    let asked = SetupRequest { id: PaymentMethodId::new(fresh()), user: parse("ann"), token };
    let setup = means.start_setup(&asked).await.unwrap();
    let card = saved(&setup).unwrap();
    assert_eq!(card.last_four.as_str().chars().filter(char::is_ascii_digit).count(), 4, "{card:?}");
    assert_eq!(saved(&means.find_setup(&setup.reference).await.unwrap()).as_ref(), Some(&card));
    let token = PaymentToken::saved(&card.reference);
    case.succeeds(&case.request(10_000, OperationAction::Authorize { token })).await;
    means.forget(&card.reference).await.unwrap();
    means.forget(&card.reference).await.unwrap();
}

fn saved(setup: &Setup) -> Option<SavedCard> {
    match &setup.outcome {
        SetupOutcome::Saved(card) => Some(card.clone()),
        SetupOutcome::Pending | SetupOutcome::Declined(_) => None,
    }
}

/// All events of a payment, from page to page.
async fn events_of(case: &Case) -> Vec<ProcessorEvent> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = case.processor.list(cursor.as_deref()).await.unwrap();
        all.extend(page.events.into_iter().filter(|event| event.payment == Some(case.terms.payment)));
        let Some(next) = page.next else { return all };
        cursor = Some(next);
    }
}

/// Oldest first, each with an id of its own.
pub async fn what_happened_is_listed_once<F: Fixture>(fixture: &F) {
    let case = Case::approved(fixture, CaptureMode::Automatic).await;
    for minor in [1_000, 2_000, 3_000] {
        let refund = case.request(minor, OperationAction::Refund);
        case.succeeds(&refund).await;
        case.perform(&refund).await;
    }
    let events = events_of(&case).await;
    let seen: Vec<_> = events.iter().map(|event| (event.kind, event.amount.minor())).collect();
    let refunds = [1_000, 2_000, 3_000].map(|minor| (OperationKind::Refund, minor));
    assert_eq!(seen, [&[(OperationKind::Authorize, 10_000)][..], &refunds].concat());
    let mut ids: Vec<_> = events.iter().map(|event| &event.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), events.len(), "{events:?}");
}

/// Without its signature, changed or too old, it is refused.
pub async fn a_webhook_is_read_if_its_signature_is_right<F: Fixture>(fixture: &F) {
    let case = Case::approved(fixture, CaptureMode::Automatic).await;
    let at = Utc::now();
    let read = |headers: &[(String, String)], body: &[u8], at| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        case.processor.read_webhook(&Webhook { headers: &headers, body, at })
    };
    let event = events_of(&case).await.remove(0);
    let Some(SentWebhook { headers, body }) = fixture.webhook(at, &event) else {
        assert!(read(&[], b"{}", at).is_err());
        return;
    };
    assert_eq!(read(&headers, &body, at), Ok(vec![event]));
    assert_eq!(read(&[], &body, at), Err(WebhookRejection::Forged));
    assert_eq!(read(&headers, &[&body[..], b" "].concat(), at), Err(WebhookRejection::Forged));
    let late = read(&headers, &body, at + chrono::TimeDelta::days(1));
    assert!(matches!(late, Err(WebhookRejection::Stale { .. })), "{late:?}");
}
