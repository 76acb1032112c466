use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use commerce_core::ids::PaymentId;
use commerce_core::payment::{
    BookEntry, DeclineCode, OperationAnswer, OperationKind, OperationOutcome, PaymentBook, Verdict,
};
use commerce_core::port::{
    ClientSecret, OpenedPayment, OperationLookup, OperationRequest, PaymentTerms, Processor, ProcessorError,
    ProcessorEvent, ProcessorEvents, Webhook, WebhookRejection,
};

use crate::commit_builder::parse;

/// A payment processor that records the money it moved, and that fails on demand.
///
/// It keeps the contract of the port in every mode. Its webhooks are signed with a checksum.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use commerce_core::payment::PaymentBook;
/// use commerce_core::port::{OperationAction, OperationRequest, PaymentTerms, PaymentToken, Processor};
/// use commerce_testkit::commit_builder::parse;
/// use commerce_testkit::{FakeProcessor, ProcessorBehavior};
///
/// let (processor, id) = (FakeProcessor::new(), "01890000-0000-7000-8000-000000000001");
/// let amount = "5.00 USD".parse().unwrap();
/// let (method, capture, reference) = (None, Default::default(), None);
/// let payment =
///     PaymentTerms { payment: parse(id), order: parse(id), user: parse("ann"), amount, method, capture, reference };
/// let action = OperationAction::Authorize { token: PaymentToken::new("tok".into()) };
/// let request = OperationRequest { id: parse(id), payment, amount, action };
///
/// processor.be(ProcessorBehavior::LosesAnswers);
/// assert!(processor.perform(&request).await.is_err());
/// assert_eq!(processor.books()[&parse(id)].captured(), 500);
/// # });
/// ```
#[derive(Debug, Default)]
pub struct FakeProcessor {
    state: Mutex<State>,
    must_open: bool,
}

/// How a [`FakeProcessor`] treats operations that it does not know yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProcessorBehavior {
    /// Approves them.
    #[default]
    Answers,
    /// Declines them.
    Declines,
    /// Answers that they are pending; it approves them when it is asked again.
    Hesitates,
    /// Does nothing and says so. Nor does it answer what it knows.
    Unavailable,
    /// Does nothing and gives no answer. Nor does it answer what it knows.
    LosesRequests,
    /// Approves them but gives no answer. Nor does it answer what it knows.
    LosesAnswers,
}

#[derive(Debug, Default)]
struct State {
    behavior: ProcessorBehavior,
    books: BTreeMap<PaymentId, PaymentBook>,
    /// The payments that were opened, and whether they are open.
    opened: BTreeMap<PaymentId, bool>,
    events: Vec<ProcessorEvent>,
    calls: u64,
}

/// The header with the checksum of a webhook.
const SIGNATURE: &str = "x-signature";

impl FakeProcessor {
    /// How old a webhook may be.
    pub const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

    /// A processor that approves everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, but payments must be opened before they can be paid.
    pub fn that_must_open() -> Self {
        Self { must_open: true, ..Self::default() }
    }

    /// Changes the behaviour.
    pub fn be(&self, behavior: ProcessorBehavior) {
        self.state().behavior = behavior;
    }

    /// The books of all payments.
    pub fn books(&self) -> BTreeMap<PaymentId, PaymentBook> {
        self.state().books.clone()
    }

    /// The payments that were opened, and whether the customer can pay them.
    pub fn opened(&self) -> BTreeMap<PaymentId, bool> {
        self.state().opened.clone()
    }

    /// Everything that happened, oldest first, in any mode.
    pub fn events(&self) -> Vec<ProcessorEvent> {
        self.state().events.clone()
    }

