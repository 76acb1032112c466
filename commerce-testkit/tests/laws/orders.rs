//! Orders: ORD-1 to ORD-4 hold whatever is asked of one, under every lifecycle; goods and money are conserved.

use commerce_core::actor::Role;
use commerce_core::commit::Refusal;
use commerce_core::ids::ReturnId;
use commerce_core::money::Money;
use commerce_core::order::{
    Command, Lifecycle, NewOrder, Order, OrderItem, OrderLine, OrderRejection, Phase, RefundOf, RefundStatus,
    ReturnLine, ReturnRequest, ShipmentStatus, fold,
};
use commerce_core::port::Store;
use commerce_core::replay::verify;
use commerce_core::stock::StockRefusal;
use commerce_testkit::commit_builder::{order_of, units};
use commerce_testkit::strategy::lifecycle::{built_in, custom};
use commerce_testkit::strategy::order::{SKUS, Step, new_order, step};
use commerce_testkit::{CommitBuilder, MemoryStore};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::wait;

/// What is on hand of every SKU before anything is sold.
const STOCK: i64 = 20;

/// A store with one order in it, and the clock.
pub(crate) struct World {
    pub(crate) store: MemoryStore,
    pub(crate) shop: CommitBuilder,
    placed: Order,
    pub(crate) order: Order,
    pub(crate) seconds: i64,
}

impl World {
    pub(crate) fn with(lifecycle: Lifecycle, new_order: NewOrder) -> Self {
        let (store, shop) = (MemoryStore::new(), CommitBuilder::with_lifecycle(2, lifecycle));
        let placing = shop.place(new_order, shop.at(0));
        let order = order_of(&placing).clone();
        assert_eq!(store.commit_all(&[shop.stocked(&SKUS.map(|sku| (sku, STOCK))), placing]), [Ok(()), Ok(())]);
        let placed = fold(&wait(store.order_history(order.id)).unwrap()[..1]).unwrap();
        Self { store, shop, placed, order, seconds: 0 }
    }

    /// Asks, and lets the order change if neither the order nor the stock refuses.
    pub(crate) fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        self.seconds += step.seconds;
        let command = step.ask.command(&self.order, self.shop.lifecycle());
        self.tell(step.role, command)
    }

    /// The processor takes or holds the amount due.
    pub(crate) fn pay(&mut self, holds: bool) -> Result<(), TestCaseError> {
        let (amount, reference) = (self.order.payment.amount, None);
        let paid =
            if holds { Command::Authorize { amount, reference } } else { Command::Capture { amount, reference } };
        self.tell(Role::System, paid)
    }

    fn tell(&mut self, role: Role, command: Command) -> Result<(), TestCaseError> {
        let Ok(commit) = self.shop.decide(&self.order, role, command, self.shop.at(self.seconds)) else {
            return Ok(());
        };
        match self.store.commit_all(std::slice::from_ref(&commit)).remove(0) {
            Ok(()) => self.order = order_of(&commit).clone(),
            Err(Refusal::Stock(StockRefusal::OutOfStock { .. })) => {}
            Err(refusal) => return Err(TestCaseError::fail(format!("{refusal:?}"))),
        }
        self.check()
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let (order, placed) = (&self.order, &self.placed);
        let figures = |order: &Order| (order.quote.clone(), order.payment.amount, order.created_at);
        prop_assert_eq!(figures(order), figures(placed), "ORD-1");
        prop_assert_eq!(&order.shipping_address, &placed.shipping_address, "ORD-1");
        let history = wait(self.store.order_history(order.id)).unwrap();
        prop_assert!(history.iter().map(|entry| entry.sequence).eq(1..=order.version), "ORD-2");
        prop_assert_eq!(&fold(&history).unwrap(), order, "ORD-3");
        for item in order.items() {
            let (returned, returning) = (order.returned(item.id), order.returning(item.id));
            prop_assert!(0 <= returned && returned <= returning, "ORD-4");
            prop_assert!(returning + order.refunded_units(item.id) <= item.quantity.get(), "ORD-4: {item:?}");
        }
        self.check_money()?;
        self.check_goods()
    }

    fn check_money(&self) -> Result<(), TestCaseError> {
        let payment = &self.order.payment;
        let sum = |status: RefundStatus| -> i64 {
            self.order.refunds.iter().filter(|refund| refund.status == status).map(|refund| refund.amount.minor()).sum()
        };
        prop_assert!(self.order.refunds.iter().all(|refund| refund.amount.minor() > 0), "{:?}", self.order.refunds);
        prop_assert_eq!(payment.refunded.minor(), sum(RefundStatus::Processed));
        let promised = sum(RefundStatus::Processed) + sum(RefundStatus::Requested);
        prop_assert!(promised <= payment.captured.minor(), "ORD-4: {promised} of {payment:?}");
        prop_assert!(!self.order.refundable().is_negative());
        let held = payment.held.map(Money::minor);
        prop_assert!(held.is_none_or(|held| 0 < held && held <= payment.amount.minor()), "{payment:?}");
        prop_assert!(held.is_none() || !self.order.phase.is_undone(), "an order that is over holds money: {payment:?}");
        Ok(())
    }

    /// No unit is made of nothing, and none is in two places.
    fn check_goods(&self) -> Result<(), TestCaseError> {
        for (sku, bought) in self.order.units_by_sku() {
            let level = wait(self.store.stock(sku, self.shop.at(self.seconds))).unwrap().unwrap();
            prop_assert!(level.reserved == 0 || level.reserved == bought, "{level:?} of {bought}");
            prop_assert!(STOCK - bought <= level.on_hand && level.on_hand <= STOCK, "{level:?} of {bought}");
        }
        Ok(())
    }
}

