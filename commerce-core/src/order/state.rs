//! The state of an order.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::event::Reason;
use super::lifecycle::{Phase, Status};
use super::returns::{Return, ReturnLine, ReturnStatus};
use crate::address::Address;
use crate::cart::LineItem;
use crate::ids::{CartId, ItemId, OrderId, OrderNumber, PaymentId, RefundId, Sku, UserId};
use crate::metadata::Metadata;
use crate::money::{Currency, Money};
use crate::pricing::{Quote, QuotedLine};
use crate::text::{BoundedString, named};

/// An order: what was placed, which never changes, and its state, which events change.
///
/// ```
/// use commerce_core::order::{Phase, fold};
/// use commerce_testkit::CommitBuilder;
///
/// let shop = CommitBuilder::new(1);
/// let placed = shop.order(&[("MUG", 2)]);
/// let paid = shop.pay(placed.orders[0].order(), shop.at(60));
/// assert_eq!(paid.orders[0].order().phase, Phase::Paid);
///
/// // An order is the fold of its events.
/// let history = placed.orders[0].events().iter().chain(paid.orders[0].events());
/// assert_eq!(&fold(history)?, paid.orders[0].order());
/// # Ok::<(), commerce_core::order::CorruptHistory>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct Order {
    pub id: OrderId,
    pub number: OrderNumber,
    /// The customer.
    pub user_id: UserId,
    /// The cart that was ordered, if any.
    pub cart_id: Option<CartId>,
    /// The name of the order's lifecycle.
    pub lifecycle: Status,
    pub status: Status,
    /// The phase of `status`.
    pub phase: Phase,
    /// The items with their price, what applied and what became of each code, fixed when the order was placed.
    pub quote: Quote<OrderItem>,
    pub shipping_address: Address,
    pub shipping_method: BoundedString<64>,
    /// A message of the customer.
    pub notes: Option<BoundedString<1000>>,
    /// The customer's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_order_number: Option<BoundedString<64>>,
    /// Fixed when the order was placed.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// When the reservation of the stock expires unless the order is paid, as decided when it was placed.
    pub reserved_until: DateTime<Utc>,
    /// The later end of the reservation, if it was extended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_until: Option<DateTime<Utc>>,
    pub shipment: Option<Shipment>,
    pub payment: Payment,
    pub refunds: Vec<Refund>,
    pub returns: Vec<Return>,
    /// The number of the last event.
    pub version: u64,
    /// When it was placed.
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// When it entered its present state.
    pub entered_at: DateTime<Utc>,
    pub delivered_at: Option<DateTime<Utc>>,
}

/// The part of an order that events change. The rest is in the event that created it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of `Order`")]
pub struct OrderState {
    pub status: Status,
    pub phase: Phase,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_until: Option<DateTime<Utc>>,
    pub shipment: Option<Shipment>,
    pub payment: Payment,
    pub refunds: Vec<Refund>,
    pub returns: Vec<Return>,
    pub version: u64,
    pub updated_at: DateTime<Utc>,
    pub entered_at: DateTime<Utc>,
    pub delivered_at: Option<DateTime<Utc>>,
}

/// An item of an order, as it was placed.
pub type OrderItem = LineItem;

/// One line of an order: an item and its price.
pub type OrderLine = QuotedLine<OrderItem>;

/// The payment of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct Payment {
    pub id: PaymentId,
    pub status: PaymentStatus,
    /// The amount to pay: the total of the order.
    pub amount: Money,
    /// The captured amount.
    pub captured: Money,
    /// What is held of the customer's money and not captured yet; positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Money>,
    /// The refunded amount.
    pub refunded: Money,
    /// The processor's id of the payment.
    pub reference: Option<BoundedString<200>>,
    /// How often the processor declined it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub declined: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The status of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Waiting for the customer.
    Pending,
    /// The amount, or what is left of it, is held and will be captured.
    Authorized,
    /// Captured in full.
    Succeeded,
    /// Less than the amount was captured, and nothing is held.
    PartiallyCaptured,
    /// A capture was declined. What is held can be captured again.
    CaptureFailed,
    /// What was held was given back, and nothing was captured.
    Voided,
    /// The last attempt failed; another may succeed.
    Failed,
    /// A part was refunded.
    PartiallyRefunded,
    /// Everything was refunded.
    Refunded,
}

/// Money paid back to the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct Refund {
    /// Its id, also the idempotency key at the processor.
    pub id: RefundId,
    pub amount: Money,
    /// The money was received elsewhere, so that staff pay it back.
    #[serde(default, skip_serializing_if = "is_false")]
    pub elsewhere: bool,
    /// The units whose price it is, if they are not returned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<ReturnLine>,
    pub reason: Option<Reason>,
    pub status: RefundStatus,
    /// The processor's id of the refund.
    pub reference: Option<BoundedString<200>>,
}

/// The status of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// To be sent to the processor.
    Requested,
    /// The processor paid it.
    Processed,
    /// The processor refused it permanently.
    Failed,
}

/// The parcel of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Shipment {
    /// The carrier.
    pub provider: BoundedString<100>,
    /// The carrier's service.
    pub method: BoundedString<64>,
    /// The carrier's number of the parcel.
    pub tracking_number: Option<BoundedString<100>>,
    pub status: ShipmentStatus,
}

named! {
    /// The status of a parcel.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ShipmentStatus {
        /// Not with the carrier yet.
        #[default]
        Pending = "pending",
        /// With the carrier.
        Shipped = "shipped",
        /// With the customer.
        Delivered = "delivered",
    }
}

