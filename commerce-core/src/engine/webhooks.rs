//! Use cases of events that processors send.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::actor::Actor;
use crate::commit::Commit;
use crate::document::{DocumentFilter, DocumentId, DocumentKind};
use crate::ids::{EventId, OperationId, PaymentId};
use crate::payment::{EventCursor, Finding, Payment, ReceivedEvent, ReceivedState, Subject};
use crate::permission::Permission;
use crate::port::{OrderRef, Page, PageRequest, ProcessorEvent, Webhook};
use crate::stock::StockRefusal;

use super::payments::PaymentChange;
use super::{Decided, Decision, Engine, EngineError, Resource, Result};

/// The maximum number of events that are tried again when their payment appears.
const RETRIED: u16 = 20;

impl Engine {
    /// Verifies and stores the events of a webhook. What follows from them is done by their tasks. An event that is known
    /// changes nothing.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if the shop has no processor of this name, [`EngineError::Webhook`] if it is not believed.
    pub async fn receive_webhook(&self, processor: &str, webhook: &Webhook<'_>) -> Result<()> {
        if self.ports.processor.name() != processor {
            return Err(EngineError::NotFound(Resource::Processor));
        }
        for event in self.ports.processor.read_webhook(webhook)? {
            self.receive(&event).await?;
        }
        Ok(())
    }

    /// Stores what happened at the processor since the last call, such as while webhooks did not arrive. Returns how many events were
    /// new. How far the processor's list was read is a document, so any number of processes may call this.
    ///
    /// # Errors
    /// [`EngineError::Payments`] if the processor does not answer, [`EngineError::Store`].
    pub async fn pull_events(&self) -> Result<u64> {
        let (mut new, mut known) = (0_u64, self.event_cursor().await?);
        loop {
            let after = known.as_ref().map(|known| known.cursor.as_str());
            let page = self.ports.processor.list(after).await?;
            let payments = self.payments_of(&page.events).await?;
            for event in &page.events {
                if !is_recorded(event, &payments) {
                    new = new.saturating_add(self.receive(event).await?.into());
                }
            }
            let Some(next) = page.next else { return Ok(new) };
            known = Some(self.move_cursor(known, next).await?);
        }
    }

    /// The received events, or those in a state, by id.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::Store`].
    pub async fn received_events(
        &self,
        caller: &Actor,
        state: Option<ReceivedState>,
        page: &PageRequest<String>,
    ) -> Result<Page<ReceivedEvent, String>> {
        caller.require(Permission::SeeAll)?;
        let filter = DocumentFilter::all_of(state.map(ReceivedEvent::key_of_state).into_iter().collect());
        let found = self.ports.store.documents(DocumentKind::ProcessorEvent, &filter, page).await?;
        let read = |document| ReceivedEvent::try_from(document).ok();
        Ok(Page { items: found.items.into_iter().filter_map(read).collect(), next: found.next })
    }

    /// Tries again what an unmatched event is about. No effect on others.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`].
    pub async fn retry_event(&self, caller: &Actor, id: EventId) -> Result<()> {
        caller.require(Permission::ManageTasks)?;
        let decide = async |_| {
            let at = self.now();
            let mut commit = self.commit_by(caller, at);
            let missing = EngineError::NotFound(Resource::Document(DocumentKind::ProcessorEvent));
            let found = self.received_event(id).await?.ok_or(missing)?;
            if found.state == ReceivedState::Unmatched {
                commit.change(Some(&found), found.retried(at));
            }
            Ok(Decision { commit, outcome: () })
        };
        self.decide_and_commit(None, decide).await.map(drop)
    }

    /// The payments that events are about, as far as the events tell.
    async fn payments_of(&self, events: &[ProcessorEvent]) -> Result<BTreeMap<PaymentId, Payment>> {
        let ids: BTreeSet<_> = events.iter().filter_map(|event| event.payment).collect();
        let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
        let found = self.ports.store.documents_by_id(DocumentKind::Payment, &ids).await?;
        let payments = found.into_iter().filter_map(|document| Payment::try_from(document).ok());
        Ok(payments.map(|payment| (payment.id, payment)).collect())
    }

    async fn event_cursor(&self) -> Result<Option<EventCursor>> {
        let id = DocumentId::new(DocumentKind::EventCursor, &self.processor_name());
        let stored = self.ports.store.document(&id).await?;
        Ok(stored.and_then(|document| EventCursor::try_from(document).ok()))
    }

    /// Notes how far the list was read, unless another process has gone on meanwhile.
    async fn move_cursor(&self, known: Option<EventCursor>, cursor: String) -> Result<EventCursor> {
        let decide = async |_| {
            let at = self.now();
            let mut commit = self.commit_by(&Actor::SYSTEM, at);
            let stored = self.event_cursor().await?;
            if let Some(outcome) = stored.clone().filter(|_| stored != known) {
                return Ok(Decision { commit, outcome });
            }
            let (version, created_at) = known.as_ref().map_or((0, at), |known| (known.version, known.created_at));
            let version = version.saturating_add(1);
            let outcome =
                EventCursor { id: self.processor_name(), cursor: cursor.clone(), version, created_at, updated_at: at };
            commit.change(known.as_ref(), outcome.clone());
            Ok(Decision { commit, outcome })
        };
        let reply = self.decide_and_commit(None, decide).await?;
        reply.into_fresh().ok_or(EngineError::IdempotencyKeyReused) // there is no key
    }

