//! What an order is.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::event::Reason;
use super::lifecycle::{Phase, Status};
use super::returns::{Return, ReturnStatus};
use crate::address::Address;
use crate::cart::LineItem;
use crate::ids::{CartId, ItemId, OrderId, OrderNumber, PaymentId, RefundId, Sku, UserId};
use crate::metadata::Metadata;
use crate::money::{Currency, Money};
use crate::pricing::{Quote, QuotedLine};
use crate::text::BoundedString;

/// An order: what was placed, which never changes, and where it stands, which events change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Its number for people.
    pub number: OrderNumber,
    /// Who bought.
    pub user_id: UserId,
    /// The cart it was made of, if it was.
    pub cart_id: Option<CartId>,
    /// The name of the lifecycle it follows.
    pub lifecycle: Status,
    /// The state it is in.
    pub status: Status,
    /// What that state means.
    pub phase: Phase,
    /// What was bought and its price, frozen: the lines, the totals, and why.
    pub quote: Quote<OrderItem>,
    /// Where it goes.
    pub shipping_address: Address,
    /// How it was to be shipped.
    pub shipping_method: BoundedString<64>,
    /// What the customer wrote.
    pub notes: Option<BoundedString<1000>>,
    /// What was attached when it was placed.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// Until when the stock is held for it unless it is paid.
    pub reserved_until: DateTime<Utc>,
    /// How it is being shipped.
    pub shipment: Option<Shipment>,
    /// Its payment.
    pub payment: Payment,
    /// The refunds of its payment.
    pub refunds: Vec<Refund>,
    /// What came or comes back.
    pub returns: Vec<Return>,
    /// The number of its last event.
    pub version: u64,
    /// When it was placed.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it entered its present state.
    pub entered_at: DateTime<Utc>,
    /// When it was delivered.
    pub delivered_at: Option<DateTime<Utc>>,
}

/// What events change of an order. The rest stands in the event that created it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of `Order`")]
pub struct OrderState {
    pub status: Status,
    pub phase: Phase,
    pub shipment: Option<Shipment>,
    pub payment: Payment,
    pub refunds: Vec<Refund>,
    pub returns: Vec<Return>,
    pub version: u64,
    pub updated_at: DateTime<Utc>,
    pub entered_at: DateTime<Utc>,
    pub delivered_at: Option<DateTime<Utc>>,
}

/// What one line of an order is about, as it was placed.
pub type OrderItem = LineItem;

/// One line of an order: what was bought, and its price.
pub type OrderLine = QuotedLine<OrderItem>;

/// The payment of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// Where it stands.
    pub status: PaymentStatus,
    /// What is to be paid: the total of the order.
    pub amount: Money,
    /// What was paid.
    pub captured: Money,
    /// What was paid back.
    pub refunded: Money,
    /// The processor's name for it.
    pub reference: Option<BoundedString<200>>,
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Waiting for the customer.
    Pending,
    /// Captured in full.
    Succeeded,
    /// The last attempt failed; another may succeed.
    Failed,
    /// Some of it went back.
    PartiallyRefunded,
    /// All of it went back.
    Refunded,
}

/// Money on its way back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Its id, which is also the key under which the processor takes it once.
    pub id: RefundId,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: Option<Reason>,
    /// Where it stands.
    pub status: RefundStatus,
    /// The processor's name for it.
    pub reference: Option<BoundedString<200>>,
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Decided, and to be sent to the processor.
    Requested,
    /// The processor has paid it.
    Processed,
    /// The processor refused it for good.
    Failed,
}

/// How an order is being shipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// The carrier.
    pub provider: BoundedString<100>,
    /// Its service.
    pub method: BoundedString<64>,
    /// Its number for the parcel.
    pub tracking_number: Option<BoundedString<100>>,
    /// Where the parcel is.
    pub status: ShipmentStatus,
}

/// Where a parcel is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShipmentStatus {
    /// Not handed over yet.
    #[default]
    Pending,
    /// With the carrier.
    Shipped,
    /// With the customer.
    Delivered,
}

impl Order {
    /// What events have changed since the order was placed. None for an order as it was placed.
    pub fn state(&self) -> Option<OrderState> {
        let Self { status, phase, shipment, payment, refunds, returns, .. } = self;
        (self.version > 1).then(|| OrderState {
            status: status.clone(),
            phase: *phase,
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
        let OrderState { status, phase, shipment, payment, refunds, returns, .. } = state;
        let OrderState { version, updated_at, entered_at, delivered_at, .. } = state;
        Self {
            status,
            phase,
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

    /// What a store finds the order by, besides its id, number, payment and returns.
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

    /// What was bought, line by line.
    pub fn items(&self) -> impl Iterator<Item = &OrderItem> {
        self.quote.items()
    }

    /// The line of an item.
    pub fn line(&self, item: ItemId) -> Option<&OrderLine> {
        self.quote.lines.iter().find(|line| line.item.id == item)
    }

    /// The units of every sku, several lines of one sku together, in the order of skus.
    pub fn units_by_sku(&self) -> BTreeMap<&Sku, i64> {
        sum_units(self.items().map(|item| (&item.sku, item.quantity.get())))
    }

    /// The units of an item that are in returns: all that were not rejected.
    pub fn returning(&self, item: ItemId) -> i64 {
        self.return_units(item, |status| status != ReturnStatus::Rejected)
    }

    /// The units of an item that came back.
    pub fn returned(&self, item: ItemId) -> i64 {
        self.return_units(item, |status| status == ReturnStatus::Received)
    }

    /// The units of every sku that came back.
    pub fn returned_by_sku(&self) -> BTreeMap<&Sku, i64> {
        sum_units(self.items().map(|item| (&item.sku, self.returned(item.id))))
    }

    /// What was captured and is neither refunded nor about to be.
    pub fn refundable(&self) -> Money {
        let promised = self.refunds.iter().filter(|refund| refund.status != RefundStatus::Failed);
        let left = promised.fold(self.payment.captured.minor(), |left, r| left.saturating_sub(r.amount.minor()));
        Money::new(left, self.currency())
    }

    /// A refund.
    pub fn refund(&self, id: RefundId) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.id == id)
    }

    fn return_units(&self, item: ItemId, counts: impl Fn(ReturnStatus) -> bool) -> i64 {
        let lines = self.returns.iter().filter(|r| counts(r.status)).flat_map(|r| &r.lines);
        lines.filter(|line| line.item == item).fold(0, |sum, line| line.quantity.get().saturating_add(sum))
    }
}

fn sum_units<'a>(units: impl Iterator<Item = (&'a Sku, i64)>) -> BTreeMap<&'a Sku, i64> {
    units.fold(BTreeMap::new(), |mut sums, (sku, units)| {
        let sum: &mut i64 = sums.entry(sku).or_default();
        *sum = sum.saturating_add(units);
        sums
    })
}
