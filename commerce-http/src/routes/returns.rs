//! `/orders/{id}/returns`, and `/returns/{id}`

use commerce_core::engine::Target;
use commerce_core::ids::ReturnId;
use commerce_core::order::{Command, Order};
use commerce_core::port::{OrderRef, ReturnFilter};

use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::order::ReasonBody;
use crate::dto::returns::{NewReturn, ReturnShape};
use crate::dto::schema::ReturnStatusSchema;
use crate::idempotency::IdempotencyKeyHeader;
use crate::page::{self, List, Paging};
use crate::precondition::IfMatch;
use crate::problem::Problem;

const RETURNS: &str = "returns";

/// Requests a return of units of an order.
#[utoipa::path(
    post, path = "/orders/{id}/returns", tag = "returns",
    params(("id" = String, Path, description = "The id or number of the order."), IdempotencyKeyHeader, IfMatch),
    request_body = NewReturn,
    responses((status = 201, body = ReturnShape<'_>))
)]
pub(crate) async fn create(app: &App, call: &RequestContext) -> Outcome {
    let (caller, order_ref) = (call.caller()?, call.order()?);
    let target = call.target(&order_ref)?;
    let input = call.read(NewReturn::read)?;
    let guard = call.idempotency_guard(&requested)?;
    guard.answer(app.engine.request_return(caller, target, input, guard.idempotency().as_ref()).await?)
}

/// Returns, newest first. Customers see their own.
#[utoipa::path(
    get, path = "/returns", tag = "returns",
    params(("status" = Option<ReturnStatusSchema>, Query, description = "Only returns in this state."),
           ("order_id" = Option<uuid::Uuid>, Query, description = "Only returns of this order."), Paging),
    responses((status = 200, body = List<ReturnShape<'_>>))
)]
pub(crate) async fn list(app: &App, call: &RequestContext) -> Outcome {
    let query = call.query()?;
    let page = page::asked(&query, RETURNS)?;
    let filter = ReturnFilter { user: None, order: query.get("order_id")?, status: query.word("status")? };
    let found = app.engine.returns(call.caller()?, filter, &page).await?;
    Ok(Answer::ok(&List::part(RETURNS, &found, |(order, known)| ReturnShape::from((*order, known)))))
}

/// A return.
#[utoipa::path(
    get, path = "/returns/{id}", tag = "returns",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = ReturnShape<'_>))
)]
pub(crate) async fn show(app: &App, call: &RequestContext) -> Outcome {
    let id = return_id(call)?;
    let order = app.engine.order(call.caller()?, &OrderRef::Return(id)).await?;
    Ok(written(&order, id))
}

/// Approves a return.
#[utoipa::path(
    post, path = "/returns/{id}/approve", tag = "returns",
    params(("id" = uuid::Uuid, Path), IdempotencyKeyHeader),
    request_body(content = Option<ReasonBody>),
    responses((status = 200, body = ReturnShape<'_>))
)]
pub(crate) async fn approve(app: &App, call: &RequestContext) -> Outcome {
    call.read_or_default(ReasonBody::read)?;
    let id = return_id(call)?;
    decided(app, call, id, Command::ApproveReturn(id)).await
}

/// Rejects a return.
#[utoipa::path(
    post, path = "/returns/{id}/reject", tag = "returns",
    params(("id" = uuid::Uuid, Path), IdempotencyKeyHeader),
    request_body(content = Option<ReasonBody>),
    responses((status = 200, body = ReturnShape<'_>))
)]
pub(crate) async fn reject(app: &App, call: &RequestContext) -> Outcome {
    let reason = call.read_or_default(ReasonBody::read)?;
    let id = return_id(call)?;
    decided(app, call, id, Command::RejectReturn { id, reason }).await
}

/// Records the receipt of a return: restocks and refunds its units.
#[utoipa::path(
    post, path = "/returns/{id}/receive", tag = "returns",
    params(("id" = uuid::Uuid, Path), IdempotencyKeyHeader),
    request_body(content = Option<ReasonBody>),
    responses((status = 200, body = ReturnShape<'_>))
)]
pub(crate) async fn receive(app: &App, call: &RequestContext) -> Outcome {
    call.read_or_default(ReasonBody::read)?;
    let id = return_id(call)?;
    decided(app, call, id, Command::ReceiveReturn(id)).await
}

async fn decided(app: &App, call: &RequestContext, id: ReturnId, command: Command) -> Outcome {
    let caller = call.caller()?;
    let write = move |order: &Order| written(order, id);
    let guard = call.idempotency_guard(&write)?;
    let reply =
        app.engine.command(caller, Target::any(&OrderRef::Return(id)), command, guard.idempotency().as_ref()).await?;
    guard.answer(reply)
}

fn return_id(call: &RequestContext) -> Result<ReturnId, Problem> {
    call.path_param("id", "return")
}

/// The last return of an order, which was just requested.
#[expect(clippy::expect_used, reason = "the order was just given a return")]
fn requested(order: &Order) -> Answer {
    let id = order.returns.last().expect("a return was requested").id;
    written(order, id).created("returns", id)
}

fn written(order: &Order, id: ReturnId) -> Answer {
    Answer::ok(&ReturnShape::of(order, id)).about(order.id)
}
