//! Use cases of events of other systems.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::actor::Actor;
use crate::commit::Commit;
use crate::document::{DocumentFilter, DocumentId, DocumentKind};
use crate::ids::{EventId, UserId};
use crate::inbox::{
    DeadLetterReason, ExternalStock, IdOf, InboxEvent, InboxId, InboxState, IncomingEvent, IncomingType, Kept,
    LevelChange, MAX_MESSAGE, MAX_UNSETTLED, Message, Payload, Reading, Reason, Receipt, SourceName, StockDelta,
    Unreadable,
};
use crate::order::{Command, Order};
use crate::payment::ReceivedEvent;
use crate::permission::Permission;
use crate::port::{OrderFilter, OrderRef, Page, PageRequest, ProcessorEvent, StoreError, Webhook};
use crate::stock::{StockAction, StockMove};

use super::{Decided, Decision, Engine, EngineError, Expected, Resource, Result, Target};

const NO_SOURCE: EngineError = EngineError::NotFound(Resource::Source);
const NO_LETTER: EngineError = EngineError::NotFound(Resource::Document(DocumentKind::InboxEvent));
/// What orders of a deactivated user are cancelled with.
const DEACTIVATED: &str = "The user was deactivated.";

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Received {
    /// What the event is about, as far as that could be read.
    pub kind: Option<IncomingType>,
    pub receipt: Receipt,
}

/// A step of an event: the event after it, or why nothing follows from it now.
type Step = core::result::Result<(InboxEvent, Receipt), Reason>;

impl Engine {
    /// Verifies a webhook of another system, and takes the event in it. What is not believed leaves nothing behind.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if there is no such source, [`EngineError::Webhook`] if it is not believed, and as
    /// [`Engine::receive_message`].
    pub async fn receive_inbox_webhook(&self, source: &str, webhook: &Webhook<'_>) -> Result<Received> {
        let verifier = self.ports.inbox.as_ref().ok_or(NO_SOURCE)?;
        let source: SourceName = source.parse().map_err(|_| NO_SOURCE)?;
        if !self.settings.sources.contains_key(&source) {
            return Err(NO_SOURCE);
        }
        let id = verifier.verify(&source, webhook)?;
        self.receive_message(&Message { source, id, body: webhook.body }).await
    }

    /// Takes a message that is believed. What follows from its event and that it was received are one commit. An event that is known
    /// changes nothing.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if there is no such source; [`EngineError::Refused`] with a claim of
    /// [`ClaimKind::DeadLetter`](crate::document::ClaimKind) if the event cannot take effect and there is no place for it: nothing has
    /// changed then, and it has to be sent again; [`EngineError::Store`].
    pub async fn receive_message(&self, message: &Message<'_>) -> Result<Received> {
        let source = self.settings.sources.get(&message.source).ok_or(NO_SOURCE)?;
        let reading = source.read(message, self.now());
        let received = |receipt| Received { kind: reading.kind(), receipt };
        let Some(id) = reading.id() else { return Ok(received(Receipt::Ignored)) };
        if self.inbox_event_of(&message.source, &id).await?.is_some() {
            return Ok(received(Receipt::Duplicate));
        }
        self.prepare(&reading).await?;
        self.settle(|refused| self.decide_arrival(message, &reading, refused)).await
    }

    /// The dead letters by id, so the oldest first; or the events that wait. Those in other states are not listed.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::Store`].
    pub async fn dead_letters(
        &self,
        caller: &Actor,
        state: InboxState,
        page: &PageRequest<String>,
    ) -> Result<Page<InboxEvent, String>> {
        caller.require(Permission::ManageTasks)?;
        let filter = DocumentFilter::all_of([InboxEvent::key_of_state(state)].into());
        let Page { items, next } = self.ports.store.documents(DocumentKind::InboxEvent, &filter, page).await?;
        let items = items.into_iter().map(InboxEvent::try_from).collect::<Result<_, _>>();
        Ok(Page { items: items.map_err(StoreError::from)?, next })
    }

    /// An event of another system, if it waits or is a dead letter, or did or was before.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`].
    pub async fn dead_letter(&self, caller: &Actor, id: EventId) -> Result<InboxEvent> {
        caller.require(Permission::ManageTasks)?;
        self.inbox_event(id).await?.filter(|event| event.version > 1 || event.is_unsettled()).ok_or(NO_LETTER)
    }

