//! The problems that operations answer with, by status and code. The tests check that no answer has another one.

use std::collections::BTreeMap;

use utoipa::openapi::path::{Operation, Parameter};
use utoipa::openapi::{RefOr, Required};

use crate::route::{Route, RouteGroup};

/// Operations (all with a property, or by id), a status, and codes.
type Row<Operations> = (Operations, u16, &'static [&'static str]);
type Property = fn(&Operation, &Route) -> bool;

/// The problems that follow from the form of an operation.
const COMMON: [Row<Property>; 28] = [
    (|_, _| true, 400, &["malformed_request"]),
    (|_, _| true, 414, &["uri_too_long"]),
    (|_, _| true, 431, &["head_too_large"]),
    (|_, _| true, 500, &["internal_error"]),
    (|_, _| true, 501, &["unsupported_transfer_encoding"]),
    (is_of_shop, 503, &["overloaded", "store_unavailable", "timeout"]),
    (|_, route| !route.method.is_safe(), 503, &["outcome_unknown"]),
    (takes_token, 401, &["invalid_token", "token_expired"]),
    (takes_token, 429, &["too_many_bad_tokens"]),
    (is_secured, 401, &["unauthenticated"]),
    (is_secured, 403, &["forbidden"]),
    (has_id, 404, &["not_found", "route_not_found"]),
    (has_body, 400, &["malformed_json", "body_incomplete"]),
    (has_body, 408, &["request_timeout"]),
    (has_body, 413, &["body_too_large"]),
    (has_body, 415, &["unsupported_media_type", "unsupported_content_encoding"]),
    (has_body, 422, &["validation_failed"]),
    (has_query, 400, &["malformed_query"]),
    (has_query, 422, &["invalid_parameter"]),
    (|operation, _| takes(operation, "cursor").is_some(), 422, &["invalid_cursor"]),
    (|operation, _| takes(operation, "If-Match").is_some(), 400, &["malformed_precondition"]),
    (|operation, _| takes(operation, "If-Match").is_some(), 412, &["precondition_failed"]),
    (|operation, _| takes(operation, "Idempotency-Key").is_some(), 400, &["invalid_idempotency_key"]),
    (|operation, _| takes(operation, "Idempotency-Key").is_some(), 422, &["idempotency_key_reused"]),
    (needs_key, 400, &["idempotency_key_required"]),
    (|_, route| !route.method.is_safe(), 409, &["version_conflict"]),
    (|_, route| route.method == http::Method::PUT, 422, &["validation_failed"]),
    (|_, route| route.path == "/metrics", 404, &["route_not_found"]),
];

