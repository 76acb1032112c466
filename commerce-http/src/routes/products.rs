//! `/products`

use commerce_core::catalog::Product;
use commerce_core::ids::ProductId;
use commerce_core::money::Currency;
use commerce_core::port::{Cursor, ProductFilter};
use commerce_core::text::Name;

use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::product::{NewProduct, ProductShape, Variants};
use crate::dto::schema::{CategoryIdSchema, ProductIdSchema};
use crate::idempotency::{IdempotencyKeyHeader, unkeyed};
use crate::page::{self, List, Listing, MetadataFilter, Paging};
use crate::precondition::{IfMatch, IfNoneMatch};
use crate::problem::Problem;

const PRODUCTS: &str = "products";

/// Products, newest first. Guests and customers see only active ones.
#[utoipa::path(
    get, path = "/products", tag = "catalog",
    params(("q" = Option<String>, Query, description = "Part of a name, an id or a SKU."),
           ("category" = Option<CategoryIdSchema>, Query, description = "This category and those below it."),
           ("active" = Option<bool>, Query), MetadataFilter, Paging),
    responses((status = 200, body = List<ProductShape<'_>>))
)]
pub(crate) async fn list(app: &App, call: &RequestContext) -> Outcome {
    let query = call.query()?;
    let page = page::asked(&query, PRODUCTS)?;
    let text = query.get::<Name>("q")?.map(|text| text.to_string());
    let (category, active) = (query.get("category")?, query.flag("active")?);
    let keys = query.metadata()?;
    if !keys.is_empty() {
        call.caller()?;
    }
    let filter = ProductFilter { text, categories: Vec::new(), active, keys };
    let key = |product: &Product| Cursor { created_at: product.created_at, id: product.id.clone() };
    let mut list = Listing::new(call, PRODUCTS, page).await?;
    while let Some(page) = list.request() {
        let found = app.engine.products(call.caller.actor(), category.as_ref(), filter.clone(), &page).await?;
        list.add(&found, key, |entries, product| entries.push(&ProductShape::from((product, app.currency()))));
    }
    Ok(list.answer())
}

/// A product.
#[utoipa::path(
    get, path = "/products/{id}", tag = "catalog",
    params(("id" = ProductIdSchema, Path), IfNoneMatch),
    responses((status = 200, body = ProductShape<'_>))
)]
pub(crate) async fn show(app: &App, call: &RequestContext) -> Outcome {
    let product = app.engine.product(call.caller.actor(), &product_id(call)?).await?;
    Ok(call.unless_known(product.version, || written(&product, app.currency())))
}

/// The variants of a product.
#[utoipa::path(
    get, path = "/products/{id}/variants", tag = "catalog",
    params(("id" = ProductIdSchema, Path), IfNoneMatch),
    responses((status = 200, body = Variants<'_>))
)]
pub(crate) async fn variants(app: &App, call: &RequestContext) -> Outcome {
    let product = app.engine.product(call.caller.actor(), &product_id(call)?).await?;
    let write = || Answer::ok(&Variants::from((&product, app.currency()))).version(product.version);
    Ok(call.unless_known(product.version, write))
}

/// Creates a product.
#[utoipa::path(
    post, path = "/products", tag = "catalog",
    params(IdempotencyKeyHeader),
    request_body = NewProduct,
    responses((status = 201, body = ProductShape<'_>))
)]
pub(crate) async fn create(app: &App, call: &RequestContext) -> Outcome {
    let (caller, currency) = (call.caller()?, app.currency());
    let (id, input) = call.read(|new: NewProduct, f| new.read(f, currency))?;
    let made = move |product: &Product| written(product, currency).created("products", &product.id);
    let guard = call.idempotency_guard(&made)?;
    guard.answer(app.engine.add_product(caller, id, &input, guard.idempotency().as_ref()).await?)
}

/// Creates a product, or replaces it.
#[utoipa::path(
    put, path = "/products/{id}", tag = "catalog",
    params(("id" = ProductIdSchema, Path), IfMatch),
    request_body = NewProduct,
    responses((status = 200, body = ProductShape<'_>))
)]
pub(crate) async fn replace(app: &App, call: &RequestContext) -> Outcome {
    let (caller, currency) = (call.caller()?, app.currency());
    let id: ProductId = call.chosen_id("id")?;
    let target = call.target(&id)?;
    let (named, input) = call.read(|new: NewProduct, f| new.read(f, currency))?;
    if named.is_some_and(|named| named != id) {
        return Err(Problem::invalid_at("/id", "invalid", "must be the id in the path, or absent"));
    }
    let write = move |product: &Product| written(product, currency);
    unkeyed(app.engine.save_product(caller, target, &input, None).await?, write)
}

pub(super) fn product_id(call: &RequestContext) -> Result<ProductId, Problem> {
    call.path_param("id", "product")
}

fn written(product: &Product, shop: Currency) -> Answer {
    Answer::ok(&ProductShape::from((product, shop))).version(product.version)
}