fn live(lifecycle: Lifecycle, new_order: NewOrder, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut world = World::with(lifecycle, new_order);
    world.check()?;
    for step in steps {
        world.take(step)?;
    }
    let report = wait(verify(&world.store, world.shop.at(world.seconds), |_| {})).unwrap();
    prop_assert!(report.is_identical(), "{:#?}", report.differences);
    Ok(())
}

fn delivered(world: &World) -> Order {
    let at = world.shop.at(10);
    let mut order = world.order.clone();
    let carry = |commit| {
        assert_eq!(world.store.commit_all(std::slice::from_ref(&commit)), [Ok(())]);
        order_of(&commit).clone()
    };
    if !order.payment.amount.is_zero() {
        order = carry(world.shop.pay(&order, at));
    }
    order = carry(world.shop.ship(&order, ShipmentStatus::Shipped, at));
    carry(world.shop.ship(&order, ShipmentStatus::Delivered, at))
}

/// Every single unit bought, in a random order.
fn every_unit(items: &[OrderItem], shuffle: &[Index]) -> Vec<ReturnLine> {
    let single = |item: &OrderItem| {
        let line = ReturnLine { item: item.id, quantity: units(1) };
        std::iter::repeat_n(line, usize::try_from(item.quantity.get()).unwrap())
    };
    let mut lines: Vec<_> = items.iter().flat_map(single).collect();
    for (n, index) in (1..lines.len()).zip(shuffle) {
        lines.swap(n, index.index(n + 1));
    }
    lines
}

/// Until the last unit is back, what went back is ⌊T·n/q⌋ for n of the q units of every line that cost T, returned or not.
fn check_shares(order: &Order) -> Result<(), TestCaseError> {
    let share = |OrderLine { item, total, .. }: &OrderLine| {
        let settled = order.returned(item.id) + order.refunded_units(item.id);
        i128::from(total.minor()) * i128::from(settled) / i128::from(item.quantity.get())
    };
    let shares: i128 = order.lines().iter().map(share).sum();
    let refunded: i128 = order.refunds.iter().map(|refund| i128::from(refund.amount.minor())).sum();
    prop_assert!(order.phase == Phase::Returned || refunded == shares, "{refunded} went back, not {shares}");
    Ok(())
}

