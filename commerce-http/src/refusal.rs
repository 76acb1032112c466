//! Errors of the engine as problems. All codes and statuses are assigned here.

use commerce_core::cart::CartRejection;
use commerce_core::catalog::CatalogRejection;
use commerce_core::commit::Refusal;
use commerce_core::document::{Claim, ClaimKind, DocumentKind};
use commerce_core::engine::{EngineError, Field, ItemPart, PriceChanged, Resource};
use commerce_core::order::{LimitReached, OrderRejection};
use commerce_core::payment::{PaymentRejection, SavedMethodRejection};
use commerce_core::port::{AccountStatus, StoreError, StoreErrorKind, WebhookRejection};
use commerce_core::pricing::PricingError;
use commerce_core::stock::StockRefusal;
use commerce_core::webhook::WebhookEndpointRejection;
use http::StatusCode;
use serde_json::Value;

use crate::dto::quote::QuoteDto;
use crate::json;
use crate::precondition;
use crate::problem::Problem;

/// When a message is sent again for which there was no place, in seconds.
const DEAD_LETTERS_FULL: u64 = 60;

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::NotFound(noun) => Self::not_found(noun),
            EngineError::Forbidden { .. } => Self::forbidden(error),
            EngineError::Invalid { field, detail } => Self::invalid_at(&pointer(field), "invalid", detail),
            EngineError::UserNotFound(_) => Self::new(StatusCode::BAD_REQUEST, "user_not_found", error.to_string()),
            EngineError::AccountInactive { status, .. } => {
                let code = match status {
                    AccountStatus::Deactivated => "account_deactivated",
                    AccountStatus::Active | AccountStatus::Suspended => "account_suspended",
                };
                Self::new(StatusCode::FORBIDDEN, code, error.to_string())
            }
            EngineError::Users(cause) => {
                Self::unavailable("user_service_unavailable", "Unable to validate user").caused_by(cause)
            }
            EngineError::Payments(cause) => {
                Self::unavailable("payment_service_unavailable", "The payment processor does not respond.")
                    .caused_by(cause)
            }
            EngineError::Payment(rejection) => payment(&rejection),
            EngineError::SavedMethod(rejection) => saved_method(&rejection),
            EngineError::Webhook(rejection) => webhook(&rejection),
            EngineError::WebhookEndpoint(rejection) => webhook_endpoint(rejection),
            EngineError::Cart(rejection) => cart(&rejection),
            EngineError::Order(rejection) => order(&rejection),
            EngineError::Limit(reached) => limit(reached),
            EngineError::Stock(refusal) => stock(&refusal),
            EngineError::Catalog(rejection) => catalog(&rejection),
            EngineError::Pricing(PricingError::Invalid(problems)) => json::refused(problems),
            EngineError::Pricing(error) => Self::unprocessable("amount_too_large", error),
            EngineError::Money(error) => Self::unprocessable("invalid_amount", error),
            EngineError::AlreadyExists(Resource::Document(DocumentKind::Product)) => {
                Self::conflict("product_exists", "A product with this id exists already.")
            }
            EngineError::AlreadyExists(_) => Self::conflict("already_exists", error),
            EngineError::CodeRejected { ref code, reason } => {
                let reason = serde_json::to_value(reason).unwrap_or_default();
                Self::unprocessable("promotion_rejected", &error).with("promotion_code", &**code).with("reason", reason)
            }
            EngineError::OrderCancelled { order, refunding } => Self::conflict("order_cancelled", error)
                .with("order_id", order.to_string())
                .with("refunding", refunding),
            EngineError::PriceChanged(ref changed) => price_changed(&error, changed),
            EngineError::IdempotencyKeyReused => Self::unprocessable("idempotency_key_reused", error),
            EngineError::VersionMismatch { .. } => precondition::failed(error.to_string()),
            EngineError::Refused(refusal) => refused(&refusal),
            EngineError::TaskRunning(_) => Self::conflict("task_running", error),
            EngineError::Store(error) => store(error),
            EngineError::Corrupt(_) | EngineError::UnknownLifecycle(_) | _ => Self::internal().caused_by(error),
        }
    }
}