    /// Tries a dead letter again at once, and then as often as a new event. No effect on one that is not dead.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`].
    pub async fn retry_dead_letter(&self, caller: &Actor, id: EventId) -> Result<InboxEvent> {
        let is_dead = |event: &InboxEvent| event.state == InboxState::Dead;
        let retried = self.change_dead_letter(caller, id, (is_dead, InboxEvent::retried)).await?;
        if retried.state == InboxState::Waiting {
            // If it fails, the task of the event goes on.
            self.take_inbox_event(id).await.ok();
        }
        self.inbox_event(id).await?.ok_or(NO_LETTER)
    }

    /// Decides that nothing follows from a dead letter, or from an event that waits. Its message is only in its history then. No effect
    /// on others.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`].
    pub async fn discard_dead_letter(&self, caller: &Actor, id: EventId) -> Result<()> {
        self.change_dead_letter(caller, id, (InboxEvent::is_unsettled, InboxEvent::discarded)).await.map(drop)
    }

    async fn change_dead_letter(
        &self,
        caller: &Actor,
        id: EventId,
        (applies, change): (impl Fn(&InboxEvent) -> bool, impl Fn(&InboxEvent, DateTime<Utc>) -> InboxEvent),
    ) -> Result<InboxEvent> {
        let decide = async |_| {
            let known = self.dead_letter(caller, id).await?;
            let mut commit = self.commit_by(caller, self.now());
            if !applies(&known) {
                return Ok(Decision { commit, outcome: known });
            }
            let outcome = change(&known, commit.at);
            commit.change(Some(&known), outcome.clone());
            Ok(Decision { commit, outcome })
        };
        self.decide_and_commit(None, decide).await?.into_fresh().ok_or(EngineError::IdempotencyKeyReused) // there is no key
    }

    /// Tries an event again that waits.
    pub(super) async fn take_inbox_event(&self, id: EventId) -> Result<()> {
        let Some(waiting) = self.inbox_event(id).await?.filter(|event| event.state == InboxState::Waiting) else {
            return Ok(());
        };
        let reading = self.read_again(&waiting);
        self.prepare(&reading).await?;
        self.settle(|refused| self.decide_again(id, &reading, refused)).await.map(drop)
    }

    /// Reads the message of an event by the settings of today.
    fn read_again(&self, event: &InboxEvent) -> Reading {
        let unknown = |what: &str| {
            let reason = Reason::new(DeadLetterReason::NotSubscribed, &what);
            Reading::Unreadable(Unreadable { id: event.known_by(), kind: None, reason })
        };
        let Some(source) = self.settings.sources.get(&event.source) else {
            return unknown("the settings do not have the source any more");
        };
        let body = event.body.as_deref().unwrap_or_default().as_bytes();
        let message = Message { source: event.source.clone(), id: event.event_id.clone(), body };
        match source.read(&message, event.created_at) {
            Reading::Ignored => unknown("the type is not taken from the source"),
            reading @ (Reading::Event(_) | Reading::Unreadable(_)) => reading,
        }
    }

    /// Commits what follows from an event. If stock refuses it, that it was refused.
    async fn settle<F: Future<Output = Decided<Received>>>(
        &self,
        decide: impl Fn(Option<Reason>) -> F,
    ) -> Result<Received> {
        let committed = match self.decide_and_commit(None, |_| decide(None)).await {
            Err(EngineError::Stock(refusal)) => {
                let reason = Reason::new(DeadLetterReason::Refused, &refusal);
                self.decide_and_commit(None, |_| decide(Some(reason.clone()))).await
            }
            committed => committed,
        };
        committed?.into_fresh().ok_or(EngineError::IdempotencyKeyReused) // there is no key
    }

    async fn decide_arrival(
        &self,
        message: &Message<'_>,
        reading: &Reading,
        refused: Option<Reason>,
    ) -> Decided<Received> {
        let mut commit = self.commit_by(&message.source.actor(), self.now());
        let id = reading.id().unwrap_or_else(|| InboxId::message(message.id.clone()));
        let received = |receipt| Received { kind: reading.kind(), receipt };
        if self.inbox_event_of(&message.source, &id).await?.is_some() {
            return Ok(Decision { commit, outcome: received(Receipt::Duplicate) });
        }
        let kind = reading.kind().map(|kind| kind.to_string());
        let new = EventId::new(self.ports.ids.next());
        let event = InboxEvent::new(new, (message.source.clone(), id), kind, commit.at);
        let (after, receipt) = self.step(&mut commit, event, (reading, refused), || kept(message.body)).await?;
        commit.change(None, after);
        Ok(Decision { commit, outcome: received(receipt) })
    }

