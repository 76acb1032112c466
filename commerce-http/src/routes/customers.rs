//! `/customers`

use commerce_core::customer::Customer;
use commerce_core::document::{DocumentFilter, DocumentKind};
use commerce_core::engine::SavedCustomer;
use commerce_core::ids::UserId;
use http::StatusCode;

use super::history;
use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::customer::{CustomerShape, NewCustomer};
use crate::dto::history::DocumentEventShape;
use crate::dto::schema::UserIdSchema;
use crate::idempotency::unkeyed;
use crate::page::{self, List, Listing, MetadataFilter, Paging};
use crate::precondition::{IfMatch, IfNoneMatch};

const CUSTOMERS: &str = "customers";

/// Customers by id; for staff.
#[utoipa::path(
    get, path = "/customers", tag = "customers",
    params(("group" = Option<String>, Query, description = "Only customers in this group."), MetadataFilter, Paging),
    responses((status = 200, body = List<CustomerShape<'_>>))
)]
pub(crate) async fn list(app: &App, call: &RequestContext) -> Outcome {
    let query = call.query()?;
    let page = page::asked::<String>(&query, CUSTOMERS)?;
    let mut keys = query.metadata()?;
    keys.extend(query.get("group")?.as_ref().map(Customer::key_of_group));
    let (caller, filter) = (call.caller()?, DocumentFilter::all_of(keys));
    let mut list = Listing::new(call, CUSTOMERS, page).await?;
    while let Some(page) = list.request() {
        let found = app.engine.customers(caller, filter.clone(), &page).await?;
        list.add(
            &found,
            |customer| customer.id.to_string(),
            |entries, customer| entries.push(&CustomerShape::from(customer)),
        );
    }
    Ok(list.answer())
}

/// A customer. Users may read their own.
#[utoipa::path(
    get, path = "/customers/{id}", tag = "customers",
    params(("id" = UserIdSchema, Path, description = "The id of the user."), IfNoneMatch),
    responses((status = 200, body = CustomerShape<'_>))
)]
pub(crate) async fn show(app: &App, call: &RequestContext) -> Outcome {
    let customer = app.engine.customer(call.caller()?, &call.path_param("id", "customer")?).await?;
    Ok(call.unless_known(customer.version, || written(&customer)))
}

/// Creates a customer, or replaces it.
#[utoipa::path(
    put, path = "/customers/{id}", tag = "customers",
    params(("id" = UserIdSchema, Path, description = "The id of the user."), IfMatch),
    request_body = NewCustomer,
    responses((status = 200, body = CustomerShape<'_>), (status = 201, body = CustomerShape<'_>))
)]
pub(crate) async fn replace(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    let id: UserId = call.chosen_id("id")?;
    let target = call.target(&id)?;
    let details = call.read(NewCustomer::read)?;
    unkeyed(app.engine.save_customer(caller, target, &details).await?, saved)
}

/// Deletes a customer. The history stays.
#[utoipa::path(
    delete, path = "/customers/{id}", tag = "customers",
    params(("id" = UserIdSchema, Path, description = "The id of the user."), IfMatch),
    responses((status = 204))
)]
pub(crate) async fn delete(app: &App, call: &RequestContext) -> Outcome {
    let id = call.path_param("id", "customer")?;
    let reply = app.engine.delete_customer(call.caller()?, call.target(&id)?).await?;
    unkeyed(reply, |_| Answer::empty(StatusCode::NO_CONTENT))
}

/// The history of a customer, oldest first; for staff. It still contains the facts about a deleted customer.
#[utoipa::path(
    get, path = "/customers/{id}/history", tag = "customers",
    params(("id" = UserIdSchema, Path, description = "The id of the user."), Paging),
    responses((status = 200, body = List<DocumentEventShape<'_>>))
)]
pub(crate) async fn history(app: &App, call: &RequestContext) -> Outcome {
    history::of(app, call, DocumentKind::Customer).await
}

fn saved(saved: &SavedCustomer) -> Answer {
    let status = if saved.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Answer { status, ..written(&saved.customer) }
}

fn written(customer: &Customer) -> Answer {
    Answer::ok(&CustomerShape::from(customer)).version(customer.version)
}
