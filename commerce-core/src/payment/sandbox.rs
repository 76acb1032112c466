//! The sandbox: a payment processor that moves no money.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use async_trait::async_trait;
use chrono::{Days, TimeDelta};
use serde_json::json;
use thiserror::Error;

use super::book::named;
use super::{
    BookEntry, Decline, DeclineCode, Details, NextAction, OperationAnswer, OperationKind, OperationOutcome,
    PaymentBook, Reference, SavedCard, Verdict,
};
use crate::ids::{OperationId, PaymentId};
use crate::port::{
    ClientSecret, Clock, OpenedPayment, OperationAction, OperationLookup, OperationRequest, PaymentTerms, Processor,
    ProcessorError, ProcessorEvent, ProcessorEvents, SavedMeans, Setup, SetupOutcome, SetupRequest, StoreError,
    Webhook, WebhookRejection,
};

/// A payment processor for development and tests. It decides by the token and moves no money.
///
/// | token | answer |
/// |---|---|
/// | `tok_ok` | approved |
/// | `tok_declined`, `tok_insufficient_funds`, `tok_expired_card`, `tok_blocked`, `tok_fraud` | declined |
/// | `tok_3ds` | pending with a page to open; asked again, it is approved |
/// | `tok_3ds_failed` | the same, but then declined |
/// | `tok_slow` | pending without anything to do; asked again, it is approved |
/// | `tok_timeout` | no answer, and no effect |
/// | `tok_timeout_paid` | no answer, although it is approved |
/// | `tok_unavailable` | [`ProcessorError::NotDone`] |
/// | `tok_late` | pending; two seconds later, an event tells that it is approved |
/// | `tok_reordered` | the same, and then comes an old event that tells that it is pending |
/// | `tok_duplicate` | the same, twice |
/// | `tok_dispute` | approved; two seconds later it is disputed, with evidence due in a week |
/// | `tok_dispute_won`, `tok_dispute_lost` | the same; the dispute ends two seconds later |
/// | anything else | declined, with a message that names the usual tokens |
///
/// Captures, refunds and voids are approved within the amounts. Its [books](Books) remember every operation.
#[derive(Clone, Debug)]
pub struct SandboxProcessor {
    books: Arc<dyn Books>,
    clock: Arc<dyn Clock>,
}

/// The books of the sandbox. They are no part of the shop's commits, like those of a real processor.
#[async_trait]
pub trait Books: Send + Sync + fmt::Debug {
    /// The book of a payment, with the number of times that it was written.
    async fn read(&self, payment: PaymentId) -> Result<(u64, PaymentBook), BooksUnavailable>;

    /// Writes the book of a payment with an event, if it was written as often as when it was read. Returns whether it was.
    async fn write(
        &self,
        payment: PaymentId,
        read: u64,
        book: PaymentBook,
        event: ProcessorEvent,
    ) -> Result<bool, BooksUnavailable>;

    /// Up to `limit` events after a number, oldest first, with their numbers from 1.
    async fn events(&self, after: u64, limit: u16) -> Result<Vec<(u64, ProcessorEvent)>, BooksUnavailable>;
}

/// The books cannot be read or written.
#[derive(Debug, Error)]
#[error("the books of the sandbox are not available: {0}")]
pub struct BooksUnavailable(pub Box<dyn core::error::Error + Send + Sync>);

impl From<StoreError> for BooksUnavailable {
    fn from(error: StoreError) -> Self {
        Self(Box::new(error))
    }
}

/// What a token stands for.
enum Script {
    Verdict(Verdict),
    LosesRequest,
    LosesAnswer,
    Unavailable,
}

impl Script {
    fn of(action: &OperationAction) -> Self {
        let OperationAction::Authorize { token } = action else { return Self::Verdict(Verdict::Approved) };
        let declined = |code| Self::Verdict(Verdict::Declined(code));
        match token.reveal() {
            "tok_ok" | "tok_dispute" | "tok_dispute_won" | "tok_dispute_lost" => Self::Verdict(Verdict::Approved),
            "tok_declined" => declined(DeclineCode::CardDeclined),
            "tok_insufficient_funds" => declined(DeclineCode::InsufficientFunds),
            "tok_expired_card" => declined(DeclineCode::ExpiredCard),
            "tok_blocked" => declined(DeclineCode::CardBlocked),
            "tok_fraud" => declined(DeclineCode::SuspectedFraud),
            "tok_3ds" => Self::Verdict(Verdict::Later(redirect(), None)),
            "tok_3ds_failed" => Self::Verdict(Verdict::Later(redirect(), Some(DeclineCode::AuthenticationFailed))),
            "tok_slow" | "tok_late" | "tok_reordered" | "tok_duplicate" => {
                Self::Verdict(Verdict::Later(OperationOutcome::Pending { next: None }, None))
            }
            "tok_timeout" => Self::LosesRequest,
            "tok_timeout_paid" => Self::LosesAnswer,
            "tok_unavailable" => Self::Unavailable,
            _ => declined(DeclineCode::IncorrectDetails),
        }
    }