    async fn decide_again(&self, id: EventId, reading: &Reading, refused: Option<Reason>) -> Decided<Received> {
        let received = |receipt| Received { kind: reading.kind(), receipt };
        let waiting = self.inbox_event(id).await?.filter(|event| event.state == InboxState::Waiting);
        let Some(before) = waiting else {
            let commit = self.commit_by(&Actor::SYSTEM, self.now());
            return Ok(Decision { commit, outcome: received(Receipt::Duplicate) });
        };
        let mut commit = self.commit_by(&before.source.actor(), self.now());
        let mut event = before.clone();
        event.kind = reading.kind().map(|kind| kind.to_string()).or(event.kind);
        // A message that could not be read can be now, and another message had its event meanwhile.
        if let Some(own) = reading.id().filter(|own| own.of == IdOf::Event && *own != before.known_by()) {
            if self.inbox_event_of(&before.source, &own).await?.is_some() {
                commit.change(Some(&before), event.settled(commit.at));
                return Ok(Decision { commit, outcome: received(Receipt::Duplicate) });
            }
            (event.event_id, event.id_of) = (own.id, own.of);
        }
        let (after, receipt) = self.step(&mut commit, event, (reading, refused), String::new).await?;
        commit.change(Some(&before), after);
        Ok(Decision { commit, outcome: received(receipt) })
    }

    /// The event after what follows from it. `body` is the message if it has none yet.
    async fn step(
        &self,
        commit: &mut Commit,
        event: InboxEvent,
        (reading, refused): (&Reading, Option<Reason>),
        body: impl FnOnce() -> String,
    ) -> Result<(InboxEvent, Receipt)> {
        let step = match (refused, reading) {
            (Some(reason), _) => Err(reason),
            (None, Reading::Event(read)) => self.follow(commit, event.clone(), read).await?,
            (None, Reading::Unreadable(unreadable)) => Err(unreadable.reason.clone()),
            (None, Reading::Ignored) => Ok((event.clone(), Receipt::Ignored)),
        };
        Ok(match step {
            Ok((event, receipt)) => (event.settled(commit.at), receipt),
            Err(reason) => {
                let after = event.failed(reason, Kept { body: body(), slot: self.draw_slot() }, commit.at);
                let is_dead = after.state == InboxState::Dead;
                (after, if is_dead { Receipt::DeadLettered } else { Receipt::Waiting })
            }
        })
    }

    /// A place, by chance. If it is taken, the commit is refused and another one is drawn.
    fn draw_slot(&self) -> u16 {
        let mix = |drawn: u16, byte: u8| drawn.wrapping_mul(31).wrapping_add(byte.into());
        let drawn = self.ports.ids.next().into_bytes().into_iter().fold(0, mix);
        drawn.checked_rem(MAX_UNSETTLED).unwrap_or_default()
    }

    /// What follows from an event. It adds to the commit only if something does.
    async fn follow(&self, commit: &mut Commit, event: InboxEvent, read: &IncomingEvent) -> Result<Step> {
        match &read.data {
            Payload::Payment(told) => self.follow_payment(commit, event, told).await,
            Payload::UserDeactivated(user) => {
                let left = self.unpaid_orders(user, read.time).await?.into_iter().next();
                let refuse = |order: Order| {
                    Reason::new(DeadLetterReason::Refused, &format!("order {} could not be cancelled", order.id))
                };
                Ok(left.map_or(Ok((event, Receipt::Applied)), |order| Err(refuse(order))))
            }
            Payload::StockLevel(level) => self.follow_level(commit, event, level).await,
            Payload::StockDelta(delta) => self.follow_delta(commit, event, delta).await,
        }
    }

    /// What follows for the payment is done as if the event had come from the payment processor.
    async fn follow_payment(&self, commit: &mut Commit, event: InboxEvent, told: &ProcessorEvent) -> Result<Step> {
        let Some(found) = self.payment_of(told).await? else {
            let payment = told.payment.map(|id| id.to_string()).unwrap_or_default();
            return Ok(Err(Reason::new(DeadLetterReason::NotFound, &format!("there is no payment {payment}"))));
        };
        if let Some(known) = found.after.operation_of_other_kind(told) {
            let said = format!("operation {} is of the kind {}, not {}", known.id, known.kind, told.kind);
            return Ok(Err(Reason::new(DeadLetterReason::Malformed, &said)));
        }
        let received = ReceivedEvent::new(event.source.processor(), told.clone(), commit.at);
        if self.received_event(received.id).await?.is_some() {
            return Ok(Ok((event, Receipt::Outdated)));
        }
        commit.change(None, received);
        Ok(Ok((event, Receipt::Applied)))
    }

