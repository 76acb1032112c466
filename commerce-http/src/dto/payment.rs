//! Payments and refunds.

use chrono::{DateTime, Utc};
use commerce_core::engine::PaymentView;
use commerce_core::ids::{OperationId, OrderId, PaymentId, PaymentMethodId, RefundId, UserId};
use commerce_core::money::{Currency, Money};
use commerce_core::order::{Payment, PaymentStatus, Reason, Refund, RefundOf, RefundStatus, Status};
use commerce_core::payment::{
    Decline, DeclineCode, NextAction, Operation, OperationKind, OperationState, PaymentMethod,
};
use commerce_core::port::ClientSecret;
use commerce_core::problem::{Findings, Read};
use commerce_core::text::BoundedString;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Figure;
use super::leaf::{Decimal, currency, optional};
use super::returns::ReturnLineShape;
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
        /// What is held and not captured yet.
        held: Option<Figure> = payment.held.map(Figure::from),
        refunded: Figure = payment.refunded.into(),
        /// The id of the payment at the processor.
        reference: Option<&'a BoundedString<200>> = payment.reference.as_ref(),
        /// With it the customer's client pays at the processor. It is in the answer to the order and in that of the payment, for the
        /// customer, while the order can be paid. `null`: the processor has not opened the payment yet, or has no secrets. Store
        /// and log it nowhere.
        #[schema(value_type = Option<String>)]
        client_secret: Option<SecretShape<'a>> = None,
    }
}

impl<'a> OrderPaymentShape<'a> {
    pub(crate) fn with_secret(payment: &'a Payment, secret: Option<&'a ClientSecret>) -> Self {
        Self { client_secret: Some(SecretShape(secret)), ..Self::from(payment) }
    }

    /// The order knows the id at the processor once it is paid, the payment once it is opened.
    fn of(view: &'a PaymentView) -> Self {
        let order = Self::from(&view.order.payment);
        let opened = view.payment.as_ref().and_then(|payment| payment.reference.as_ref());
        Self { reference: order.reference.or(opened), ..order }
    }
}

/// A secret that is shown to the customer, and not by `Debug`.
#[derive(Debug)]
pub(crate) struct SecretShape<'a>(Option<&'a ClientSecret>);

impl Serialize for SecretShape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.map(ClientSecret::reveal).serialize(serializer)
    }
}

shape! {
    /// The payment of an order.
    #[schema(as = Payment)]
    pub(crate) struct PaymentShape<'a> from view: &'a PaymentView {
        #[serde(flatten)]
        payment: OrderPaymentShape<'a> = OrderPaymentShape::of(view),
        /// What the customer pays with, as far as the shop knows it.
        method: Option<PaymentMethod> = view.payment.as_ref().and_then(|payment| payment.method),
        currency: Currency = view.order.currency(),
        order_id: OrderId = view.order.id,
        user_id: &'a UserId = &view.order.user_id,
        order_status: &'a Status = &view.order.status,
        refunds: Vec<RefundShape<'a>> = view.order.refunds.iter().map(RefundShape::from).collect(),
        /// What was done with the money, oldest first.
        operations: Vec<OperationShape<'a>> =
            view.payment.iter().flat_map(|payment| &payment.operations).map(OperationShape::from).collect(),
        created_at: DateTime<Utc> = view.order.created_at,
    }
}

impl<'a> PaymentShape<'a> {
    pub(crate) fn with_secret(view: &'a PaymentView, secret: Option<&'a ClientSecret>) -> Self {
        let shape = Self::from(view);
        Self { payment: OrderPaymentShape { client_secret: Some(SecretShape(secret)), ..shape.payment }, ..shape }
    }
}

shape! {
    /// Something that was done with the money of a payment, or is to be done.
    #[schema(as = PaymentOperation)]
    pub(crate) struct OperationShape<'a> from operation: &'a Operation {
        id: OperationId = operation.id,
        kind: OperationKind = operation.kind,
        state: OperationState = operation.state,
        amount: Figure = operation.amount.into(),
        /// Of a capture: what is left is given back.
        #[serde(rename = "final")]
        is_final: Option<bool> = (operation.kind == OperationKind::Capture).then_some(operation.is_final),
        /// The id of the operation at the processor.
        reference: Option<&'a BoundedString<200>> = operation.reference.as_ref(),
        /// Until when the processor holds what is not captured.
        expires_at: Option<DateTime<Utc>> = operation.expires_at,
        /// Why it was declined.
        decline: Option<DeclineShape<'a>> = operation.decline.as_ref().map(DeclineShape::from),
        /// What the customer has to do before it can go on.
        next_action: Option<NextActionShape<'a>> = operation.next.as_ref().map(NextActionShape::from),
        requested_at: DateTime<Utc> = operation.requested_at,
        updated_at: DateTime<Utc> = operation.updated_at,
        /// When the processor is asked next how it stands. Absent if its end is known, or if staff have to look at it.
        ask_at: Option<DateTime<Utc>> = operation.ask_at,
    }
}

