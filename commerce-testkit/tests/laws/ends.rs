//! LIFE-1: every paid order of every sound lifecycle can be brought to an end, at any later time: the goods are with the customer, or
//! the goods are back and nothing of the money is left with the shop.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use commerce_core::actor::Role;
use commerce_core::event::Recorded;
use commerce_core::order::{Command, Lifecycle, NewOrder, Order, OrderEvent, RefundOf, ShipmentStatus, StockEffect};
use commerce_core::port::Store;
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::order_of;
use commerce_testkit::strategy::lifecycle::{built_in, custom, restricted};
use commerce_testkit::strategy::order::{Step, new_order, shipment, step};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::orders::World;
use crate::wait;

const ROLES: [Role; 5] = [Role::System, Role::Admin, Role::Service, Role::Support, Role::Customer];

/// An order, and what was last done with its goods.
#[derive(Clone)]
struct Place {
    order: Order,
    goods: StockEffect,
}

impl Place {
    fn of(order: Order, goods: StockEffect, events: &[Recorded<OrderEvent>]) -> Self {
        let moved = |entry: &Recorded<OrderEvent>| {
            let OrderEvent::Transitioned { stock, .. } = &entry.event else { return None };
            Some(*stock).filter(|stock| *stock != StockEffect::None)
        };
        Self { order, goods: events.iter().rev().find_map(moved).unwrap_or(goods) }
    }

    fn is_settled(&self) -> bool {
        let keeps_money = self.order.payment.held.is_some() || !self.order.refundable().is_zero();
        self.order.phase.is_over()
            && match self.goods {
                StockEffect::Fulfil => true,
                StockEffect::Release | StockEffect::Restock => !keeps_money,
                StockEffect::None | StockEffect::Confirm => false,
            }
    }

    fn key(&self) -> String {
        let Order { status, payment, shipment, refunds, .. } = &self.order;
        let shipped = shipment.as_ref().map(|shipment| shipment.status);
        format!("{status} {:?} {:?} {shipped:?} {}", self.goods, payment.status, refunds.len())
    }

    /// What staff, the customer and the processor can do.
    fn commands(&self, lifecycle: &Lifecycle) -> Vec<Command> {
        let to = |state: &commerce_core::order::State| Command::Transition { status: state.name.clone(), reason: None };
        let amount = self.order.payment.amount;
        let others = [
            Command::Expire,
            Command::Cancel { reason: None },
            Command::Capture { amount, reference: None },
            Command::Void { amount },
            Command::Refund { of: RefundOf::Remainder, reason: None },
            Command::UpdateShipment(shipment(ShipmentStatus::Shipped)),
            Command::UpdateShipment(shipment(ShipmentStatus::Delivered)),
        ];
        lifecycle.states().iter().map(to).chain(others).collect()
    }

    fn after(&self, shop: &CommitBuilder, role: Role, command: Command, at: DateTime<Utc>) -> Option<Self> {
        let commit = shop.decide(&self.order, role, command, at).ok()?;
        Some(Self::of(order_of(&commit).clone(), self.goods, commit.orders.first()?.events()))
    }

    /// Whether some commands settle it.
    fn can_be_settled(self, shop: &CommitBuilder, at: DateTime<Utc>) -> bool {
        let (mut seen, mut open) = (BTreeSet::from([self.key()]), vec![self]);
        while let Some(place) = open.pop() {
            if place.is_settled() {
                return true;
            }
            for command in place.commands(shop.lifecycle()) {
                let next = ROLES.iter().find_map(|role| place.after(shop, *role, command.clone(), at));
                open.extend(next.filter(|next| seen.insert(next.key())));
            }
        }
        false
    }
}

/// Walks with any steps, tries to pay at one of them, and looks for a way to an end from where it is paid.
fn walk(lifecycle: Lifecycle, new_order: NewOrder, steps: &[Step], holds: bool) -> Result<(), TestCaseError> {
    let mut world = World::with(lifecycle, new_order);
    for (number, step) in steps.iter().enumerate() {
        world.take(step)?;
        if number == steps.len() / 3 {
            world.pay(holds)?;
        }
        if !world.order.is_paid() {
            continue;
        }
        let history = wait(world.store.order_history(world.order.id)).unwrap();
        let place = Place::of(world.order.clone(), StockEffect::None, &history);
        let years_later = world.shop.at(world.seconds + 3 * 365 * 86_400);
        prop_assert!(place.can_be_settled(&world.shop, years_later), "LIFE-1: {:?}", world.order);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_paid_order_comes_to_an_end(
        lifecycle in built_in(),
        new_order in new_order(1),
        steps in vec(step(), 1..12),
        holds: bool,
    ) {
        walk(lifecycle, new_order, &steps, holds)?;
    }

    #[test]
    fn a_paid_order_of_any_sound_lifecycle_comes_to_an_end(
        lifecycle in prop_oneof![custom(), restricted()],
        new_order in new_order(1),
        steps in vec(step(), 1..12),
        holds: bool,
    ) {
        walk(lifecycle, new_order, &steps, holds)?;
    }
}