/// The problems of single operations.
const OWN: [Row<&[&str]>; 51] = [
    (CART_CHANGES, 409, &["cart_already_ordered", "cart_expired"]),
    (CART_CHANGES, 422, &["amount_too_large"]),
    (&["getCart", "createQuote", "validateCode", "createProduct", "replaceProduct"], 422, &["amount_too_large"]),
    (&["addCartItem", "updateCartItem", "refreshCart", "validateCode"], 422, &["currency_mismatch", "not_for_sale"]),
    (&["addCartItem"], 422, &["too_many_lines"]),
    (&["addCartPromotion"], 422, &["too_many_codes"]),
    (&["addCartPromotion", "validateCode"], 429, &["too_many_codes_tried"]),
    (&["updateCart", "updateCartItem"], 422, &["validation_failed"]),
    (PLACING, 400, &["user_not_found"]),
    (PLACING, 403, &["account_deactivated", "account_suspended"]),
    (PLACING, 404, &["not_found"]),
    (PLACING, 409, &["out_of_stock", "price_changed"]),
    (PLACING, 422, &["cart_empty", "currency_mismatch", "invalid_amount", "not_for_sale", "promotion_rejected"]),
    (PLACING, 503, &["user_service_unavailable"]),
    (PLACING, 429, &["too_many_orders", "too_many_unpaid_orders", "too_many_unpaid_units"]),
    (ORDER_CHANGES, 400, &["invalid_transition"]),
    (ORDER_CHANGES, 409, &["window_closed", "order_refused", "payment_voided"]),
    (&["listOrders", "validateCode"], 404, &["not_found"]),
    (&["createReturn"], 409, &["not_returnable", "window_closed"]),
    (&["createReturn"], 422, &["too_many_returned", "unknown_item"]),
    (&["approveReturn", "rejectReturn", "receiveReturn"], 409, &["return_status"]),
    (&["createPayment", "listPaymentMethods"], 404, &["not_found"]),
    (&["createPaymentMethod"], 409, &["too_many_payment_methods"]),
    (&["createPaymentMethod"], 422, &["payment_method_declined"]),
    (&["createPaymentMethod", "deletePaymentMethod"], 503, &["payment_service_unavailable"]),
    (SAVING, 501, &["payment_methods_not_supported"]),
    (&["confirmPayment", "deletePaymentMethod"], 409, &["payment_method_not_active"]),
    (&["createPayment"], 409, &["not_payable", "order_cancelled"]),
    (&["listPayments"], 404, &["not_found"]),
    (
        &["confirmPayment"],
        409,
        &["already_paid", "amount_mismatch", "not_payable", "order_cancelled", "out_of_stock", "payment_refused"],
    ),
    (&["confirmPayment", "createPayment"], 429, &["too_many_declined_payments"]),
    (&["capturePayment"], 422, &["currency_mismatch", "invalid_payment_amount"]),
    (&["capturePayment", "voidPayment"], 409, &["nothing_held", "payment_refused"]),
    (&["createRefund", "refundPayment"], 422, &["invalid_refund_amount", "too_many_refunded", "unknown_item"]),
    (&["markRefundPaid"], 409, &["refund_by_processor"]),
    (&["confirmPayment", "createRefund", "refundPayment"], 503, &["payment_service_unavailable"]),
    (WEBHOOKS, 400, &["webhook_foreign", "webhook_forged", "webhook_malformed", "webhook_stale"]),
    (WEBHOOKS, 404, &["not_found"]),
    (SIGNED, 429, &["too_many_bad_signatures"]),
    (&["receiveEvent"], 400, &["webhook_malformed"]),
    (&["receiveEvent"], 401, &["invalid_signature", "stale_signature"]),
    (&["receiveEvent"], 503, &["too_many_dead_letters"]),
    (WEBHOOK_ENDPOINTS, 501, &["webhooks_not_configured"]),
    (&["createWebhookEndpoint"], 409, &["too_many_webhook_endpoints"]),
    (&["listEvents"], 422, &["invalid_cursor"]),
    (&["listEvents"], 429, &["too_many_event_readers"]),
    (&["createPromotion"], 409, &["already_exists"]),
    (&["createProduct", "replaceProduct"], 409, &["product_exists", "sku_taken"]),
    (&["createProduct", "replaceProduct"], 422, &["currency_mismatch"]),
    (&["setInventory", "adjustInventory"], 409, &["below_reserved"]),
    (&["setInventory", "adjustInventory"], 422, &["stock_out_of_range"]),
];
const CART_CHANGES: &[&str] = &[
    "updateCart",
    "refreshCart",
    "addCartItem",
    "updateCartItem",
    "removeCartItem",
    "addCartPromotion",
    "removeCartPromotion",
    "createCheckout",
    "createOrder",
];
const WEBHOOKS: &[&str] = &["receiveWebhook", "receiveRemoteWebhook"];
const SIGNED: &[&str] = &["receiveEvent", "receiveRemoteWebhook", "receiveWebhook"];
const WEBHOOK_ENDPOINTS: &[&str] = &[
    "createWebhookEndpoint",
    "listWebhookDeliveries",
    "replayWebhooks",
    "rotateWebhookSecret",
    "testWebhookEndpoint",
    "updateWebhookEndpoint",
];
const SAVING: &[&str] = &["createPaymentMethod", "deletePaymentMethod", "confirmPayment"];
const PLACING: &[&str] = &["createCheckout", "createOrder"];
const ORDER_CHANGES: &[&str] = &["updateOrder", "deleteOrder", "setOrderStatus", "cancelOrder", "setOrderShipping"];

/// The codes of an operation by status.
pub(super) fn of(operation: &Operation, route: &Route) -> BTreeMap<u16, Vec<&'static str>> {
    let common = COMMON.iter().filter(|(has, ..)| has(operation, route)).map(|(_, status, codes)| (*status, *codes));
    let own = OWN.iter().filter(|(ids, ..)| ids.contains(&route.id)).map(|(_, status, codes)| (*status, *codes));
    let mut found = BTreeMap::<u16, Vec<_>>::new();
    for (status, codes) in common.chain(own) {
        found.entry(status).or_default().extend(codes);
    }
    for codes in found.values_mut() {
        codes.sort_unstable();
        codes.dedup();
    }
    found
}

/// The parameter of an operation, if it has one of this name.
pub(super) fn takes<'o>(operation: &'o Operation, name: &str) -> Option<&'o Parameter> {
    parameters(operation).find(|parameter| parameter.name == name)
}

fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    })
}

fn is_of_shop(_: &Operation, route: &Route) -> bool {
    route.part == RouteGroup::Shop
}

const fn takes_token(_: &Operation, route: &Route) -> bool {
    route.access.takes_token()
}

fn is_secured(operation: &Operation, route: &Route) -> bool {
    is_of_shop(operation, route) && takes_token(operation, route)
}

fn has_id(_: &Operation, route: &Route) -> bool {
    route.path.contains('{')
}

fn has_body(operation: &Operation, _: &Route) -> bool {
    operation.request_body.is_some()
}

fn has_query(operation: &Operation, _: &Route) -> bool {
    parameters(operation).any(|parameter| parameter.parameter_in == utoipa::openapi::path::ParameterIn::Query)
}

fn needs_key(operation: &Operation, _: &Route) -> bool {
    takes(operation, "Idempotency-Key").is_some_and(|key| key.required == Required::True)
}
