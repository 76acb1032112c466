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
use commerce_core::port::ClientSecret;
use commerce_core::pricing::{Adjustment, Quote};
use commerce_core::problem::{Findings, Read};
use commerce_core::text::{BoundedString, Name};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Figure;
use super::address::AddressShape;
use super::leaf::all;
use super::payment::{OrderPaymentShape, RefundShape};
use super::quote::{AdjustmentDto, ExplainedDto};
use super::returns::ReturnShape;
use super::shape::shape;

shape! {
    /// An order.
    #[schema(as = Order)]
    pub(crate) struct OrderShape<'a> from order: &'a Order {
        id: OrderId = order.id,
        number: &'a OrderNumber = &order.number,
        user_id: &'a UserId = &order.user_id,
        status: &'a Status = &order.status,
        phase: Phase = order.phase,
        currency: Currency = order.currency(),
        items: Vec<OrderItemShape<'a>> = items(order),
        subtotal: Figure = order.quote.subtotal.into(),
        discount: Figure = order.quote.discount.into(),
        shipping: Figure = order.quote.shipping.into(),
        shipping_discount: Figure = order.quote.shipping_discount.into(),
        tax: Figure = order.quote.tax.into(),
        total: Figure = order.quote.total.into(),
        /// The promotions that gave a discount.
        promotions: Vec<PromotionShape<'a>> = promotions(&order.quote),
        /// The outcomes of the promotions that gave a discount or whose code was given, when the order was placed.
        explanation: Vec<ExplainedDto<'a>> = ExplainedDto::all(&order.quote),
        shipping_address: AddressShape<'a> = (&order.shipping_address).into(),
        #[schema(example = "standard")]
        shipping_method: &'a BoundedString<64> = &order.shipping_method,
        /// The shipment.
        shipments: Option<[ShipmentShape<'a>; 1]> = order.shipment.as_ref().map(|shipment| [shipment.into()]),
        payment: OrderPaymentShape<'a> = (&order.payment).into(),
        /// The refunds of its payment.
        refunds: Vec<RefundShape<'a>> = order.refunds.iter().map(RefundShape::from).collect(),
        /// The returns.
        returns: Vec<ReturnShape<'a>> = order.returns.iter().map(|known| (order.id, known).into()).collect(),
        notes: Option<&'a BoundedString<1000>> = order.notes.as_ref(),
        /// The number of the buyer's own purchase order.
        purchase_order_number: Option<&'a BoundedString<64>> = order.purchase_order_number.as_ref(),
        metadata: &'a Metadata = &order.metadata,
        /// The number of its last event.
        version: u64 = order.version,
        created_at: DateTime<Utc> = order.created_at,
        updated_at: DateTime<Utc> = order.updated_at,
    }
}

shape! {
    /// A line of an order, as it was placed.
    #[schema(as = OrderItem)]
    pub(crate) struct OrderItemShape<'a> from (order, at, line): (&'a Order, usize, &'a OrderLine) {
        id: ItemId = line.item.id,
        sku: &'a Sku = &line.item.sku,
        product_id: &'a ProductId = &line.item.product_id,
        name: &'a Name = &line.item.name,
        quantity: Quantity = line.item.quantity,
        unit_price: Figure = line.item.unit_price.into(),
        subtotal: Figure = line.subtotal.into(),
        discount: Figure = line.discount.into(),
        tax: Figure = line.tax.into(),
        total: Figure = line.total.into(),
        /// The discounts by promotion.
        adjustments: Vec<AdjustmentDto<'a>> = order.quote.adjustments(at).map(AdjustmentDto::from).collect(),
        metadata: &'a Metadata = &line.item.metadata,
    }
}

shape! {
    /// The discount of one promotion on the order.
    #[schema(as = AppliedPromotion)]
    pub(crate) struct PromotionShape<'a> from (quote, applied): (&'a Quote<OrderItem>, Adjustment<'a>) {
        id: &'a PromotionId = applied.promotion_id,
        code: Option<&'a str> = code_of(quote, applied.promotion_id),
        amount: Figure = applied.amount.into(),
    }
}

shape! {
    /// The shipment of an order.
    #[schema(as = Shipment)]
    pub(crate) struct ShipmentShape<'a> from shipment: &'a Shipment {
        provider: &'a BoundedString<100> = &shipment.provider,
        method: &'a BoundedString<64> = &shipment.method,
        tracking_number: Option<&'a BoundedString<100>> = shipment.tracking_number.as_ref(),
        status: ShipmentStatus = shipment.status,
    }
}

impl<'a> OrderShape<'a> {
    /// A placed order, with the secret of its payment.
    pub(crate) fn with_secret(order: &'a Order, secret: Option<&'a ClientSecret>) -> Self {
        Self { payment: OrderPaymentShape::with_secret(&order.payment, secret), ..Self::from(order) }
    }
}

fn items(order: &Order) -> Vec<OrderItemShape<'_>> {
    order.lines().iter().enumerate().map(|(at, line)| (order, at, line).into()).collect()
}

fn promotions(quote: &Quote<OrderItem>) -> Vec<PromotionShape<'_>> {
    quote.applied().map(|applied| (quote, applied).into()).collect()
}

fn code_of<'a>(quote: &'a Quote<OrderItem>, id: &PromotionId) -> Option<&'a str> {
    quote.explanation.iter().find(|explained| explained.promotion_id == *id)?.code.as_deref()
}

shape! {
    /// An event of an order.
    #[schema(as = OrderEvent)]
    pub(crate) struct EventShape<'a> from item: &'a HistoryItem {
        event_id: EventId = item.entry.id,
        #[schema(example = "order.created")]
        event_type: &'static str = item.entry.event.event_type(),
        timestamp: DateTime<Utc> = item.entry.at,
        /// The number within the order, from 1 without gaps.
        sequence: u64 = item.entry.sequence,
        actor: ActorShape<'a> = (&item.entry.actor).into(),
        data: EventData<'a> = (&item.order).into(),
    }
}

shape! {
    /// The cause of an event.
    #[schema(as = Actor)]
    pub(crate) struct ActorShape<'a> from actor: &'a Actor {
        role: Role = actor.role,
        /// Absent for the shop itself.
        user_id: Option<&'a UserId> = actor.user.as_ref(),
    }
}

shape! {
    /// The order after the event.
    pub(crate) struct EventData<'a> from after: &'a Order {
        order_id: OrderId = after.id,
        #[serde(flatten)]
        order: OrderShape<'a> = after.into(),
    }
}

/// The new state of an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewStatus {
    #[schema(value_type = Status)]
    status: String,
    #[schema(value_type = Option<Reason>)]
    reason: Option<String>,
}

impl NewStatus {
    pub(crate) fn read(self, f: &mut Findings) -> Read<Command> {
        let (status, reason) = (f.parse("status", &self.status), f.parse_option("reason", self.reason));
        Some(Command::Transition { status: status?, reason: reason? })
    }
}

/// A reason.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonBody {
    #[schema(value_type = Option<Reason>)]
    reason: Option<String>,
}

impl ReasonBody {
    pub(crate) fn read(self, f: &mut Findings) -> Read<Option<Reason>> {
        f.parse_option("reason", self.reason)
    }
}

/// The shipment of an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewShipment {
    #[schema(min_length = 1, max_length = 100)]
    provider: String,
    #[schema(min_length = 1, max_length = 64)]
    method: String,
    #[schema(min_length = 1, max_length = 100)]
    tracking_number: Option<String>,
    /// The order moves with it. Default: no change, or `pending` for a new shipment.
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
