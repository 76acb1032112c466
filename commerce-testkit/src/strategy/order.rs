//! Orders, and commands on them.

use chrono::TimeDelta;
use commerce_core::actor::Role;
use commerce_core::ids::{RefundId, ReturnId};
use commerce_core::money::{Currency, Money};
use commerce_core::order::{
    Command, Lifecycle, NewOrder, Order, RefundOf, RefundOutcome, ReturnLine, ReturnRequest, ShipmentStatus,
    ShipmentUpdate,
};
use commerce_core::{Quantity, order};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::money::price_in;
use super::text::{address, metadata, text, uuid_id};
use crate::{CommitBuilder, quote};

/// The SKUs of generated orders.
pub const SKUS: [&str; 3] = ["MUG", "POT", "TEA"];

/// A new order at [`OPENING`](super::OPENING): up to four lines of [`SKUS`], with repeated SKUs and free items, and a plain or
/// a rich price.
pub fn new_order(seed: u32) -> impl Strategy<Value = NewOrder> {
    let currency = select(vec![Currency::USD, Currency::JPY, Currency::KWD]);
    currency.prop_flat_map(move |currency| new_order_in(seed, currency))
}

fn new_order_in(seed: u32, currency: Currency) -> impl Strategy<Value = NewOrder> {
    let line = (select(SKUS.to_vec()), 1..=4_i64, price_in(currency));
    let words = (text(), option::of(text()), address(), metadata());
    (vec(line, 1..=4), any::<bool>(), words).prop_map(move |(lines, is_rich, (method, notes, address, metadata))| {
        let shop = CommitBuilder::new(seed);
        let item = |(sku, units, unit_price): (&str, i64, Money)| order::OrderItem {
            unit_price,
            ..shop.item(sku.parse().expect("a sku"), Quantity::new(units).expect("a quantity"))
        };
        let items = lines.into_iter().map(item).collect::<Vec<_>>();
        let mut new_order = shop.new_order_of(&items, shop.at(0));
        if is_rich {
            new_order.quote = quote::rich(new_order.quote.items());
        }
        (new_order.shipping_method, new_order.details.shipping_address) = (method, address);
        (new_order.details.notes, new_order.details.metadata) = (notes, metadata);
        new_order
    })
}

/// A command on an order, some time after the previous one. It is made concrete when the order is known.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Step {
    pub role: Role,
    /// Seconds since the previous step.
    pub seconds: i64,
    pub ask: Ask,
}

/// A command on an order that is not known yet.
#[derive(Clone, Debug)]
pub enum Ask {
    /// A transition to a state of the lifecycle.
    Transition(Index),
    /// An authorization.
    Authorize(Payment),
    /// The units are gone before the payment.
    CancelSoldOut,
    /// A capture of a part of what is held, or of all, which may be the final one.
    CaptureHeld(Payment, bool),
    /// A declined capture.
    FailCapture,
    /// An amount of what is held is given back.
    Void(i64),
    /// A capture.
    Capture(Payment),
    /// A capture after the stock is gone.
    CaptureAfterExpiry(Payment),
    /// The processor captured money for an order that is paid already.
    CaptureSurplus(Payment),
    /// A failed payment.
    FailPayment,
    /// An expiry, which may be too early.
    Expire,
    /// An extension of the reservation to some seconds after the placing.
    Extend(i64),
    /// A cancellation.
    Cancel,
    /// A change of the shipment.
    Ship(ShipmentStatus),
    /// A request to return units of some lines.
    RequestReturn(ReturnId, Vec<(Index, i64)>),
    /// The approval of a return.
    ApproveReturn(Index),
    /// The rejection of a return.
    RejectReturn(Index),
    /// The receipt of a return.
    ReceiveReturn(Index),
    /// A refund of an amount, or of all that is left.
    Refund(Option<i64>),
    /// A refund of units of some lines that are not returned.
    RefundUnits(Vec<(Index, i64)>),
    /// The outcome of a refund: whether it was paid.
    RecordRefund(Index, bool),
}

/// The captured amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payment {
    /// The amount due.
    Exact,
    /// The amount due plus a difference in minor units, which may be negative.
    Off(i64),
    /// The amount due in another currency.
    Foreign,
}

impl Payment {
    fn of(self, due: Money) -> Money {
        match self {
            Self::Exact => due,
            Self::Off(by) => Money::new(due.minor().saturating_add(by), due.currency()),
            Self::Foreign => Money::new(due.minor(), Currency::GBP),
        }
    }
}

