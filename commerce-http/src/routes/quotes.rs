//! `/quotes`

use std::future::{Ready, ready};

use crate::answer::{Answer, Outcome};
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::pricing::RequestDto;
use crate::dto::quote::QuoteDto;
use crate::json;

/// Prices a request. Nothing is stored.
#[utoipa::path(
    post, path = "/quotes", tag = "quotes",
    request_body = RequestDto,
    responses((status = 200, body = QuoteDto<'_>))
)]
pub(crate) fn create(app: &App, call: &RequestContext) -> Ready<Outcome> {
    ready(priced(app, call))
}

fn priced(app: &App, call: &RequestContext) -> Outcome {
    let caller = call.caller()?;
    let request = call.json::<RequestDto>()?.read().map_err(json::refused)?;
    Ok(Answer::ok(&QuoteDto::from(&app.engine.quote(caller, &request)?)))
}
