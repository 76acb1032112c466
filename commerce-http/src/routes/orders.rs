//! `/orders`, and `/users/{user_id}/orders`

use commerce_core::actor::Actor;
use commerce_core::engine::{EngineError, Reply};
use commerce_core::ids::{OrderId, UserId};
use commerce_core::order::{Command, Order, Status};
use commerce_core::port::{ClientSecret, OrderFilter};

use super::payments;
use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::order::{EventShape, NewShipment, NewStatus, OrderShape, ReasonBody};
use crate::dto::placing::{NewOrder, Source};
use crate::dto::saga::SagaShape;
use crate::dto::schema::{StatusSchema, UserIdSchema};
use crate::idempotency::{IdempotencyGuard, IdempotencyKeyHeader, RequiredIdempotencyKeyHeader, unkeyed};
use crate::page::{self, List, Listing, MetadataFilter, Paging};
use crate::precondition::{IfMatch, IfNoneMatch};
use crate::query::Query;
use crate::telemetry;

const ORDERS: &str = "orders";
const EVENTS: &str = "events";

/// The filter of a list of orders.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only orders in this state.
    #[param(value_type = Option<StatusSchema>)]
    status: Option<Status>,
    /// Only orders placed at this instant or later.
    from: Option<chrono::DateTime<chrono::Utc>>,
    /// Only orders placed before this instant.
    to: Option<chrono::DateTime<chrono::Utc>>,
}

/// Places an order of a cart or of items.
#[utoipa::path(
    post, path = "/orders", tag = "orders",
    params(RequiredIdempotencyKeyHeader),
    request_body = NewOrder,
    responses((status = 201, body = OrderShape<'_>, description = "The order, with its payment."))
)]
pub(crate) async fn create(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    let guard = call.required_idempotency_guard(&placed)?;
    let idempotency = guard.idempotency();
    match call.read(NewOrder::read)? {
        Source::Cart(request) => {
            place(app, caller, &guard, app.engine.checkout(caller, &request, idempotency.as_ref())).await
        }
        Source::Items(request) => {
            place(app, caller, &guard, app.engine.place_order(caller, &request, idempotency.as_ref())).await
        }
    }
}

/// Places an order within the caller's quota, and waits a little for the secret with which its payment is paid.
pub(super) async fn place(
    app: &App,
    caller: &Actor,
    guard: &IdempotencyGuard<'_, Order>,
    order: impl Future<Output = Result<Reply<Order>, EngineError>>,
) -> Outcome {
    let counts = |_: &Order| {
        telemetry::order_placed();
        true
    };
    let reply = Box::pin(app.quotas.orders.within((&app.engine, caller), guard, order, counts)).await?;
    let secret = match &reply {
        Reply::Fresh(order) | Reply::Again(order) => payments::client_secret(app, caller, order).await,
        Reply::Replayed(_) => None,
    };
    unkeyed(reply, |order| placed_with(order, secret.as_ref()))
}

/// Orders, newest first. Customers see their own.
#[utoipa::path(
    get, path = "/orders", tag = "orders",
    params(("user_id" = Option<UserIdSchema>, Query, description = "Only of this customer."), Filter, MetadataFilter, Paging),
    responses((status = 200, body = List<OrderShape<'_>>))
)]
pub(crate) async fn list(app: &App, call: &RequestContext) -> Outcome {
    let query = call.query()?;
    let user = query.get("user_id")?;
    listed(app, call, &query, user).await
}

/// The orders of a user, newest first.
#[utoipa::path(
    get, path = "/users/{user_id}/orders", tag = "orders",
    params(("user_id" = UserIdSchema, Path), Filter, MetadataFilter, Paging),
    responses((status = 200, body = List<OrderShape<'_>>))
)]
pub(crate) async fn list_of_user(app: &App, call: &RequestContext) -> Outcome {
    let user = call.path_param("user_id", "user")?;
    listed(app, call, &call.query()?, Some(user)).await
}

async fn listed(app: &App, call: &RequestContext, query: &Query, user: Option<UserId>) -> Outcome {
    let page = page::asked::<OrderId>(query, ORDERS)?;
    let Filter { status, from, to } =
        Filter { status: query.get("status")?, from: query.instant("from")?, to: query.instant("to")? };
    let filter = OrderFilter { user, status, from, to, keys: query.metadata()? };
    let caller = call.caller()?;
    let mut list = Listing::new(call, ORDERS, page).await?;
    while let Some(page) = list.request() {
        let found = app.engine.orders(caller, filter.clone(), &page).await?;
        list.add(&found, |order| order.id, |entries, order| entries.push(&OrderShape::from(order)));
    }
    Ok(list.answer())
}

/// An order by its id or number, as it is now or was at an instant.
#[utoipa::path(
    get, path = "/orders/{id}", tag = "orders",
    params(("id" = String, Path, description = "The id or number of the order."),
           ("at" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "The instant."), IfNoneMatch),
    responses((status = 200, body = OrderShape<'_>))
)]
pub(crate) async fn show(app: &App, call: &RequestContext) -> Outcome {
    let (caller, which) = (call.caller()?, call.order()?);
    let order = match call.query()?.instant("at")? {
        Some(at) => app.engine.order_at(caller, &which, at).await?,
        None => app.engine.order(caller, &which).await?,
    };
    Ok(call.unless_known(order.version, || written(&order)))
}