/// Both prices: what the customer accepted, and today's.
fn price_changed(error: &EngineError, changed: &PriceChanged) -> Problem {
    let quote = |quote| serde_json::to_value(QuoteDto::from(quote)).unwrap_or_default();
    let problem = Problem::conflict("price_changed", error).with("quote", quote(&changed.current));
    let problem =
        changed.accepted.iter().fold(problem, |problem, accepted| problem.with("accepted_quote", quote(accepted)));
    let expected = changed.expected_total.map(|total| total.to_decimal().to_string());
    expected.into_iter().fold(problem, |problem, total| problem.with("expected_total", total))
}

/// The pointer to a field of a request.
fn pointer(field: Field) -> String {
    match field {
        Field::Item { index, part } => format!("/items/{index}{}", member(part)),
        Field::Category { index } => format!("/categories/{index}"),
        Field::User => "/user_id".to_owned(),
        Field::Items => "/items".to_owned(),
        Field::ExpectedTotal => "/expected_total".to_owned(),
        Field::ShippingMethod => "/shipping_method".to_owned(),
        Field::Currency => "/currency".to_owned(),
        Field::Parent => "/parent".to_owned(),
        Field::Request | _ => String::new(),
    }
}

const fn member(part: ItemPart) -> &'static str {
    match part {
        ItemPart::Sku => "/sku",
        ItemPart::Product => "/product_id",
        ItemPart::UnitPrice => "/unit_price",
        ItemPart::Whole | _ => "",
    }
}

fn cart(rejection: &CartRejection) -> Problem {
    match rejection {
        CartRejection::AlreadyOrdered(order) => {
            let problem = Problem::conflict("cart_already_ordered", rejection);
            order.iter().fold(problem, |problem, order| problem.with("order_id", order.to_string()))
        }
        CartRejection::Expired => Problem::conflict("cart_expired", rejection),
        CartRejection::UnknownItem(_) => Problem::not_found("cart item"),
        CartRejection::NotForSale(sku) => Problem::unprocessable("not_for_sale", rejection).with("sku", sku.as_str()),
        CartRejection::TooManyLines => Problem::unprocessable("too_many_lines", rejection),
        CartRejection::TooManyCodes => Problem::unprocessable("too_many_codes", rejection),
        CartRejection::Quantity(error) => Problem::invalid_at("/quantity", "out_of_range", error),
        CartRejection::Currency { .. } => Problem::unprocessable("currency_mismatch", rejection),
        CartRejection::Metadata(error) => Problem::invalid_at("/metadata", error.code(), error),
        CartRejection::Empty => Problem::unprocessable("cart_empty", rejection),
    }
}

fn webhook(rejection: &WebhookRejection) -> Problem {
    let refused = |code| Problem::bad_request(code, rejection.to_string());
    match rejection {
        WebhookRejection::Unsupported => Problem::not_found("webhook"),
        WebhookRejection::Forged => refused("webhook_forged"),
        WebhookRejection::Stale { age_seconds } => refused("webhook_stale").with("age_seconds", *age_seconds),
        WebhookRejection::Foreign => refused("webhook_foreign"),
        WebhookRejection::Malformed(_) | _ => refused("webhook_malformed"),
    }
}

fn webhook_endpoint(rejection: WebhookEndpointRejection) -> Problem {
    match rejection {
        WebhookEndpointRejection::Url(refusal) => Problem::invalid_at("/url", "invalid", refusal),
        WebhookEndpointRejection::TooMany => Problem::conflict("too_many_webhook_endpoints", rejection),
        WebhookEndpointRejection::Position(refused) => Problem::invalid_at("/after", "out_of_range", refused),
        WebhookEndpointRejection::Busy => version_conflict(),
        WebhookEndpointRejection::NotConfigured | _ => {
            Problem::new(StatusCode::NOT_IMPLEMENTED, "webhooks_not_configured", rejection.to_string())
        }
    }
}