    async fn follow_level(&self, commit: &mut Commit, event: InboxEvent, level: &LevelChange) -> Result<Step> {
        let key = ExternalStock::key_of(&event.source, &level.sku);
        let known = self.first_document(DocumentKind::ExternalStock, key).await?;
        let known = known.map(ExternalStock::try_from).transpose().map_err(StoreError::from)?;
        let new = EventId::new(self.ports.ids.next());
        let Some(next) = ExternalStock::follow(known.as_ref(), (new, &event.source), level, commit.at) else {
            return Ok(Ok((event, Receipt::Outdated)));
        };
        commit.change(known.as_ref(), next);
        let action = StockAction::Set { on_hand: level.on_hand, reorder_threshold: None, expected: None };
        commit.stock.push(StockMove { sku: level.sku.clone(), action });
        Ok(Ok((event, Receipt::Applied)))
    }

    async fn follow_delta(&self, commit: &mut Commit, event: InboxEvent, change: &StockDelta) -> Result<Step> {
        let key = InboxEvent::key_of_delta(&event.source, &change.key);
        if self.first_document(DocumentKind::InboxEvent, key).await?.is_some() {
            return Ok(Ok((event, Receipt::Outdated)));
        }
        let StockDelta { sku, delta, key, reason } = change.clone();
        commit.stock.push(StockMove { sku, action: StockAction::Adjust { delta, reason, expected: None } });
        Ok(Ok((InboxEvent { delta_key: Some(key), ..event }, Receipt::Applied)))
    }

    /// Does what needs commits of its own and may be repeated: cancels the unpaid orders of a deactivated user.
    async fn prepare(&self, reading: &Reading) -> Result<()> {
        let Reading::Event(event) = reading else { return Ok(()) };
        let IncomingEvent { data: Payload::UserDeactivated(user), source, time, .. } = &**event else { return Ok(()) };
        for order in self.unpaid_orders(user, *time).await? {
            let command = Command::Cancel { reason: DEACTIVATED.parse().ok() };
            // An order that is paid meanwhile has another version.
            let order_ref = OrderRef::Id(order.id);
            let target = Target { id: &order_ref, expected: Expected::Version(order.version) };
            match self.command(&source.actor(), target, command, None).await {
                Ok(_)
                | Err(EngineError::Order(_) | EngineError::VersionMismatch { .. } | EngineError::UnknownLifecycle(_)) =>
                    {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The unpaid orders that a user placed before an instant.
    async fn unpaid_orders(&self, user: &UserId, before: DateTime<Utc>) -> Result<Vec<Order>> {
        let filter = OrderFilter { user: Some(user.clone()), to: Some(before), ..OrderFilter::default() };
        let read = |page| {
            let filter = &filter;
            async move { self.ports.store.orders(filter, &page).await }
        };
        let orders = PageRequest::read_all(read).await?;
        Ok(orders.into_iter().filter(|order| order.phase.is_unpaid()).collect())
    }

    async fn inbox_event(&self, id: EventId) -> Result<Option<InboxEvent>> {
        let stored = self.ports.store.document(&DocumentId::new(DocumentKind::InboxEvent, &id)).await?;
        Ok(stored.map(InboxEvent::try_from).transpose().map_err(StoreError::from)?)
    }

    async fn inbox_event_of(&self, source: &SourceName, id: &InboxId) -> Result<Option<InboxEvent>> {
        let found = self.first_document(DocumentKind::InboxEvent, InboxEvent::key_of(source, id)).await?;
        Ok(found.map(InboxEvent::try_from).transpose().map_err(StoreError::from)?)
    }

    async fn first_document(&self, kind: DocumentKind, key: String) -> Result<Option<crate::document::Document>> {
        let filter = DocumentFilter::all_of([key].into());
        let first = PageRequest::first(1);
        Ok(self.ports.store.documents(kind, &filter, &first).await?.items.into_iter().next())
    }
}

/// What is kept of a message: all of it, unless it is too large.
fn kept(body: &[u8]) -> String {
    String::from_utf8_lossy(body.get(..MAX_MESSAGE).unwrap_or(body)).into_owned()
}
