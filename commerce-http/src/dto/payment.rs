//! Payments and refunds.

use commerce_core::ids::{OrderId, PaymentId, RefundId};
use commerce_core::money::{Amount, Currency};
use commerce_core::order::{Order, PaymentStatus, Reason, Refund, RefundStatus, Status};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Figure;

/// The payment of an order, within the order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderPayment)]
pub(crate) struct OrderPaymentShape {
    #[schema(value_type = uuid::Uuid)]
    id: PaymentId,
    /// `pending`, `succeeded`, `failed`, `partially_refunded` or `refunded`.
    #[schema(value_type = String, example = "pending")]
    status: PaymentStatus,
    amount: Figure,
    captured: Figure,
    refunded: Figure,
}

impl From<&Order> for OrderPaymentShape {
    fn from(order: &Order) -> Self {
        let payment = &order.payment;
        Self {
            id: payment.id,
            status: payment.status,
            amount: payment.amount.into(),
            captured: payment.captured.into(),
            refunded: payment.refunded.into(),
        }
    }
}

/// The payment of an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payment)]
pub(crate) struct PaymentShape<'a> {
    #[serde(flatten)]
    payment: OrderPaymentShape,
    #[schema(value_type = String, example = "USD")]
    currency: Currency,
    #[schema(value_type = uuid::Uuid)]
    order_id: OrderId,
    #[schema(value_type = String, example = "paid")]
    order_status: &'a Status,
    refunds: Vec<RefundShape<'a>>,
}

/// Money on its way back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
pub(crate) struct RefundShape<'a> {
    #[schema(value_type = uuid::Uuid)]
    id: RefundId,
    amount: Figure,
    /// `requested`, `processed` or `failed`.
    #[schema(value_type = String, example = "requested")]
    status: RefundStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reason: Option<&'a Reason>,
}

impl<'a> From<&'a Order> for PaymentShape<'a> {
    fn from(order: &'a Order) -> Self {
        Self {
            payment: order.into(),
            currency: order.currency(),
            order_id: order.id,
            order_status: &order.status,
            refunds: order.refunds.iter().map(RefundShape::from).collect(),
        }
    }
}

impl<'a> From<&'a Refund> for RefundShape<'a> {
    fn from(refund: &'a Refund) -> Self {
        Self { id: refund.id, amount: refund.amount.into(), status: refund.status, reason: refund.reason.as_ref() }
    }
}

/// What a customer's client got from the processor in place of card data.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    #[schema(example = "tok_ok", min_length = 1, max_length = 255)]
    pub(crate) token: String,
}

/// Money to pay back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRefund {
    /// Everything that is left if not said.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "10.00")]
    pub(crate) amount: Option<Amount>,
    #[schema(value_type = String, max_length = 500)]
    pub(crate) reason: Reason,
}