fn payment(rejection: &PaymentRejection) -> Problem {
    match rejection {
        PaymentRejection::UnknownOperation(_) => Problem::not_found("operation"),
        PaymentRejection::Amount { asked, left } => Problem::unprocessable("invalid_payment_amount", rejection)
            .with("asked", asked.to_decimal().to_string())
            .with("left", left.to_decimal().to_string()),
        PaymentRejection::NothingHeld => Problem::conflict("nothing_held", rejection),
        PaymentRejection::Currency { .. } => Problem::unprocessable("currency_mismatch", rejection),
        PaymentRejection::NotElsewhere => Problem::conflict("refund_by_processor", rejection),
        PaymentRejection::TooManyOperations | PaymentRejection::AlreadyAuthorized | _ => {
            Problem::conflict("payment_refused", rejection)
        }
    }
}

fn saved_method(rejection: &SavedMethodRejection) -> Problem {
    match rejection {
        SavedMethodRejection::Unsupported => {
            Problem::new(StatusCode::NOT_IMPLEMENTED, "payment_methods_not_supported", rejection.to_string())
        }
        SavedMethodRejection::TooMany => Problem::conflict("too_many_payment_methods", rejection),
        SavedMethodRejection::Declined(decline) => {
            let code = serde_json::to_value(decline.code).unwrap_or_default();
            Problem::unprocessable("payment_method_declined", rejection).with("decline_code", code)
        }
        SavedMethodRejection::NotActive | _ => Problem::conflict("payment_method_not_active", rejection),
    }
}

fn order(rejection: &OrderRejection) -> Problem {
    match rejection {
        OrderRejection::UnknownItem(_) => Problem::unprocessable("unknown_item", rejection),
        OrderRejection::UnknownReturn(_) => Problem::not_found("return"),
        OrderRejection::UnknownRefund(_) => Problem::not_found("refund"),
        OrderRejection::InvalidTransition { from, to, allowed } => {
            let allowed: Vec<Value> = allowed.iter().map(|status| status.as_str().into()).collect();
            let problem = Problem::bad_request("invalid_transition", rejection.to_string());
            problem.with("from", from.as_str()).with("to", to.as_str()).with("allowed", allowed)
        }
        OrderRejection::NotShippable(_) | OrderRejection::ShipmentGoesBack { .. } => {
            Problem::bad_request("invalid_transition", rejection.to_string())
        }
        OrderRejection::AlreadyPaid => Problem::conflict("already_paid", rejection),
        OrderRejection::NotPayable(_) => Problem::conflict("not_payable", rejection),
        OrderRejection::Unsecured => Problem::conflict("payment_voided", rejection),
        OrderRejection::NotReturnable(_) => Problem::conflict("not_returnable", rejection),
        OrderRejection::ReturnStatus { .. } => Problem::conflict("return_status", rejection),
        OrderRejection::TransitionNotPermitted { .. } | OrderRejection::RoleNotPermitted(_) => {
            Problem::forbidden(rejection)
        }
        OrderRejection::WindowClosed { closed, .. } => {
            Problem::conflict("window_closed", rejection).with("closed_at", closed.to_rfc3339())
        }
        OrderRejection::ItemCount(_) => Problem::invalid_at("/items", "out_of_range", rejection),
        OrderRejection::Metadata(error) => Problem::invalid_at("/metadata", error.code(), error),
        OrderRejection::ReturnLines => Problem::invalid_at("/items", "invalid", rejection),
        OrderRejection::TooManyReturned { asked, left, .. } => {
            Problem::unprocessable("too_many_returned", rejection).with("asked", *asked).with("left", *left)
        }
        OrderRejection::TooManyRefunded { asked, left, .. } => {
            Problem::unprocessable("too_many_refunded", rejection).with("asked", *asked).with("left", *left)
        }
        OrderRejection::AmountMismatch { .. } => Problem::conflict("amount_mismatch", rejection),
        OrderRejection::RefundAmount { asked, left } => Problem::unprocessable("invalid_refund_amount", rejection)
            .with("asked", asked.to_decimal().to_string())
            .with("left", left.to_decimal().to_string()),
        _ => Problem::conflict("order_refused", rejection),
    }
}