/// An order that ended takes no more returns: its goods and its money are back already.
#[test]
fn goods_do_not_come_back_twice() {
    let shop = CommitBuilder::new(1);
    let world = World::with(Lifecycle::standard(), shop.new_order(&[("MUG", 3)], shop.at(0)));
    let at = world.shop.at(20);
    let mut order = delivered(&world);
    let id = ReturnId::new(world.shop.uuid());
    let lines = vec![ReturnLine { item: order.lines()[0].item.id, quantity: units(1) }];
    let back = Command::Transition { status: "returned".parse().unwrap(), reason: None };
    let request = Command::RequestReturn(ReturnRequest { id, lines, reason: None });
    for command in [request, Command::ApproveReturn(id), back] {
        let commit = world.shop.decide(&order, Role::Admin, command, at).unwrap();
        assert_eq!(world.store.commit_all(std::slice::from_ref(&commit)), [Ok(())]);
        order = order_of(&commit).clone();
    }
    let again = world.shop.decide(&order, Role::Admin, Command::ReceiveReturn(id), at);
    assert_eq!(again.err(), Some(OrderRejection::NotReturnable(order.status)));
}

proptest! {
    #[test]
    fn an_order_keeps_its_laws(lifecycle in built_in(), new_order in new_order(1), steps in vec(step(), 1..40)) {
        live(lifecycle, new_order, &steps)?;
    }

    #[test]
    fn an_order_of_any_sound_lifecycle_keeps_its_laws(
        lifecycle in custom(),
        new_order in new_order(1),
        steps in vec(step(), 1..40),
    ) {
        live(lifecycle, new_order, &steps)?;
    }

    /// Unit by unit, in whatever order, with and without a return: a line is worth exactly its price.
    #[test]
    fn units_are_worth_the_same_with_and_without_a_return(
        new_order in new_order(1),
        shuffle in vec(any::<Index>(), 16),
        kept in vec(any::<bool>(), 16),
    ) {
        let world = World::with(Lifecycle::standard(), new_order);
        let mut order = delivered(&world);
        let lines = every_unit(&order.items().cloned().collect::<Vec<_>>(), &shuffle);
        prop_assume!(kept[..lines.len()].contains(&true));
        for (line, is_kept) in lines.into_iter().zip(kept) {
            let id = ReturnId::new(world.shop.uuid());
            let request = ReturnRequest { id, lines: vec![line], reason: None };
            let refund = Command::Refund { of: RefundOf::Units(vec![line]), reason: None };
            let back = vec![Command::RequestReturn(request), Command::ApproveReturn(id), Command::ReceiveReturn(id)];
            let is_free = order.price_of_units(&[line]).is_zero();
            for command in if is_kept { vec![refund] } else { back } {
                let decided = world.shop.decide(&order, Role::Admin, command, world.shop.at(20));
                prop_assert!(decided.is_ok() || (is_kept && is_free), "{decided:?}");
                order = decided.map_or(order, |commit| order_of(&commit).clone());
            }
            check_shares(&order)?;
        }
    }

    /// Unit by unit, in whatever order: when all have come back, exactly what was paid has gone back, and all the goods are
    /// there again.
    #[test]
    fn a_full_return_refunds_exactly_what_was_paid(new_order in new_order(1), shuffle in vec(any::<Index>(), 16)) {
        let world = World::with(Lifecycle::standard(), new_order);
        let mut order = delivered(&world);
        let at = world.shop.at(20);
        for line in every_unit(&order.items().cloned().collect::<Vec<_>>(), &shuffle) {
            let id = ReturnId::new(world.shop.uuid());
            let request = ReturnRequest { id, lines: vec![line], reason: None };
            for command in [Command::RequestReturn(request), Command::ApproveReturn(id), Command::ReceiveReturn(id)] {
                let commit = world.shop.decide(&order, Role::Admin, command, at).unwrap();
                prop_assert_eq!(world.store.commit_all(std::slice::from_ref(&commit)), [Ok(())]);
                order = order_of(&commit).clone();
            }
            check_shares(&order)?;
        }
        let refunded = Money::sum(order.currency(), order.refunds.iter().map(|refund| refund.amount));
        prop_assert_eq!(refunded, Ok(order.payment.captured));
        prop_assert_eq!(order.payment.captured, order.payment.amount);
        prop_assert_eq!(order.status.as_str(), "returned");
        for sku in order.units_by_sku().into_keys() {
            let level = wait(world.store.stock(sku, at)).unwrap().unwrap();
            prop_assert_eq!((level.on_hand, level.reserved), (STOCK, 0));
        }
    }
}