shape! {
    /// Why an operation was declined.
    #[schema(as = Decline)]
    pub(crate) struct DeclineShape<'a> from decline: &'a Decline {
        code: DeclineCode = decline.code,
        /// What to do after it: `retry` the same, `ask_customer` to correct something or to pay in another way, or `never` try this
        /// means of payment again.
        #[schema(value_type = DeclineClass)]
        class: &'static str = decline.code.class().name(),
        /// For the customer.
        message: &'a str = decline.message.as_str(),
    }
}

shape! {
    /// What a customer has to do.
    #[schema(as = NextAction)]
    pub(crate) struct NextActionShape<'a> from next: &'a NextAction {
        #[serde(rename = "type")]
        #[schema(example = "redirect")]
        kind: &'static str = match next { NextAction::Redirect { .. } => "redirect" },
        /// The page to open.
        url: &'a str = match next { NextAction::Redirect { url } => url.as_str() },
    }
}

shape! {
    /// A refund.
    #[schema(as = Refund)]
    pub(crate) struct RefundShape<'a> from refund: &'a Refund {
        id: RefundId = refund.id,
        amount: Figure = refund.amount.into(),
        status: RefundStatus = refund.status,
        /// The money was received elsewhere: staff pay it back, and say when it is paid.
        elsewhere: bool = refund.elsewhere,
        /// The units whose price it is, if they are not returned.
        items: Vec<ReturnLineShape> = refund.lines.iter().map(ReturnLineShape::from).collect(),
        reason: Option<&'a Reason> = refund.reason.as_ref(),
    }
}

/// An attempt to pay an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPayment {
    order_id: Uuid,
    method: PaymentMethod,
}

impl NewPayment {
    #[expect(clippy::unnecessary_wraps, reason = "the form of what reads a body")]
    pub(crate) const fn read(self, _: &mut Findings) -> Read<(OrderId, PaymentMethod)> {
        Some((OrderId::new(self.order_id), self.method))
    }
}

/// What the customer pays with: either of both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    /// What the processor gave to the customer's client instead of card data.
    #[schema(example = "tok_ok", min_length = 1, max_length = 255)]
    token: Option<String>,
    /// A means of payment that the customer has saved.
    payment_method_id: Option<Uuid>,
}

/// What the customer pays with.
#[derive(Debug)]
pub(crate) enum Means {
    Token(String),
    Saved(PaymentMethodId),
}

impl Confirmation {
    pub(crate) fn read(self, f: &mut Findings) -> Read<Means> {
        match (self.token, self.payment_method_id) {
            (Some(token), None) => read_token(token, f).map(Means::Token),
            (None, Some(id)) => Some(Means::Saved(PaymentMethodId::new(id))),
            _ => f.refuse("", "invalid", "must contain either a token or a payment_method_id"),
        }
    }
}

pub(super) fn read_token(token: String, f: &mut Findings) -> Read<String> {
    if (1..=MAX_TOKEN).contains(&token.chars().count()) {
        return Some(token);
    }
    f.refuse("token", "out_of_range", format_args!("has 1 to {MAX_TOKEN} characters"))
}

/// What to capture of the money that is held.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCapture {
    /// Default: all that is held.
    amount: Option<Decimal>,
    /// The currency of the amount. Default: that of the shop.
    #[schema(value_type = Option<Currency>)]
    currency: Option<String>,
    /// Whether what is left is given back. Default: whether no amount is given.
    #[serde(rename = "final")]
    is_final: Option<bool>,
}

impl NewCapture {
    pub(crate) fn read(self, f: &mut Findings, shop: Currency) -> Read<(Option<Money>, Option<bool>)> {
        let currency = optional(f, "currency", self.currency, currency);
        let currency = currency.map(|own| own.unwrap_or(shop));
        let amount = optional(f, "amount", self.amount, |figure, f| figure.money(currency, f));
        currency?;
        Some((amount?, self.is_final))
    }
}

/// The refund to make: of an amount or of units. Default: all that is left.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRefund {
    amount: Option<Decimal>,
    /// Units that the customer keeps. Their price is refunded.
    #[serde(alias = "lines")]
    items: Option<Vec<ReturnLineShape>>,
    #[schema(value_type = Reason)]
    reason: String,
}

impl NewRefund {
    pub(crate) fn read(self, f: &mut Findings, currency: Currency) -> Read<(RefundOf, Option<Reason>)> {
        let amount = optional(f, "amount", self.amount, |figure, f| figure.money(Some(currency), f));
        let items = optional(f, "items", self.items, |items, f| f.list(items, ReturnLineShape::read));
        let reason = f.parse("reason", &self.reason);
        let of = match (amount?, items?) {
            (None, None) => RefundOf::Remainder,
            (Some(amount), None) => RefundOf::Amount(amount),
            (None, Some(units)) => RefundOf::Units(units),
            (Some(_), Some(_)) => return f.refuse("", "invalid", "must contain either an amount or items"),
        };
        Some((of, Some(reason?)))
    }
}
