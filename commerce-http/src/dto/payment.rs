//! Payments and refunds.

use commerce_core::ids::{OrderId, PaymentId, RefundId};
use commerce_core::money::Currency;
use commerce_core::order::{Command, Order, PaymentStatus, Reason, Refund, RefundStatus, Status};
use commerce_core::problem::{Findings, Read};
use commerce_core::text::BoundedString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Figure;
use super::leaf::{Decimal, optional};

const MAX_TOKEN: usize = 255;

/// The payment of an order, within the order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderPayment)]
pub(crate) struct OrderPaymentShape<'a> {
    id: PaymentId,
    /// `pending`, `succeeded`, `failed`, `partially_refunded` or `refunded`.
    #[schema(value_type = String, example = "pending")]
    status: PaymentStatus,
    amount: Figure,
    captured: Figure,
    refunded: Figure,
    /// The processor's name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a BoundedString<200>>,
}

impl<'a> From<&'a Order> for OrderPaymentShape<'a> {
    fn from(order: &'a Order) -> Self {
        let payment = &order.payment;
        Self {
            id: payment.id,
            status: payment.status,
            amount: payment.amount.into(),
            captured: payment.captured.into(),
            refunded: payment.refunded.into(),
            reference: payment.reference.as_ref(),
        }
    }
}

/// The payment of an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payment)]
pub(crate) struct PaymentShape<'a> {
    #[serde(flatten)]
    payment: OrderPaymentShape<'a>,
    #[schema(example = "USD")]
    currency: Currency,
    order_id: OrderId,
    #[schema(example = "paid")]
    order_status: &'a Status,
    refunds: Vec<RefundShape<'a>>,
}

/// Money on its way back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
pub(crate) struct RefundShape<'a> {
    id: RefundId,
    amount: Figure,
    /// `requested`, `processed` or `failed`.
    #[schema(value_type = String, example = "requested")]
    status: RefundStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
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
    token: String,
}

impl Confirmation {
    pub(crate) fn read(self, f: &mut Findings) -> Read<String> {
        if (1..=MAX_TOKEN).contains(&self.token.chars().count()) {
            return Some(self.token);
        }
        f.refuse("token", "out_of_range", format_args!("has 1 to {MAX_TOKEN} characters"))
    }
}

/// Money to pay back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRefund {
    /// Everything that is left if not said.
    amount: Option<Decimal>,
    #[schema(max_length = 500)]
    reason: String,
}

impl NewRefund {
    pub(crate) fn read(self, f: &mut Findings, currency: Currency) -> Read<Command> {
        let amount = optional(f, "amount", self.amount, |figure, f| figure.money(Some(currency), f));
        let reason = f.parse("reason", &self.reason);
        Some(Command::Refund { amount: amount?, reason: Some(reason?) })
    }
}
