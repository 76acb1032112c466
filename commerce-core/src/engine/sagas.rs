//! Use cases of sagas.

use alloc::string::ToString;
use alloc::vec::Vec;

use crate::actor::Actor;
use crate::order::Order;
use crate::permission::Permission;
use crate::port::OrderRef;
use crate::saga::Saga;
use crate::task::TaskKey;

use super::{Engine, Result};

/// The saga of an order, with the order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct SagaView {
    pub order: Order,
    pub saga: Saga,
}

impl Engine {
    /// The saga of an order, for staff: it shows tasks and their failures.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`](super::EngineError::Forbidden), [`EngineError::NotFound`](super::EngineError::NotFound).
    pub async fn saga(&self, caller: &Actor, order_ref: &OrderRef) -> Result<SagaView> {
        caller.require(Permission::SeeAll)?;
        let order = self.order(caller, order_ref).await?;
        let history = self.ports.store.order_history(order.id).await?;
        let payment = self.stored_payment(order.payment.id).await?;
        let mut tasks = Vec::new();
        for key in [TaskKey::expire_order(order.id), TaskKey::settle_payment(order.payment.id.to_string())] {
            tasks.extend(self.ports.store.task(&key).await?);
        }
        let saga = Saga::of(&order, &history, payment.as_ref(), tasks, self.now());
        Ok(SagaView { order, saga })
    }
}
