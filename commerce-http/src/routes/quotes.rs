//! `/quotes`

use std::future::{Ready, ready};

use commerce_core::pricing::{Document, Request};

use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::quote::{QuoteRequestShape, QuoteShape};
use crate::json;

/// Prices a request as it stands; nothing is stored.
#[utoipa::path(
    post, path = "/quotes", tag = "quotes",
    request_body = QuoteRequestShape,
    responses((status = 200, body = QuoteShape))
)]
pub(crate) fn create(app: &App, call: &RequestContext) -> Ready<Outcome> {
    ready(priced(app, call))
}

fn priced(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    let document: Document = call.json()?;
    let request = Request::read(&document).map_err(json::refused)?;
    Ok(Answer::ok(&app.engine.quote(caller, &request)?))
}
