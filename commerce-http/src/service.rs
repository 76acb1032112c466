//! The service: from a request to a response.
//!
//! 1. Take or create the request id.
//! 2. Open a span, in the trace of the client if it names one.
//! 3. Find the route.
//! 4. Refuse what is not proper HTTP, and check the token.
//! 5. Take memory, and receive the body within its limits.
//! 6. Run the handler within its time-out.
//! 7. Turn a panic into a 500.
//! 8. Compress the answer.
//! 9. Write a log line and metrics.

use std::any::Any;
use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::{Buf, Bytes};
use commerce_core::engine::Engine;
use commerce_trace::{Kind, Running, TRACEPARENT, TraceContext};
use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, ORIGIN};
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::Body;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tracing::{Instrument, Span, field, info_span};

use crate::answer::Answer;
use crate::app::App;
use crate::auth::Caller;
use crate::call::RequestContext;
use crate::memory::Memory;
use crate::openapi;
use crate::options::Options;
use crate::problem::Problem;
use crate::quota::Quotas;
use crate::readers::Readers;
use crate::request_id::{RequestId, X_REQUEST_ID};
use crate::response_body::ResponseBody;
use crate::route::Found;
use crate::routes::ROUTER;
use crate::telemetry::{self, InFlight, Served};
use crate::transport::Malformed;
use crate::turns::Turns;
use crate::{body, compress};

/// The number of requests after which the samples of the histograms are merged, even if nobody reads them.
const UPKEEP_EVERY: u32 = 8192;

/// The part of an unknown path that is logged, in characters.
const MAX_LOGGED: usize = 200;

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const X_CONTENT_TYPE_OPTIONS: HeaderName = HeaderName::from_static("x-content-type-options");

/// The HTTP API as a [`tower::Service`]. Clones share the state.
///
/// It accepts requests with any body, so hyper can serve it and other programs can mount it. It needs a tokio runtime with time
/// enabled. It always answers: its error is [`Infallible`].
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use commerce_core::prelude::*;
/// use commerce_http::auth::{Auth, VerifyingKey, mint};
/// use commerce_http::{Options, Service};
/// use commerce_testkit::MemoryStore;
/// use http_body_util::{BodyExt, Full};
/// use tower::ServiceExt;
///
/// let (settings, store) = (Settings::new(Currency::EUR), Arc::new(MemoryStore::new()));
/// let engine = Engine::builder(settings, store, Arc::new(SandboxProcessor::in_memory())).build();
/// let secret = b"a secret of at least thirty-two bytes";
/// let auth = Auth::new(vec![VerifyingKey::hs256(secret)?]);
/// let shop = Service::new(engine, Options::new(auth));
///
/// let token = mint(secret, "ann", Role::Customer, Duration::from_secs(60))?;
/// let request = http::Request::post("/v1/carts").header("authorization", format!("Bearer {token}"));
/// let answer = shop.oneshot(request.body(Full::<bytes::Bytes>::default())?).await?;
/// assert_eq!(answer.status(), 201);
/// assert!(answer.into_body().collect().await?.to_bytes().starts_with(b"{\"id\":"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Service {
    app: Arc<App>,
    served: Arc<AtomicU32>,
}

impl Service {
    /// Serves an engine.
    pub fn new(engine: Engine, options: Options) -> Self {
        let quotas = Quotas::new(&options);
        Self {
            app: Arc::new(App {
                engine,
                options,
                quotas,
                turns: Turns::default(),
                readers: Readers::default(),
                document: &openapi::DOCUMENT,
            }),
            served: Arc::default(),
        }
    }

    fn run_upkeep(&self) {
        if self.served.fetch_add(1, Ordering::Relaxed) % UPKEEP_EVERY == UPKEEP_EVERY - 1
            && let Some(metrics) = &self.app.options.metrics
        {
            metrics.run_upkeep();
        }
    }
}

impl<B> tower::Service<Request<B>> for Service
where
    B: Body + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.run_upkeep();
        let app = Arc::clone(&self.app);
        Box::pin(async move { Ok(respond(&app, request).await) })
    }
}

async fn respond<B>(app: &App, request: Request<B>) -> Response<ResponseBody>
where
    B: Body + Send,
    B::Data: Buf + Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (started, _in_flight) = (Instant::now(), InFlight::enter());
    let (parts, body) = request.into_parts();
    let id = RequestId::of(&parts.headers);
    let trace = TraceContext::following(parts.headers.get(TRACEPARENT).and_then(|value| value.to_str().ok()));
    let (span, measured) = (span(&id, trace), Running::begin(trace, Kind::Server));
    let found = find(app, &parts);
    let (method, route) = (telemetry::label(&parts.method), found.label());
    let path = route.is_none().then(|| parts.uri.path().chars().take(MAX_LOGGED).collect());
    let gzip = compress::takes_gzip(&parts.headers);
    let origin = parts.headers.get(ORIGIN).cloned();
    let work = AssertUnwindSafe(run(app, found, parts, body)).catch_unwind().instrument(span.clone());
    let outcome = commerce_trace::within(trace, work)
        .await
        .unwrap_or_else(|panic| Err(Problem::internal().caused_by(panic_message(&*panic))));
    telemetry::note_order(method, route, &outcome);
    span.in_scope(|| {
        let (answer, memory) = finished(app, outcome, &id);
        answer.order.inspect(|order| {
            span.record("order_id", field::display(order));
        });
        let served = Served { method, route, path, took: started.elapsed() };
        served.note(&answer);
        if let Some(measured) = measured {
            served.export(measured, &answer, &id);
        }
        let mut response = response(answer, memory, id, gzip);
        app.options.cors.iter().for_each(|cors| cors.mark(origin.as_ref(), response.headers_mut()));
        response
    })
}