    /// Stores an event. Returns whether it is new.
    async fn receive(&self, event: &ProcessorEvent) -> Result<bool> {
        let decide = async |_| {
            let at = self.now();
            let received = ReceivedEvent::new(self.processor_name(), event.clone(), at);
            let mut commit = self.commit_by(&Actor::SYSTEM, at);
            let is_new = self.received_event(received.id).await?.is_none();
            if is_new {
                commit.change(None, received);
            }
            Ok(Decision { commit, outcome: is_new })
        };
        let reply = self.decide_and_commit(None, decide).await?;
        reply.into_fresh().ok_or(EngineError::IdempotencyKeyReused) // there is no key
    }

    /// Records what follows from a received event, once.
    pub(super) async fn take_event(&self, id: EventId) -> Result<()> {
        match self.decide_and_commit(None, |_| self.decide_event(id, false)).await {
            Err(EngineError::Stock(StockRefusal::OutOfStock { .. })) => {
                self.decide_and_commit(None, |_| self.decide_event(id, true)).await.map(drop)
            }
            taken => taken.map(drop),
        }
    }

    async fn decide_event(&self, id: EventId, units_gone: bool) -> Decided<()> {
        let at = self.now();
        let mut commit = self.commit_by(&Actor::SYSTEM, at);
        let received = self.received_event(id).await?;
        let Some(received) = received.filter(|received| received.state != ReceivedState::Processed) else {
            return Ok(Decision { commit, outcome: () });
        };
        let event = &received.event;
        let new = OperationId::new(self.ports.ids.next());
        let found = self.payment_of(event).await?.map(|mut change| {
            let subject = change.after.operation_of(event, new, at);
            (change, subject)
        });
        let next = match found {
            Some((change, Subject::Operation(operation))) => {
                let finding = Finding::Answered(event.answer.clone());
                let order = self.order(&Actor::SYSTEM, &OrderRef::Id(change.after.order_id)).await?;
                commit = self.decide_with_finding((order, change), operation, finding, units_gone).await?.commit;
                received.processed(at)
            }
            Some((_, Subject::Nothing)) => received.processed(at),
            Some((_, Subject::Unclear)) | None => received.unmatched(at),
        };
        commit.change(Some(&received), next);
        Ok(Decision { commit, outcome: () })
    }

    /// The payment that an event is about: by our id, by that of the processor, or that of an order without operations.
    pub(super) async fn payment_of(&self, event: &ProcessorEvent) -> Result<Option<PaymentChange>> {
        if let Some(id) = event.payment {
            if let Some(payment) = self.stored_payment(id).await? {
                return Ok(Some(PaymentChange::of(payment)));
            }
            let order = self.ports.store.order(&OrderRef::Payment(id)).await?;
            return Ok(order.map(|order| PaymentChange { before: None, after: self.new_payment(&order) }));
        }
        let Some(reference) = &event.answer.payment_reference else { return Ok(None) };
        let filter = DocumentFilter::all_of([Payment::key_of_reference(reference)].into());
        let first = PageRequest { limit: 1, after: None };
        let found = self.ports.store.documents(DocumentKind::Payment, &filter, &first).await?;
        let payment = found.items.into_iter().next().and_then(|document| Payment::try_from(document).ok());
        Ok(payment.map(PaymentChange::of))
    }

    /// Tries again now what is unmatched about a payment whose id at the processor became known.
    pub(super) async fn retry_events(&self, commit: &mut Commit, payment: &Payment) -> Result<()> {
        let Some(reference) = &payment.reference else { return Ok(()) };
        let keys = [Payment::key_of_reference(reference), ReceivedEvent::key_of_state(ReceivedState::Unmatched)];
        let first = PageRequest { limit: RETRIED, after: None };
        let filter = DocumentFilter::all_of(keys.into());
        let found = self.ports.store.documents(DocumentKind::ProcessorEvent, &filter, &first).await?;
        for event in found.items.into_iter().filter_map(|document| ReceivedEvent::try_from(document).ok()) {
            let retried = event.retried(commit.at);
            commit.change(Some(&event), retried);
        }
        Ok(())
    }

    pub(super) async fn received_event(&self, id: EventId) -> Result<Option<ReceivedEvent>> {
        let stored = self.ports.store.document(&DocumentId::new(DocumentKind::ProcessorEvent, &id)).await?;
        Ok(stored.and_then(|document| ReceivedEvent::try_from(document).ok()))
    }
}

/// Whether the shop knows of its operation what an event tells, or is about to know it.
fn is_recorded(event: &ProcessorEvent, payments: &BTreeMap<PaymentId, Payment>) -> bool {
    let payment = event.payment.and_then(|id| payments.get(&id));
    let known = payment.zip(event.operation).and_then(|(payment, id)| payment.operation(id));
    known.is_some_and(|known| known.stands_as(&event.answer.outcome) || known.is_awaited())
}
