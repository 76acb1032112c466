//! Orders and their history.

use chrono::{DateTime, Utc};
use commerce_core::Quantity;
use commerce_core::actor::{Actor, Role};
use commerce_core::engine::HistoryItem;
use commerce_core::ids::{EventId, ItemId, OrderId, OrderNumber, ProductId, PromotionId, Sku, UserId};
use commerce_core::metadata::Metadata;
use commerce_core::money::Currency;
use commerce_core::order::{
    Command, Order, OrderItem, OrderLine, Phase, Reason, Shipment, ShipmentStatus, ShipmentUpdate, Status,
};
use commerce_core::pricing::{Adjustment, Quote};
use commerce_core::problem::{Findings, Read};
use commerce_core::text::{BoundedString, Name};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Figure;
use super::address::AddressShape;
use super::leaf::all;
use super::payment::{OrderPaymentShape, RefundShape};
use super::quote::{AdjustmentDto, ExplainedDto};
use super::returns::ReturnShape;

/// An order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub(crate) struct OrderShape<'a> {
    id: OrderId,
    #[schema(example = "ORD-20260216-7K3F")]
    number: &'a OrderNumber,
    user_id: &'a UserId,
    /// The state it is in, by the name the shop gives it.
    #[schema(example = "pending")]
    status: &'a Status,
    /// What that state means: `draft`, `awaiting_payment`, `paid`, `in_fulfilment`, `shipped`, `delivered`, `completed`,
    /// `cancelled` or `returned`.
    #[schema(value_type = String, example = "awaiting_payment")]
    phase: Phase,
    #[schema(example = "USD")]
    currency: Currency,
    items: Vec<OrderItemShape<'a>>,
    subtotal: Figure,
    discount: Figure,
    shipping: Figure,
    shipping_discount: Figure,
    tax: Figure,
    total: Figure,
    /// The promotions that gave something.
    promotions: Vec<PromotionShape<'a>>,
    /// What became of every promotion that could have applied, when the order was placed.
    explanation: Vec<ExplainedDto<'a>>,
    shipping_address: AddressShape<'a>,
    #[schema(example = "standard")]
    shipping_method: &'a BoundedString<64>,
    /// How it is being shipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    shipments: Option<[ShipmentShape<'a>; 1]>,
    payment: OrderPaymentShape<'a>,
    /// The refunds of its payment.
    refunds: Vec<RefundShape<'a>>,
    /// What came or comes back.
    returns: Vec<ReturnShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<&'a BoundedString<1000>>,
    /// The number of the buyer's own purchase order.
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase_order_number: Option<&'a BoundedString<64>>,
    metadata: &'a Metadata,
    /// The number of its last event.
    version: u64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A line of an order, as it was placed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderItem)]
pub(crate) struct OrderItemShape<'a> {
    id: ItemId,
    sku: &'a Sku,
    product_id: &'a ProductId,
    name: &'a Name,
    quantity: Quantity,
    unit_price: Figure,
    subtotal: Figure,
    discount: Figure,
    tax: Figure,
    total: Figure,
    /// The discount by promotion.
    adjustments: Vec<AdjustmentDto<'a>>,
    metadata: &'a Metadata,
}

/// What one promotion took off the order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AppliedPromotion)]
pub(crate) struct PromotionShape<'a> {
    id: &'a PromotionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    amount: Figure,
}

/// How an order is being shipped.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Shipment)]
pub(crate) struct ShipmentShape<'a> {
    provider: &'a BoundedString<100>,
    method: &'a BoundedString<64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_number: Option<&'a BoundedString<100>>,
    /// `pending`, `shipped` or `delivered`.
    #[schema(example = "shipped")]
    status: ShipmentStatus,
}

impl<'a> From<&'a Order> for OrderShape<'a> {
    fn from(order: &'a Order) -> Self {
        let quote = &order.quote;
        Self {
            id: order.id,
            number: &order.number,
            user_id: &order.user_id,
            status: &order.status,
            phase: order.phase,
            currency: order.currency(),
            items: items(order),
            subtotal: quote.subtotal.into(),
            discount: quote.discount.into(),
            shipping: quote.shipping.into(),
            shipping_discount: quote.shipping_discount.into(),
            tax: quote.tax.into(),
            total: quote.total.into(),
            promotions: promotions(quote),
            explanation: quote.explanation.iter().map(|entry| ExplainedDto::of(quote, entry)).collect(),
            shipping_address: (&order.shipping_address).into(),
            shipping_method: &order.shipping_method,
            shipments: order.shipment.as_ref().map(|shipment| [shipment.into()]),
            payment: order.into(),
            refunds: order.refunds.iter().map(RefundShape::from).collect(),
            returns: order.returns.iter().map(|known| ReturnShape::new(order.id, known)).collect(),
            notes: order.notes.as_ref(),
            purchase_order_number: order.purchase_order_number.as_ref(),
            metadata: &order.metadata,
            version: order.version,
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}

fn items(order: &Order) -> Vec<OrderItemShape<'_>> {
    let lines = order.lines().iter().enumerate();
    lines.map(|(at, line)| OrderItemShape::of(line, order.quote.adjustments(at))).collect()
}