fn limit(reached: LimitReached) -> Problem {
    let (code, most) = match reached {
        LimitReached::UnpaidOrders { limit, .. } => ("too_many_unpaid_orders", limit),
        LimitReached::UnpaidUnits { limit, .. } => ("too_many_unpaid_units", limit),
        LimitReached::DeclinedPayments { limit, .. } => ("too_many_declined_payments", limit),
    };
    let wait = u64::try_from(reached.wait().num_seconds()).unwrap_or_default();
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, code, reached.to_string());
    problem.with("limit", most).retry_after(wait.saturating_add(1))
}

fn stock(refusal: &StockRefusal) -> Problem {
    match refusal {
        StockRefusal::OutOfStock { sku, asked, available } => Problem::conflict("out_of_stock", refusal)
            .with("sku", sku.as_str())
            .with("asked", *asked)
            .with("available", *available),
        StockRefusal::BelowReserved { sku, on_hand, reserved } => Problem::conflict("below_reserved", refusal)
            .with("sku", sku.as_str())
            .with("on_hand", *on_hand)
            .with("reserved", *reserved),
        StockRefusal::OutOfRange { .. } => Problem::unprocessable("stock_out_of_range", refusal),
        StockRefusal::VersionMismatch { .. } => precondition::failed(refusal.to_string()),
    }
}

fn catalog(rejection: &CatalogRejection) -> Problem {
    match rejection {
        CatalogRejection::VariantCount(_) | CatalogRejection::NegativePrice(_) => {
            Problem::invalid_at("/variants", "out_of_range", rejection)
        }
        CatalogRejection::CategoryCount(_) => Problem::invalid_at("/categories", "out_of_range", rejection),
        CatalogRejection::DuplicateSku(_) => Problem::invalid_at("/variants", "duplicate", rejection),
        CatalogRejection::Currency { .. } => Problem::unprocessable("currency_mismatch", rejection),
    }
}

fn refused(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::Claimed { claim, owner } => claimed(claim, owner),
        Refusal::PromotionExhausted(exhausted) => Problem::unprocessable("promotion_rejected", refusal)
            .with("promotion_id", exhausted.promotion.as_str())
            .with("reason", "usage_limit")
            .with("limit", serde_json::to_value(exhausted.limit).unwrap_or_default()),
        Refusal::VersionConflict { expected, actual, .. } => {
            version_conflict().with("expected", *expected).with("actual", *actual)
        }
        // The engine handles repeated keys itself and converts refusals of stock.
        Refusal::DuplicateKey(_) | Refusal::Stock(_) | _ => Problem::conflict("refused", refusal),
    }
}

fn claimed(claim: &Claim, owner: &str) -> Problem {
    let key = claim.key.as_str();
    match claim.kind {
        ClaimKind::Sku => {
            let detail = format!("SKU {key} belongs to product {owner}");
            Problem::conflict("sku_taken", detail).with("sku", key).with("product_id", owner)
        }
        ClaimKind::ActiveCart => version_conflict().with("cart_id", owner),
        ClaimKind::OrderNumber => version_conflict().with("order_number", key),
        ClaimKind::DeadLetter => {
            let detail = "There are too many dead letters of this source. Staff have to retry or discard some.";
            Problem::unavailable("too_many_dead_letters", detail).retry_after(DEAD_LETTERS_FULL)
        }
        ClaimKind::SavedMethod
        | ClaimKind::WebhookEndpoint
        | ClaimKind::ExternalStock
        | ClaimKind::InboxEvent
        | ClaimKind::StockDelta => version_conflict(),
    }
}

fn version_conflict() -> Problem {
    Problem::conflict("version_conflict", "The resource was modified concurrently. Retry the request.")
}

fn store(error: StoreError) -> Problem {
    match error.kind {
        StoreErrorKind::Unavailable => Problem::unavailable("store_unavailable", "The store does not respond."),
        StoreErrorKind::Unknown => {
            let detail = "The outcome is not known. Repeat the request with the same Idempotency-Key to get it.";
            Problem::unavailable("outcome_unknown", detail)
        }
        StoreErrorKind::Corrupt | _ => Problem::internal(),
    }
    .caused_by(error)
}

#[cfg(test)]
#[path = "../tests/unit/refusal.rs"]
mod tests;
