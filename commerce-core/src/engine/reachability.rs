//! Whether the payment processor can be reached, as far as the calls of this process tell.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Engine;
use crate::payment::OperationAnswer;
use crate::port::{
    Clock, OpenedPayment, OperationLookup, OperationRequest, PaymentTerms, Processor, ProcessorError, ProcessorEvent,
    ProcessorEvents, SavedMeans, Webhook, WebhookRejection,
};

/// How many calls in a row get no answer before the processor counts as unreachable.
const FAILURES: u32 = 3;

/// The payment processor does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessorOutage {
    /// When the first call got no answer, to the second.
    pub since: DateTime<Utc>,
    /// Calls without an answer, none of which was followed by one with an answer.
    pub failures: u32,
}

/// What the calls so far tell. Times are in seconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Reachability {
    failures: AtomicU32,
    failed_since: AtomicU32,
    answered: AtomicU32,
}

impl Reachability {
    fn note(&self, answered: bool, at: DateTime<Utc>) {
        let second = u32::try_from(at.timestamp()).unwrap_or_default();
        if answered {
            self.failures.store(0, Ordering::Relaxed);
            self.answered.store(second, Ordering::Relaxed);
        } else if self.failures.fetch_add(1, Ordering::Relaxed) == 0 {
            self.failed_since.store(second, Ordering::Relaxed);
        }
    }

    fn outage(&self) -> Option<ProcessorOutage> {
        let failures = self.failures.load(Ordering::Relaxed);
        let since = DateTime::from_timestamp(self.failed_since.load(Ordering::Relaxed).into(), 0)?;
        (failures >= FAILURES).then_some(ProcessorOutage { since, failures })
    }

    /// Whether a call was answered after an instant.
    fn has_answered_since(&self, at: DateTime<Utc>) -> bool {
        i64::from(self.answered.load(Ordering::Relaxed)) > at.timestamp()
    }
}

impl Engine {
    /// The outage of the payment processor, if this process knows of one: it has called the processor, and the last calls got no
    /// answer. It makes no call.
    pub fn processor_outage(&self) -> Option<ProcessorOutage> {
        self.reachability.outage()
    }

    /// Whether the processor cannot be reached, given when a call of the shop got no answer, whichever process made it.
    pub(super) fn is_processor_away(&self, unanswered: Option<DateTime<Utc>>) -> bool {
        self.processor_outage().is_some() || unanswered.is_some_and(|at| !self.reachability.has_answered_since(at))
    }
}

/// A processor whose calls are noted.
#[derive(Debug)]
pub(super) struct WatchedProcessor {
    pub(super) processor: Arc<dyn Processor>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) reachability: Arc<Reachability>,
}

impl WatchedProcessor {
    fn noted<T>(&self, answer: Result<T, ProcessorError>) -> Result<T, ProcessorError> {
        self.reachability.note(answer.is_ok(), self.clock.now());
        answer
    }
}

#[async_trait]
impl Processor for WatchedProcessor {
    fn name(&self) -> &'static str {
        self.processor.name()
    }

    fn must_open(&self) -> bool {
        self.processor.must_open()
    }

    fn names_payments(&self) -> bool {
        self.processor.names_payments()
    }

    async fn open(&self, payment: &PaymentTerms) -> Result<OpenedPayment, ProcessorError> {
        let opened = self.processor.open(payment).await;
        // Otherwise there was no call.
        if self.processor.must_open() { self.noted(opened) } else { opened }
    }

    async fn close(&self, payment: &PaymentTerms) -> Result<(), ProcessorError> {
        self.noted(self.processor.close(payment).await)
    }

    fn saved_means(&self) -> Option<&dyn SavedMeans> {
        self.processor.saved_means()
    }

    async fn perform(&self, request: &OperationRequest) -> Result<OperationAnswer, ProcessorError> {
        self.noted(self.processor.perform(request).await)
    }

    async fn find(&self, lookup: &OperationLookup) -> Result<Option<OperationAnswer>, ProcessorError> {
        self.noted(self.processor.find(lookup).await)
    }

    async fn list(&self, after: Option<&str>) -> Result<ProcessorEvents, ProcessorError> {
        self.noted(self.processor.list(after).await)
    }

    fn read_webhook(&self, webhook: &Webhook<'_>) -> Result<alloc::vec::Vec<ProcessorEvent>, WebhookRejection> {
        self.processor.read_webhook(webhook)
    }
}