fn span(id: &RequestId, trace: TraceContext) -> Span {
    info_span!(
        "request",
        request_id = id.as_str(),
        trace_id = trace.trace_id(),
        span_id = trace.span_id(),
        user_id = field::Empty,
        order_id = field::Empty
    )
}

fn find(app: &App, parts: &http::request::Parts) -> Found {
    match &app.options.contract {
        Some(contract) => contract.find(&parts.method, parts.uri.path()),
        None => ROUTER.find(&parts.method, parts.uri.path()),
    }
}

async fn run<B>(app: &App, found: Found, mut parts: http::request::Parts, body: B) -> Result<(Answer, Memory), Problem>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if let Some(malformed) = parts.extensions.get::<Malformed>() {
        return Err((*malformed).into());
    }
    if let Some(answer) = app.options.cors.as_ref().and_then(|cors| cors.preflight(&parts)) {
        return Ok((answer, Memory::default()));
    }
    let caller = identify(app, &found, &parts).await?;
    if let Some(user) = caller.actor().and_then(|caller| caller.user.as_ref()) {
        Span::current().record("user_id", user.as_str());
    }
    let (route, params) = found.into_route()?;
    if !parts.method.is_safe() && route.access.takes_token() {
        caller.known()?; // before any of the body is received
    }
    let mut exchange =
        app.options.contract.as_ref().and_then(|contract| contract.exchange(route, &parts, app.currency()));
    // A body that is translated is there twice.
    let copies = if exchange.is_some() { 2 } else { 1 };
    let bytes = body::memory(&parts.headers, &body, route.max_body()).saturating_mul(copies);
    let memory = Memory::of_request(parts.extensions.get(), bytes).await?;
    let body = body::receive(&parts.headers, body, (route.max_body(), app.options.body_timeout)).await?;
    let body = match &mut exchange {
        Some(exchange) => exchange.request(&mut parts, body, caller.actor())?,
        None => body,
    };
    let call = RequestContext { path: route.path, params, caller, parts, body, memory: Mutex::new(memory) };
    let outcome = timeout(app.options.handler_timeout + route.patience(), (route.handler)(app, &call)).await;
    let outcome = outcome.unwrap_or_else(|_| Err(Problem::timed_out()));
    let answer = match exchange {
        Some(exchange) => exchange.outcome(outcome, &call.body)?,
        None => outcome?,
    };
    let mut memory = call.memory.into_inner();
    memory.for_answer(answer.body.len(), !call.parts.method.is_safe()).await?;
    Ok((answer, memory))
}

/// The caller. An invalid token counts against its client.
async fn identify(app: &App, found: &Found, parts: &http::request::Parts) -> Result<Caller, Problem> {
    if matches!(found, Found::Route(route, _) if !route.access.takes_token()) {
        return Ok(Caller::Guest(Problem::no_token()));
    }
    await_newer_keys(app, parts).await;
    let refuse = |refusal| app.quotas.tokens.refuse(parts.extensions.get(), refusal);
    match app.options.auth.caller(parts) {
        Ok(Caller::Guest(refusal)) => Ok(Caller::Guest(refuse(refusal).await)),
        Ok(known @ Caller::Known(_)) => Ok(known),
        Err(refusal) => Err(refuse(refusal).await),
    }
}

/// Waits for the key that a token names. A client whose quota of invalid tokens is used up waits for nothing; one that waits holds a share.
async fn await_newer_keys(app: &App, parts: &http::request::Parts) {
    let (auth, tokens, client) = (&app.options.auth, &app.quotas.tokens, parts.extensions.get());
    if auth.lacks_key(parts) && tokens.hold(client).await {
        auth.await_newer_keys().await;
        tokens.give_back(client).await;
    }
}

fn finished(app: &App, outcome: Result<(Answer, Memory), Problem>, id: &RequestId) -> (Answer, Memory) {
    outcome.unwrap_or_else(|problem| {
        problem.log();
        let answer = Answer::problem(problem, id.as_str());
        let answer = match &app.options.contract {
            Some(contract) => contract.problem(answer, app.currency()),
            None => answer,
        };
        (answer, Memory::default())
    })
}

fn response(mut answer: Answer, memory: Memory, id: RequestId, gzip: bool) -> Response<ResponseBody> {
    if let Some(parts) = answer.parts.take() {
        return complete(answer, id).map(|_| parts.into());
    }
    answer.body = compress::compress(&mut answer.headers, answer.body, gzip);
    complete(answer, id).map(|body| memory.hold(body).into())
}

/// Adds the headers that every answer has.
pub(crate) fn complete(mut answer: Answer, id: RequestId) -> Response<Bytes> {
    answer.headers.insert(X_REQUEST_ID, id.into_header());
    answer.headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    answer.headers.entry(CACHE_CONTROL).or_insert(NO_STORE);
    let mut response = Response::new(answer.body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("no message"))
}
