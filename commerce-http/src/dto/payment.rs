//! Payments and refunds.

use commerce_core::ids::{OrderId, PaymentId, RefundId};
use commerce_core::money::Currency;
use commerce_core::order::{Command, Order, Payment, PaymentStatus, Reason, Refund, RefundStatus, Status};
use commerce_core::problem::{Findings, Read};
use commerce_core::text::BoundedString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Figure;
use super::leaf::{Decimal, optional};
use super::shape::shape;

const MAX_TOKEN: usize = 255;

shape! {
    /// The payment within an order.
    #[schema(as = OrderPayment)]
    pub(crate) struct OrderPaymentShape<'a> from payment: &'a Payment {
        id: PaymentId = payment.id,
        status: PaymentStatus = payment.status,
        amount: Figure = payment.amount.into(),
        captured: Figure = payment.captured.into(),
        refunded: Figure = payment.refunded.into(),
        /// The id of the payment at the processor.
        reference: Option<&'a BoundedString<200>> = payment.reference.as_ref(),
    }
}

shape! {
    /// The payment of an order.
    #[schema(as = Payment)]
    pub(crate) struct PaymentShape<'a> from order: &'a Order {
        #[serde(flatten)]
        payment: OrderPaymentShape<'a> = (&order.payment).into(),
        currency: Currency = order.currency(),
        order_id: OrderId = order.id,
        order_status: &'a Status = &order.status,
        refunds: Vec<RefundShape<'a>> = order.refunds.iter().map(RefundShape::from).collect(),
    }
}

shape! {
    /// A refund.
    #[schema(as = Refund)]
    pub(crate) struct RefundShape<'a> from refund: &'a Refund {
        id: RefundId = refund.id,
        amount: Figure = refund.amount.into(),
        status: RefundStatus = refund.status,
        reason: Option<&'a Reason> = refund.reason.as_ref(),
    }
}

/// The token that the processor gave to the customer's client instead of card data.
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

/// The refund to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRefund {
    /// Default: all that is left.
    amount: Option<Decimal>,
    #[schema(value_type = Reason)]
    reason: String,
}

impl NewRefund {
    pub(crate) fn read(self, f: &mut Findings, currency: Currency) -> Read<Command> {
        let amount = optional(f, "amount", self.amount, |figure, f| figure.money(Some(currency), f));
        let reason = f.parse("reason", &self.reason);
        Some(Command::Refund { amount: amount?, reason: Some(reason?) })
    }
}
