//! Use cases of orders.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::actor::Actor;
use crate::event::Recorded;
use crate::ids::{OrderId, ReturnId};
use crate::order::{Command, Context, Order, OrderEvent, Reason, Return, ReturnLine, ReturnRequest, decide, evolve};
use crate::permission::Permission;
use crate::port::{OrderFilter, OrderRef, Page, PageRequest, ReturnFilter};

use super::catalog::require_for_keys;
use super::payments::PaymentView;
use super::{Answer, Decided, Decision, Engine, EngineError, Key, Resource, Result, Target};

/// One event of an order's history, with the order after it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct HistoryItem {
    pub entry: Recorded<OrderEvent>,
    pub order: Order,
}

/// Units to return.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ReturnInput {
    pub lines: Vec<ReturnLine>,
    pub reason: Option<Reason>,
}

impl Engine {
    /// An order.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] also for the order of another customer.
    pub async fn order(&self, caller: &Actor, order_ref: &OrderRef) -> Result<Order> {
        let order = self.ports.store.order(order_ref).await?.filter(|order| caller.can_access(&order.user_id));
        order.ok_or(EngineError::NotFound(noun(order_ref)))
    }

    /// Orders, newest first. Customers see only their own.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if a customer asks for those of another, [`EngineError::Forbidden`] if one filters by keys.
    pub async fn orders(
        &self,
        caller: &Actor,
        mut filter: OrderFilter,
        page: &PageRequest<OrderId>,
    ) -> Result<Page<Order, OrderId>> {
        if !caller.role.may(Permission::SeeAll) {
            require_for_keys(Some(caller), &filter.keys)?;
            let own = caller.user_id()?;
            if filter.user.as_ref().is_some_and(|user| user != own) {
                return Err(EngineError::NotFound(Resource::Order));
            }
            filter.user = Some(own.clone());
        }
        Ok(self.ports.store.orders(&filter, page).await?)
    }

    /// Returns with their orders, newest first. Customers see only their own.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn returns(
        &self,
        caller: &Actor,
        mut filter: ReturnFilter,
        page: &PageRequest<ReturnId>,
    ) -> Result<Page<(OrderId, Return), ReturnId>> {
        if !caller.role.may(Permission::SeeAll) {
            filter.user = Some(caller.user_id()?.clone());
        }
        Ok(self.ports.store.returns(&filter, page).await?)
    }

    /// The history of an order, oldest first.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Corrupt`].
    pub async fn order_history(
        &self,
        caller: &Actor,
        order_ref: &OrderRef,
        page: &PageRequest<u64>,
    ) -> Result<Page<HistoryItem, u64>> {
        let id = self.order(caller, order_ref).await?.id;
        let (mut order, mut items) = (None, Vec::<HistoryItem>::new());
        for entry in self.ports.store.order_history(id).await? {
            let after = evolve(order, &entry)?;
            if page.after.is_none_or(|last| entry.sequence > last) {
                if items.len() >= page.limit.into() {
                    return Ok(Page { next: items.last().map(|item| item.entry.sequence), items });
                }
                items.push(HistoryItem { entry, order: after.clone() });
            }
            order = Some(after);
        }
        Ok(Page { items, next: None })
    }

    /// An order as it was at an instant.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] also if it was placed later.
    pub async fn order_at(&self, caller: &Actor, order_ref: &OrderRef, at: DateTime<Utc>) -> Result<Order> {
        let id = self.order(caller, order_ref).await?.id;
        let history = self.ports.store.order_history(id).await?;
        let mut order = None;
        for entry in history.iter().take_while(|entry| entry.at <= at) {
            order = Some(evolve(order, entry)?);
        }
        order.ok_or(EngineError::NotFound(Resource::Order))
    }

    /// Requests a return of units. In the result, it is the last return of the order.
    ///
    /// # Errors
    /// As [`Engine::command`].
    pub async fn request_return(
        &self,
        caller: &Actor,
        target: Target<&OrderRef>,
        input: ReturnInput,
        key: Key<'_, Order>,
    ) -> Answer<Order> {
        let ReturnInput { lines, reason } = input;
        let request = ReturnRequest { id: ReturnId::new(self.ports.ids.next()), lines, reason };
        self.command(caller, target, Command::RequestReturn(request), key).await
    }

    /// Gives a command to an order.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`] before anything is read; [`EngineError::Order`] with the rejection,
    /// [`EngineError::Stock`], [`EngineError::VersionMismatch`], [`EngineError::NotFound`].
    pub async fn command(
        &self,
        caller: &Actor,
        target: Target<&OrderRef>,
        command: Command,
        key: Key<'_, Order>,
    ) -> Answer<Order> {
        let decide = async |_| {
            let Decision { commit, outcome } = self.decide_command(caller, target, &command).await?;
            Ok(Decision { commit, outcome: outcome.order })
        };
        self.decide_and_commit(key, decide).await
    }

    /// The same, with the payment if the command changes it.
    pub(super) async fn command_on(
        &self,
        caller: &Actor,
        target: Target<&OrderRef>,
        command: &Command,
        key: Key<'_, PaymentView>,
    ) -> Answer<PaymentView> {
        self.decide_and_commit(key, async |_| self.decide_command(caller, target, command).await).await
    }

    /// Gives a command of the system to an order.
    pub(super) async fn command_read(&self, read: &Order, command: Command) -> Result<Order> {
        let reply = self.command(&Actor::SYSTEM, Target::any(&OrderRef::Id(read.id)), command, None).await?;
        reply.into_fresh().ok_or(EngineError::IdempotencyKeyReused) // there is no key
    }

    async fn decide_command(
        &self,
        caller: &Actor,
        target: Target<&OrderRef>,
        command: &Command,
    ) -> Decided<PaymentView> {
        command.permit(caller.role)?; // before reading, so that the error does not reveal what exists
        let order = self.order(caller, target.id).await?;
        target.expected.check(order.version)?;
        let context = self.context(caller);
        let events = self.decide_events(&context, &order, command.clone())?;
        self.commit_with_payment(&context, order, events, None).await
    }

    pub(super) fn decide_events(&self, context: &Context, order: &Order, command: Command) -> Result<Vec<OrderEvent>> {
        let lifecycle = self.settings.lifecycle_of(&order.lifecycle);
        let lifecycle = lifecycle.ok_or_else(|| EngineError::UnknownLifecycle(order.lifecycle.clone()))?;
        Ok(decide(lifecycle, context, order, command)?)
    }
}

pub(super) const fn noun(order_ref: &OrderRef) -> Resource {
    match order_ref {
        OrderRef::Id(_) | OrderRef::Number(_) => Resource::Order,
        OrderRef::Payment(_) => Resource::Payment,
        OrderRef::Return(_) => Resource::Return,
    }
}