impl Ask {
    /// The command for an order. An index without a return or refund gives an unknown id.
    pub fn command(&self, order: &Order, lifecycle: &Lifecycle) -> Command {
        let due = order.payment.amount;
        let return_id = |index: &Index| pick(*index, &order.returns).map_or(ReturnId::new(uuid::Uuid::nil()), |r| r.id);
        match self {
            Self::Transition(state) => {
                Command::Transition { status: state.get(lifecycle.states()).name.clone(), reason: None }
            }
            Self::Authorize(payment) => Command::Authorize { amount: payment.of(due), reference: None },
            Self::CancelSoldOut => Command::CancelSoldOut,
            Self::CaptureHeld(payment, is_final) => {
                Command::CaptureHeld { amount: payment.of(due), reference: None, is_final: *is_final }
            }
            Self::FailCapture => Command::FailCapture { reason: "declined".parse().expect("a reason") },
            Self::Void(minor) => Command::Void { amount: Money::new(*minor, due.currency()) },
            Self::Capture(payment) => Command::Capture { amount: payment.of(due), reference: None },
            Self::CaptureAfterExpiry(payment) => {
                Command::CaptureAfterExpiry { amount: payment.of(due), reference: None }
            }
            Self::CaptureSurplus(payment) => Command::CaptureSurplus { amount: payment.of(due), reference: None },
            Self::FailPayment => Command::FailPayment { reason: "declined".parse().expect("a reason") },
            Self::Expire => Command::Expire,
            Self::Extend(seconds) => {
                Command::ExtendReservation { until: order.created_at + TimeDelta::seconds(*seconds) }
            }
            Self::Cancel => Command::Cancel { reason: None },
            Self::Ship(status) => Command::UpdateShipment(shipment(*status)),
            Self::RequestReturn(id, lines) => {
                let lines = lines.iter().map(|(item, units)| return_line(order, *item, *units)).collect();
                Command::RequestReturn(ReturnRequest { id: *id, lines, reason: None })
            }
            Self::ApproveReturn(index) => Command::ApproveReturn(return_id(index)),
            Self::RejectReturn(index) => Command::RejectReturn { id: return_id(index), reason: None },
            Self::ReceiveReturn(index) => Command::ReceiveReturn(return_id(index)),
            Self::Refund(share) => {
                let amount = share.map(|minor| RefundOf::Amount(Money::new(minor, due.currency())));
                Command::Refund { of: amount.unwrap_or(RefundOf::Remainder), reason: None }
            }
            Self::RefundUnits(lines) => {
                let lines = lines.iter().map(|(item, units)| return_line(order, *item, *units)).collect();
                Command::Refund { of: RefundOf::Units(lines), reason: None }
            }
            Self::RecordRefund(index, is_paid) => {
                let id = pick(*index, &order.refunds).map_or(RefundId::new(uuid::Uuid::nil()), |refund| refund.id);
                let failed = || RefundOutcome::Failed { reason: "closed".parse().expect("a reason") };
                Command::RecordRefund {
                    id,
                    outcome: if *is_paid { RefundOutcome::Done { reference: None } } else { failed() },
                }
            }
        }
    }
}

fn pick<T>(index: Index, list: &[T]) -> Option<&T> {
    (!list.is_empty()).then(|| index.get(list))
}

fn return_line(order: &Order, item: Index, units: i64) -> ReturnLine {
    let item = item.get(order.lines()).item.id;
    ReturnLine { item, quantity: Quantity::new(units).expect("a quantity") }
}

/// A parcel with a status.
///
/// # Panics
/// Never: the names are valid.
pub fn shipment(status: ShipmentStatus) -> ShipmentUpdate {
    ShipmentUpdate {
        provider: "Post".parse().expect("a name"),
        method: "parcel".parse().expect("a name"),
        tracking_number: None,
        status: Some(status),
    }
}

/// Commands. Those that move an order on are more frequent.
pub fn ask() -> impl Strategy<Value = Ask> {
    let index = any::<Index>;
    let payment = || prop_oneof![8 => Just(Payment::Exact), 1 => (-3..=3_i64).prop_map(Payment::Off), 1 => Just(Payment::Foreign)];
    let status = select(vec![ShipmentStatus::Pending, ShipmentStatus::Shipped, ShipmentStatus::Delivered]);
    let lines = || vec((index(), 1..=4_i64), 0..=3);
    prop_oneof![
        6 => index().prop_map(Ask::Transition),
        3 => payment().prop_map(Ask::Authorize),
        1 => Just(Ask::CancelSoldOut),
        3 => (payment(), any::<bool>()).prop_map(|(amount, is_final)| Ask::CaptureHeld(amount, is_final)),
        1 => (-30_000..=0_i64).prop_map(|less| Ask::CaptureHeld(Payment::Off(less), false)),
        1 => Just(Ask::FailCapture),
        1 => (-1..=30_000_i64).prop_map(Ask::Void),
        4 => payment().prop_map(Ask::Capture),
        1 => payment().prop_map(Ask::CaptureAfterExpiry),
        1 => payment().prop_map(Ask::CaptureSurplus),
        1 => Just(Ask::FailPayment),
        1 => Just(Ask::Expire),
        1 => (0..=10_000_i64).prop_map(Ask::Extend),
        1 => Just(Ask::Cancel),
        3 => status.prop_map(Ask::Ship),
        4 => (uuid_id(), lines()).prop_map(|(id, lines)| Ask::RequestReturn(id, lines)),
        4 => index().prop_map(Ask::ApproveReturn),
        1 => index().prop_map(Ask::RejectReturn),
        4 => index().prop_map(Ask::ReceiveReturn),
        1 => option::of(-1..=30_000_i64).prop_map(Ask::Refund),
        1 => lines().prop_map(Ask::RefundUnits),
        2 => (index(), any::<bool>()).prop_map(|(index, is_paid)| Ask::RecordRefund(index, is_paid)),
    ]
}

/// Steps, mostly by roles that may take them.
pub fn step() -> impl Strategy<Value = Step> {
    let role = prop_oneof![
        4 => Just(Role::System),
        4 => Just(Role::Admin),
        1 => select(vec![Role::Customer, Role::Support, Role::Service]),
    ];
    let seconds = prop_oneof![6 => 0..=60_i64, 1 => 0..=2_000_i64, 1 => 0..=40 * 86_400_i64];
    (role, seconds, ask()).prop_map(|(role, seconds, ask)| Step { role, seconds, ask })
}