/// The history of an order, oldest first.
#[utoipa::path(
    get, path = "/orders/{id}/events", tag = "orders",
    params(("id" = String, Path, description = "The id or number of the order."), Paging),
    responses((status = 200, body = List<EventShape<'_>>))
)]
pub(crate) async fn events(app: &App, call: &RequestContext) -> Outcome {
    let page = page::asked::<u64>(&call.query()?, EVENTS)?;
    let (caller, order) = (call.caller()?, call.order()?);
    let mut list = Listing::new(call, EVENTS, page).await?;
    while let Some(page) = list.request() {
        let found = app.engine.order_history(caller, &order, &page).await?;
        list.add(&found, |item| item.entry.sequence, |entries, item| entries.push(&EventShape::from(item)));
    }
    Ok(list.answer())
}

/// How far an order is carried out, what is being undone, and the tasks that do it; for staff.
#[utoipa::path(
    get, path = "/orders/{id}/saga", tag = "orders",
    params(("id" = String, Path, description = "The id or number of the order.")),
    responses((status = 200, body = SagaShape<'_>))
)]
pub(crate) async fn saga(app: &App, call: &RequestContext) -> Outcome {
    let view = app.engine.saga(call.caller()?, &call.order()?).await?;
    Ok(Answer::ok(&SagaShape::from((&view, app.engine.now()))).about(view.order.id))
}

/// Moves an order to another state.
#[utoipa::path(
    patch, path = "/orders/{id}", tag = "orders",
    params(("id" = String, Path, description = "The id or number of the order."), IfMatch),
    request_body = NewStatus,
    responses((status = 200, body = OrderShape<'_>))
)]
pub(crate) async fn update(app: &App, call: &RequestContext) -> Outcome {
    commanded(app, call, call.read(NewStatus::read)?).await
}

/// Moves an order to another state.
#[utoipa::path(
    put, path = "/orders/{id}/status", tag = "orders",
    params(("id" = String, Path, description = "The id or number of the order."), IfMatch),
    request_body = NewStatus,
    responses((status = 200, body = OrderShape<'_>))
)]
pub(crate) async fn set_status(app: &App, call: &RequestContext) -> Outcome {
    update(app, call).await
}

/// Cancels an order: releases its stock and refunds the payment.
#[utoipa::path(
    post, path = "/orders/{id}/cancel", tag = "orders",
    params(("id" = String, Path, description = "The id or number of the order."), IdempotencyKeyHeader, IfMatch),
    request_body(content = Option<ReasonBody>),
    responses((status = 200, body = OrderShape<'_>))
)]
pub(crate) async fn cancel(app: &App, call: &RequestContext) -> Outcome {
    let (caller, order_ref) = (call.caller()?, call.order()?);
    let target = call.target(&order_ref)?;
    let reason = call.read_or_default(ReasonBody::read)?;
    let guard = call.idempotency_guard(&written)?;
    let command = Command::Cancel { reason };
    let reply = app.engine.command(caller, target, command, guard.idempotency().as_ref()).await?;
    guard.answer(reply)
}

/// Cancels an order.
#[utoipa::path(
    delete, path = "/orders/{id}", tag = "orders",
    params(("id" = String, Path, description = "The id or number of the order."), IfMatch),
    responses((status = 200, body = OrderShape<'_>))
)]
pub(crate) async fn delete(app: &App, call: &RequestContext) -> Outcome {
    commanded(app, call, Command::Cancel { reason: None }).await
}

/// Creates or changes the shipment. The order moves to shipped and delivered with it.
#[utoipa::path(
    put, path = "/orders/{id}/shipping", tag = "orders",
    params(("id" = String, Path, description = "The id or number of the order."), IfMatch),
    request_body = NewShipment,
    responses((status = 200, body = OrderShape<'_>))
)]
pub(crate) async fn set_shipping(app: &App, call: &RequestContext) -> Outcome {
    let shipment = call.read(NewShipment::read)?;
    commanded(app, call, Command::UpdateShipment(shipment)).await
}

async fn commanded(app: &App, call: &RequestContext, command: Command) -> Outcome {
    let (caller, which) = (call.caller()?, call.order()?);
    unkeyed(app.engine.command(caller, call.target(&which)?, command, None).await?, written)
}

pub(super) fn placed(order: &Order) -> Answer {
    placed_with(order, None)
}

fn placed_with(order: &Order, secret: Option<&ClientSecret>) -> Answer {
    answer(order, &OrderShape::with_secret(order, secret)).created("orders", order.id)
}

fn written(order: &Order) -> Answer {
    answer(order, &OrderShape::from(order))
}

fn answer(order: &Order, shape: &OrderShape<'_>) -> Answer {
    Answer::ok(shape).version(order.version).about(order.id)
}