    fn verdict(self) -> Result<Verdict, ProcessorError> {
        match self {
            Self::Verdict(verdict) => Ok(verdict),
            Self::LosesAnswer => Ok(Verdict::Approved),
            Self::LosesRequest => Err(ProcessorError::Unknown("the token tok_timeout gets no answer".into())),
            Self::Unavailable => Err(ProcessorError::NotDone("the token tok_unavailable gets no connection".into())),
        }
    }
}

/// What an event tells after the answer to an authorization.
#[derive(Clone, Copy)]
enum News {
    Approved,
    StillPending,
    DisputeOpened,
    DisputeWon,
    DisputeLost,
}

impl News {
    /// What a token stands for, each with the seconds after the answer.
    const fn of(token: &str) -> &'static [(i64, Self)] {
        match token.as_bytes() {
            b"tok_late" => &[(2, Self::Approved)],
            b"tok_reordered" => &[(2, Self::Approved), (2, Self::StillPending)],
            b"tok_duplicate" => &[(2, Self::Approved), (2, Self::Approved)],
            b"tok_dispute" => &[(2, Self::DisputeOpened)],
            b"tok_dispute_won" => &[(2, Self::DisputeOpened), (4, Self::DisputeWon)],
            b"tok_dispute_lost" => &[(2, Self::DisputeOpened), (4, Self::DisputeLost)],
            _ => &[],
        }
    }

    /// The event, given that of the authorization.
    fn event(self, event: ProcessorEvent) -> ProcessorEvent {
        let outcome = match self {
            Self::Approved => return event,
            Self::StillPending | Self::DisputeOpened => OperationOutcome::Pending { next: None },
            Self::DisputeWon => OperationAnswer::declined(DeclineCode::InvalidAmount).outcome,
            Self::DisputeLost => OperationOutcome::Succeeded { amount: event.amount },
        };
        if matches!(self, Self::StillPending) {
            return ProcessorEvent { answer: OperationAnswer { outcome, ..event.answer }, ..event };
        }
        let due = matches!(self, Self::DisputeOpened).then(|| event.at.checked_add_days(Days::new(7)));
        let details = Details::new(json!({ "reason": "fraudulent", "evidence_due_by": due }));
        let reference = event.operation.and_then(|id| named("dispute", &id));
        let answer = OperationAnswer { outcome, reference, details, ..event.answer };
        ProcessorEvent { operation: None, kind: OperationKind::Dispute, answer, ..event }
    }
}

/// The page of an authentication that the sandbox takes as done.
fn redirect() -> OperationOutcome {
    let url = "https://sandbox.invalid/authenticate".parse().ok();
    OperationOutcome::Pending { next: url.map(|url| NextAction::Redirect { url }) }
}

impl SandboxProcessor {
    /// A sandbox with books and the clock that dates its events.
    pub fn new(books: Arc<dyn Books>, clock: Arc<dyn Clock>) -> Self {
        Self { books, clock }
    }

    /// A sandbox that forgets everything when it is dropped, with the clock of the system.
    #[cfg(feature = "std")]
    pub fn in_memory() -> Self {
        Self::new(Arc::new(MemoryBooks::default()), Arc::new(crate::system::SystemClock))
    }

    /// Changes the book of a payment as long as others change it at the same time. The first attempt is made on an empty book, if
    /// one is given, without reading. Returns the answer to an operation, and whether the book changed.
    async fn change(
        &self,
        (payment, mut empty): (PaymentId, Option<PaymentBook>),
        id: OperationId,
        change: impl Fn(&mut PaymentBook) -> Result<(), ProcessorError> + Send + Sync,
    ) -> Result<Option<(OperationAnswer, bool)>, ProcessorError> {
        loop {
            let (read, before) = match empty.take() {
                Some(book) => (0, book),
                None => self.books.read(payment).await.map_err(not_done)?,
            };
            let mut after = before.clone();
            change(&mut after)?;
            let Some(entry) = after.find(id) else { return Ok(None) };
            let answer = entry.answer.clone();
            if before == after {
                return Ok(Some((answer, false)));
            }
            let event = self.event(payment, entry, read.saturating_add(1));
            if self.books.write(payment, read, after, event).await.map_err(unknown)? {
                return Ok(Some((answer, true)));
            }
        }
    }

