//! Use cases of events that processors send.

use alloc::string::String;

use crate::actor::Actor;
use crate::document::{DocumentFilter, DocumentId, DocumentKind};
use crate::ids::{EventId, OperationId};
use crate::payment::{Finding, Payment, ReceivedEvent, ReceivedState};
use crate::port::{OrderRef, PageRequest, ProcessorEvent, Webhook};
use crate::stock::StockRefusal;

use super::payments::PaymentChange;
use super::{Decided, Decision, Engine, EngineError, Resource, Result};

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

    /// Stores what happened at the processor after a cursor, such as while webhooks did not arrive. Returns the cursor for the next
    /// call; with `None` it starts with the oldest that the processor remembers.
    ///
    /// # Errors
    /// [`EngineError::Payments`] if the processor does not answer, [`EngineError::Store`].
    pub async fn pull_events(&self, mut after: Option<String>) -> Result<Option<String>> {
        loop {
            let page = self.ports.processor.list(after.as_deref()).await?;
            for event in &page.events {
                self.receive(event).await?;
            }
            if page.next.is_none() {
                return Ok(after);
            }
            after = page.next;
        }
    }

    async fn receive(&self, event: &ProcessorEvent) -> Result<()> {
        let decide = async |_| {
            let at = self.now();
            let received = ReceivedEvent::new(self.processor_name(), event.clone(), at);
            let mut commit = self.commit_by(&Actor::SYSTEM, at);
            if self.received_event(received.id).await?.is_none() {
                commit.change(None, received);
            }
            Ok(Decision { commit, outcome: () })
        };
        self.decide_and_commit(None, decide).await.map(drop)
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
        let found = self.payment_of(event).await?.and_then(|mut change| {
            let operation = change.after.operation_of(event, OperationId::new(self.ports.ids.next()), at)?;
            Some((change, operation))
        });
        let next = match found {
            Some((change, operation)) => {
                let finding = Finding::Answered(event.answer.clone());
                commit = self.decide_with_finding(change, operation, finding, units_gone).await?.commit;
                received.processed(at)
            }
            None => received.unmatched(at),
        };
        commit.change(Some(&received), next);
        Ok(Decision { commit, outcome: () })
    }

    /// The payment that an event is about: by our id, by that of the processor, or that of an order without operations.
    async fn payment_of(&self, event: &ProcessorEvent) -> Result<Option<PaymentChange>> {
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

    async fn received_event(&self, id: EventId) -> Result<Option<ReceivedEvent>> {
        let stored = self.ports.store.document(&DocumentId::new(DocumentKind::ProcessorEvent, &id)).await?;
        Ok(stored.and_then(|document| ReceivedEvent::try_from(document).ok()))
    }
}