fn promotions(quote: &Quote<OrderItem>) -> Vec<PromotionShape<'_>> {
    let code_of = |id: &PromotionId| {
        let explained = quote.explanation.iter().find(|explained| explained.promotion_id == *id);
        explained.and_then(|explained| explained.code.as_deref())
    };
    let applied = quote.applied().map(|applied| PromotionShape {
        id: applied.promotion_id,
        code: code_of(applied.promotion_id),
        amount: applied.amount.into(),
    });
    applied.collect()
}

impl<'a> OrderItemShape<'a> {
    fn of(line: &'a OrderLine, adjustments: impl Iterator<Item = Adjustment<'a>>) -> Self {
        let item = &line.item;
        Self {
            id: item.id,
            sku: &item.sku,
            product_id: &item.product_id,
            name: &item.name,
            quantity: item.quantity,
            unit_price: item.unit_price.into(),
            subtotal: line.subtotal.into(),
            discount: line.discount.into(),
            tax: line.tax.into(),
            total: line.total.into(),
            adjustments: adjustments.map(AdjustmentDto::from).collect(),
            metadata: &item.metadata,
        }
    }
}

impl<'a> From<&'a Shipment> for ShipmentShape<'a> {
    fn from(shipment: &'a Shipment) -> Self {
        Self {
            provider: &shipment.provider,
            method: &shipment.method,
            tracking_number: shipment.tracking_number.as_ref(),
            status: shipment.status,
        }
    }
}

/// Something that happened to an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderEvent)]
pub(crate) struct EventShape<'a> {
    event_id: EventId,
    #[schema(example = "order.created")]
    event_type: &'static str,
    timestamp: DateTime<Utc>,
    /// Its number within the order, from 1 without a gap.
    sequence: u64,
    actor: ActorShape<'a>,
    data: EventData<'a>,
}

/// Who caused an event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Actor)]
pub(crate) struct ActorShape<'a> {
    /// `customer`, `support`, `admin`, `service`, or `system` for the shop itself.
    #[schema(value_type = String, example = "admin")]
    role: Role,
    /// Absent for the shop itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a UserId>,
}

impl<'a> From<&'a Actor> for ActorShape<'a> {
    fn from(actor: &'a Actor) -> Self {
        Self { role: actor.role, user_id: actor.user.as_ref() }
    }
}

/// The order after the event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventData<'a> {
    order_id: OrderId,
    #[serde(flatten)]
    order: OrderShape<'a>,
}

impl<'a> From<&'a HistoryItem> for EventShape<'a> {
    fn from(item: &'a HistoryItem) -> Self {
        Self {
            event_id: item.entry.id,
            event_type: item.entry.event.event_type(),
            timestamp: item.entry.at,
            sequence: item.entry.sequence,
            actor: (&item.entry.actor).into(),
            data: EventData { order_id: item.order.id, order: (&item.order).into() },
        }
    }
}

/// The state an order shall go to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewStatus {
    #[schema(example = "shipped")]
    status: String,
    #[schema(max_length = 500)]
    reason: Option<String>,
}

impl NewStatus {
    pub(crate) fn read(self, f: &mut Findings) -> Read<Command> {
        let (status, reason) = (f.parse("status", &self.status), f.parse_option("reason", self.reason));
        Some(Command::Transition { status: status?, reason: reason? })
    }
}

/// Why somebody does something.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonBody {
    #[schema(max_length = 500)]
    reason: Option<String>,
}

impl ReasonBody {
    pub(crate) fn read(self, f: &mut Findings) -> Read<Option<Reason>> {
        f.parse_option("reason", self.reason)
    }
}

/// How an order is being shipped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewShipment {
    #[schema(max_length = 100)]
    provider: String,
    #[schema(max_length = 64)]
    method: String,
    #[schema(max_length = 100)]
    tracking_number: Option<String>,
    /// `pending`, `shipped` or `delivered`; the order follows. Not said, it stays as it is; a new shipment is `pending`.
    #[schema(example = "shipped")]
    status: Option<ShipmentStatus>,
}

impl NewShipment {
    pub(crate) fn read(self, f: &mut Findings) -> Read<ShipmentUpdate> {
        all!(ShipmentUpdate {
            provider: f.parse("provider", &self.provider),
            method: f.parse("method", &self.method),
            tracking_number: f.parse_option("tracking_number", self.tracking_number),
            status: Some(self.status),
        })
    }
}