    /// Writes the events that a token stands for.
    async fn tell(&self, request: &OperationRequest) -> Result<(), BooksUnavailable> {
        let OperationAction::Authorize { token } = &request.action else { return Ok(()) };
        for (seconds, news) in News::of(token.reveal()) {
            while !self.tell_once(request, TimeDelta::seconds(*seconds), *news).await? {}
        }
        Ok(())
    }

    /// Returns whether it was written. What is approved is so at once; the event is listed when it is due.
    async fn tell_once(
        &self,
        request: &OperationRequest,
        after: TimeDelta,
        news: News,
    ) -> Result<bool, BooksUnavailable> {
        let payment = request.payment.payment;
        let (read, mut book) = self.books.read(payment).await?;
        book.settle(request.id);
        let Some(entry) = book.find(request.id) else { return Ok(true) };
        let event = self.event(payment, entry, read.saturating_add(1));
        let at = event.at.checked_add_signed(after).unwrap_or(event.at);
        let event = news.event(ProcessorEvent { at, ..event });
        self.books.write(payment, read, book, event).await
    }

    fn event(&self, payment: PaymentId, entry: &BookEntry, number: u64) -> ProcessorEvent {
        ProcessorEvent {
            id: event_id(payment, number),
            at: self.clock.now(),
            payment: Some(payment),
            operation: Some(entry.id),
            kind: entry.kind,
            amount: entry.amount,
            answer: entry.answer.clone(),
        }
    }
}

#[expect(clippy::expect_used, reason = "it is short and printable")]
fn event_id(payment: PaymentId, number: u64) -> Reference {
    alloc::format!("event-{payment}-{number}").parse().expect("it is one line")
}

fn not_done(error: BooksUnavailable) -> ProcessorError {
    ProcessorError::NotDone(Box::new(error))
}

fn unknown(error: BooksUnavailable) -> ProcessorError {
    ProcessorError::Unknown(Box::new(error))
}

/// How many events [`Processor::list`] gives at a time.
const LISTED: u16 = 100;

#[async_trait]
impl Processor for SandboxProcessor {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn names_payments(&self) -> bool {
        true
    }

    async fn open(&self, payment: &PaymentTerms) -> Result<OpenedPayment, ProcessorError> {
        let reference = named("pay", &payment.payment).ok_or_else(|| ProcessorError::NotDone("no reference".into()))?;
        let client_secret = Some(ClientSecret::new(alloc::format!("{reference}-secret")));
        Ok(OpenedPayment { reference, client_secret })
    }

    async fn close(&self, _payment: &PaymentTerms) -> Result<(), ProcessorError> {
        Ok(())
    }

    fn saved_means(&self) -> Option<&dyn SavedMeans> {
        Some(self)
    }

    async fn perform(&self, request: &OperationRequest) -> Result<OperationAnswer, ProcessorError> {
        let (payment, id) = (request.payment.payment, request.id);
        let enter = |book: &mut PaymentBook| {
            if book.find(id).is_none() {
                book.perform(request, Script::of(&request.action).verdict()?);
            }
            Ok(())
        };
        // Without a reference, the payment is probably new. If not, the book cannot be written, and is read. An error would be wrong then.
        let is_new = request.payment.reference.is_none() && Script::of(&request.action).verdict().is_ok();
        let empty = is_new.then(PaymentBook::default);
        let answer = match self.change((payment, empty), id, enter).await? {
            Some((known, false)) => return Ok(known),
            changed => changed.map(|(answer, _)| answer),
        };
        self.tell(request).await.map_err(unknown)?;
        match answer.filter(|_| !matches!(Script::of(&request.action), Script::LosesAnswer)) {
            Some(answer) => Ok(answer),
            None => Err(ProcessorError::Unknown("the token tok_timeout_paid gets no answer".into())),
        }
    }

    async fn find(&self, lookup: &OperationLookup) -> Result<Option<OperationAnswer>, ProcessorError> {
        let settle = |book: &mut PaymentBook| {
            book.settle(lookup.id);
            Ok(())
        };
        Ok(self.change((lookup.payment.payment, None), lookup.id, settle).await?.map(|(answer, _)| answer))
    }

    async fn list(&self, after: Option<&str>) -> Result<ProcessorEvents, ProcessorError> {
        let after = after.and_then(|cursor| cursor.parse().ok()).unwrap_or_default();
        let now = self.clock.now();
        let mut found = self.books.events(after, LISTED).await.map_err(not_done)?;
        found.truncate(found.iter().take_while(|(_, event)| event.at <= now).count());
        let next = found.last().map(|(number, _)| number.to_string());
        Ok(ProcessorEvents { events: found.into_iter().map(|(_, event)| event).collect(), next })
    }

    fn read_webhook(&self, _webhook: &Webhook<'_>) -> Result<Vec<ProcessorEvent>, WebhookRejection> {
        Err(WebhookRejection::Unsupported)
    }
}