    /// The number of calls, repetitions included.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// The value of the header `x-signature` and the body of a webhook that was sent at an instant.
    ///
    /// # Panics
    /// Never: events are JSON.
    #[expect(clippy::expect_used, reason = "events are JSON")]
    pub fn webhook(at: DateTime<Utc>, events: &[ProcessorEvent]) -> (String, Vec<u8>) {
        let body = serde_json::to_vec(events).expect("events are JSON");
        (format!("{} {}", at.timestamp(), checksum(at.timestamp(), &body)), body)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Applies the behaviour to a call and its answer.
    fn call<T>(&mut self, call: impl FnOnce(&mut Self) -> T) -> Result<T, ProcessorError> {
        self.calls = self.calls.saturating_add(1);
        match self.behavior {
            ProcessorBehavior::Unavailable => Err(ProcessorError::NotDone("it was told to be unavailable".into())),
            ProcessorBehavior::LosesRequests => Err(ProcessorError::Unknown("it was told to lose requests".into())),
            ProcessorBehavior::LosesAnswers => {
                call(self);
                Err(ProcessorError::Unknown("it was told to lose its answers".into()))
            }
            ProcessorBehavior::Answers | ProcessorBehavior::Declines | ProcessorBehavior::Hesitates => Ok(call(self)),
        }
    }

    const fn verdict(&self) -> Verdict {
        match self.behavior {
            ProcessorBehavior::Declines => Verdict::Declined(DeclineCode::CardDeclined),
            ProcessorBehavior::Hesitates => Verdict::Later(OperationOutcome::Pending { next: None }, None),
            ProcessorBehavior::Answers
            | ProcessorBehavior::Unavailable
            | ProcessorBehavior::LosesRequests
            | ProcessorBehavior::LosesAnswers => Verdict::Approved,
        }
    }

    fn perform(&mut self, request: &OperationRequest) -> OperationAnswer {
        let is_closed = self.opened.get(&request.payment.payment) == Some(&false);
        let is_closed = is_closed && request.action.kind() == OperationKind::Authorize;
        let verdict = if is_closed { Verdict::Declined(DeclineCode::InvalidAmount) } else { self.verdict() };
        let book = self.books.entry(request.payment.payment).or_default();
        let is_new = book.find(request.id).is_none();
        let answer = book.perform(request, verdict);
        let entry = book.find(request.id).cloned();
        self.events.extend(entry.filter(|_| is_new).map(|entry| event(request.payment.payment, entry)));
        answer
    }

    fn find(&mut self, lookup: &OperationLookup) -> Option<OperationAnswer> {
        let book = self.books.get_mut(&lookup.payment.payment)?;
        let settled = book.settle(lookup.id);
        let entry = book.find(lookup.id)?.clone();
        let answer = entry.answer.clone();
        self.events.extend(settled.then(|| event(lookup.payment.payment, entry)));
        Some(answer)
    }
}

fn event(payment: PaymentId, entry: BookEntry) -> ProcessorEvent {
    let stage = if entry.answer.is_final() { "final" } else { "pending" };
    ProcessorEvent {
        id: parse(&format!("event-{}-{stage}", entry.id)),
        at: DateTime::UNIX_EPOCH,
        payment: Some(payment),
        operation: Some(entry.id),
        kind: entry.kind,
        amount: entry.amount,
        answer: entry.answer,
    }
}

fn checksum(at: i64, body: &[u8]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    body.iter().fold(at.unsigned_abs(), |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(PRIME))
}

#[async_trait]
impl Processor for FakeProcessor {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn must_open(&self) -> bool {
        self.must_open
    }

    async fn open(&self, payment: &PaymentTerms) -> Result<OpenedPayment, ProcessorError> {
        let reference = format!("pay-{}", payment.payment);
        self.state().call(|state| {
            let is_open = *state.opened.entry(payment.payment).or_insert(true);
            let client_secret = is_open.then(|| ClientSecret::new(format!("{reference}-secret")));
            OpenedPayment { reference: parse(&reference), client_secret }
        })
    }

    async fn close(&self, payment: &PaymentTerms) -> Result<(), ProcessorError> {
        self.state().call(|state| {
            state.opened.insert(payment.payment, false);
        })
    }

    async fn perform(&self, request: &OperationRequest) -> Result<OperationAnswer, ProcessorError> {
        self.state().call(|state| state.perform(request))
    }

    async fn find(&self, lookup: &OperationLookup) -> Result<Option<OperationAnswer>, ProcessorError> {
        self.state().call(|state| state.find(lookup))
    }

    async fn list(&self, after: Option<&str>) -> Result<ProcessorEvents, ProcessorError> {
        let skipped = after.and_then(|cursor| cursor.parse::<usize>().ok()).unwrap_or_default();
        let events =
            self.state().call(|state| state.events.iter().skip(skipped).take(2).cloned().collect::<Vec<_>>())?;
        let next = (!events.is_empty()).then(|| skipped.saturating_add(events.len()).to_string());
        Ok(ProcessorEvents { events, next })
    }

    fn read_webhook(&self, webhook: &Webhook<'_>) -> Result<Vec<ProcessorEvent>, WebhookRejection> {
        let signature = webhook.header(SIGNATURE).and_then(|value| value.split_once(' '));
        let (sent, sum) = signature.ok_or(WebhookRejection::Forged)?;
        let sent = sent.parse::<i64>().map_err(|_| WebhookRejection::Forged)?;
        if sum != checksum(sent, webhook.body).to_string() {
            return Err(WebhookRejection::Forged);
        }
        let age_seconds = webhook.at.timestamp().saturating_sub(sent);
        if age_seconds.abs() > Self::TOLERANCE.num_seconds() {
            return Err(WebhookRejection::Stale { age_seconds });
        }
        serde_json::from_slice(webhook.body).map_err(|_| WebhookRejection::Malformed(parse("not a list of events")))
    }
}