impl Order {
    /// Whether the reservation ended before the payment.
    pub fn is_overdue(&self, at: DateTime<Utc>) -> bool {
        self.phase == Phase::AwaitingPayment && self.reservation_end() <= at
    }

    /// When the reservation expires unless the order is paid.
    pub fn reservation_end(&self) -> DateTime<Utc> {
        self.extended_until.unwrap_or(self.reserved_until)
    }

    /// The part that events have changed. `None` for an order as it was placed.
    pub fn state(&self) -> Option<OrderState> {
        let Self { status, phase, shipment, payment, refunds, returns, .. } = self;
        (self.version > 1).then(|| OrderState {
            status: status.clone(),
            phase: *phase,
            extended_until: self.extended_until,
            shipment: shipment.clone(),
            payment: payment.clone(),
            refunds: refunds.clone(),
            returns: returns.clone(),
            version: self.version,
            updated_at: self.updated_at,
            entered_at: self.entered_at,
            delivered_at: self.delivered_at,
        })
    }

    /// The order as it was placed, brought to a [state](Self::state).
    #[must_use]
    pub fn with_state(self, state: OrderState) -> Self {
        let OrderState { status, phase, extended_until, shipment, payment, refunds, returns, .. } = state;
        let OrderState { version, updated_at, entered_at, delivered_at, .. } = state;
        Self {
            status,
            phase,
            extended_until,
            shipment,
            payment,
            refunds,
            returns,
            version,
            updated_at,
            entered_at,
            delivered_at,
            ..self
        }
    }

    /// The keys by which lists find the order, besides its id, number, payment and returns.
    pub fn keys(&self) -> Vec<String> {
        self.metadata.lookup_keys().collect()
    }

    /// The currency of every amount.
    pub fn currency(&self) -> Currency {
        self.payment.amount.currency()
    }

    /// The lines, as they were placed.
    pub fn lines(&self) -> &[OrderLine] {
        &self.quote.lines
    }

    /// The items of the lines.
    pub fn items(&self) -> impl Iterator<Item = &OrderItem> {
        self.quote.items()
    }

    /// The line of an item.
    pub fn line(&self, item: ItemId) -> Option<&OrderLine> {
        self.quote.lines.iter().find(|line| line.item.id == item)
    }

    /// The units of all lines.
    pub fn units(&self) -> i64 {
        self.items().fold(0, |sum, item| sum.saturating_add(item.quantity.get()))
    }

    /// The units of every SKU over all lines, in the order of SKUs.
    pub fn units_by_sku(&self) -> BTreeMap<&Sku, i64> {
        sum_units(self.items().map(|item| (&item.sku, item.quantity.get())))
    }

    /// The units of an item in returns that were not rejected.
    pub fn returning(&self, item: ItemId) -> i64 {
        self.return_units(item, |status| status != ReturnStatus::Rejected)
    }

    /// The units of an item in received returns.
    pub fn returned(&self, item: ItemId) -> i64 {
        self.return_units(item, |status| status == ReturnStatus::Received)
    }

    /// The units of every SKU in received returns.
    pub fn returned_by_sku(&self) -> BTreeMap<&Sku, i64> {
        sum_units(self.items().map(|item| (&item.sku, self.returned(item.id))))
    }

    /// Whether money for it is held or was captured.
    pub const fn is_paid(&self) -> bool {
        self.payment.held.is_some() || !self.payment.captured.is_zero()
    }

    /// Whether what was held for it was given back, so that it must be paid again before it is shipped.
    pub fn is_unsecured(&self) -> bool {
        self.payment.status == PaymentStatus::Voided && !self.phase.is_undone()
    }

    /// Whether the customer is still to pay for it, for the first time or again.
    pub fn can_be_paid(&self) -> bool {
        (self.phase.is_unpaid() || self.is_unsecured()) && !self.payment.amount.is_zero()
    }

    /// The captured amount without refunds and disputes, open ones included; never negative.
    pub fn refundable(&self) -> Money {
        let promised = self.refunds.iter().filter(|refund| refund.status != RefundStatus::Failed);
        let left = promised.fold(self.payment.captured.minor(), |left, r| left.saturating_sub(r.amount.minor()));
        Money::new(left.max(0), self.currency())
    }

    /// A refund.
    pub fn refund(&self, id: RefundId) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.id == id)
    }

    /// The units of an item that were refunded without a return. A refund that failed counts, too: it is made again by its amount.
    pub fn refunded_units(&self, item: ItemId) -> i64 {
        units_of(item, self.refunds.iter().flat_map(|refund| &refund.lines))
    }

    fn return_units(&self, item: ItemId, counts: impl Fn(ReturnStatus) -> bool) -> i64 {
        units_of(item, self.returns.iter().filter(|r| counts(r.status)).flat_map(|r| &r.lines))
    }
}

fn units_of<'a>(item: ItemId, lines: impl Iterator<Item = &'a ReturnLine>) -> i64 {
    lines.filter(|line| line.item == item).fold(0, |sum, line| line.quantity.get().saturating_add(sum))
}

pub(super) fn sum_units<'a>(units: impl Iterator<Item = (&'a Sku, i64)>) -> BTreeMap<&'a Sku, i64> {
    units.fold(BTreeMap::new(), |mut sums, (sku, units)| {
        let sum: &mut i64 = sums.entry(sku).or_default();
        *sum = sum.saturating_add(units);
        sums
    })
}