/// A token is saved as what it is, so that charges later are decided by it. Without a token, the customer enters a card that is
/// approved before the setup is asked for again.
#[async_trait]
impl SavedMeans for SandboxProcessor {
    async fn start_setup(&self, request: &SetupRequest) -> Result<Setup, ProcessorError> {
        let reference = named("setup", &request.id).ok_or_else(|| ProcessorError::NotDone("no reference".into()))?;
        let Some(token) = &request.token else {
            let client_secret = Some(ClientSecret::new(alloc::format!("{reference}-secret")));
            return Ok(Setup { reference, client_secret, outcome: SetupOutcome::Pending });
        };
        let unknown = || SetupOutcome::Declined(Decline::new(DeclineCode::IncorrectDetails));
        let outcome = card_of(token.reveal()).map_or_else(unknown, SetupOutcome::Saved);
        Ok(Setup { reference, client_secret: None, outcome })
    }

    async fn find_setup(&self, setup: &Reference) -> Result<Setup, ProcessorError> {
        let outcome = card_of("tok_ok").map_or(SetupOutcome::Pending, SetupOutcome::Saved);
        Ok(Setup { reference: setup.clone(), client_secret: None, outcome })
    }

    async fn forget(&self, _saved: &Reference) -> Result<(), ProcessorError> {
        Ok(())
    }
}

/// The card that a token of the sandbox stands for.
fn card_of(token: &str) -> Option<SavedCard> {
    let last_four = match token {
        "tok_ok" => "4242",
        "tok_declined" => "0002",
        "tok_insufficient_funds" => "9995",
        "tok_expired_card" => "0069",
        "tok_blocked" => "9987",
        "tok_fraud" => "0019",
        "tok_3ds" => "3155",
        "tok_3ds_failed" => "3178",
        "tok_slow" => "0077",
        "tok_timeout" | "tok_timeout_paid" | "tok_unavailable" => "0119",
        _ => return None,
    };
    Some(SavedCard { reference: token.parse().ok()?, brand: "visa".parse().ok()?, last_four: last_four.parse().ok()? })
}

/// Books in memory. They forget the oldest payments and events beyond [`MemoryBooks::MAX`].
#[cfg(feature = "std")]
#[derive(Debug, Default)]
pub struct MemoryBooks(std::sync::Mutex<MemoryPages>);

#[cfg(feature = "std")]
#[derive(Debug, Default)]
struct MemoryPages {
    books: alloc::collections::BTreeMap<PaymentId, (u64, PaymentBook)>,
    events: alloc::collections::VecDeque<ProcessorEvent>,
    /// The number of events that were forgotten.
    forgotten: u64,
}

#[cfg(feature = "std")]
impl MemoryPages {
    fn forget(&mut self) {
        if self.books.len() > MemoryBooks::MAX {
            self.books.pop_first(); // ids grow with time
        }
        if self.events.len() > MemoryBooks::MAX {
            self.events.pop_front();
            self.forgotten = self.forgotten.saturating_add(1);
        }
    }
}

#[cfg(feature = "std")]
impl MemoryBooks {
    /// The maximum number of payments, and of events.
    pub const MAX: usize = 100_000;

    /// The books of all payments, by their ids.
    pub fn all(&self) -> Vec<(PaymentId, PaymentBook)> {
        self.pages().books.iter().map(|(payment, (_, book))| (*payment, book.clone())).collect()
    }

    fn pages(&self) -> std::sync::MutexGuard<'_, MemoryPages> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(feature = "std")]
#[async_trait]
impl Books for MemoryBooks {
    async fn read(&self, payment: PaymentId) -> Result<(u64, PaymentBook), BooksUnavailable> {
        Ok(self.pages().books.get(&payment).cloned().unwrap_or_default())
    }

    async fn write(
        &self,
        payment: PaymentId,
        read: u64,
        book: PaymentBook,
        event: ProcessorEvent,
    ) -> Result<bool, BooksUnavailable> {
        let mut pages = self.pages();
        let place = pages.books.entry(payment).or_default();
        if place.0 != read {
            return Ok(false);
        }
        *place = (read.saturating_add(1), book);
        pages.events.push_back(event);
        pages.forget();
        Ok(true)
    }

    async fn events(&self, after: u64, limit: u16) -> Result<Vec<(u64, ProcessorEvent)>, BooksUnavailable> {
        let pages = self.pages();
        let skipped = usize::try_from(after.saturating_sub(pages.forgotten)).unwrap_or(usize::MAX);
        let numbers = (1..).map(|step| pages.forgotten.saturating_add(step));
        Ok(numbers.zip(pages.events.iter().cloned()).skip(skipped).take(limit.into()).collect())
    }
}
