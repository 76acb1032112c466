//! The HTTP service.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use commerce_core::ids::OperationId;
use commerce_core::money::Money;
use commerce_core::payment::{DeclineCode, NextAction, OperationKind, OperationOutcome, Verdict};
use commerce_core::port::{OperationAction, OperationRequest, PaymentTerms, PaymentToken};
use commerce_remote::wire::{ErrorBody, EventBody, EventPage, OperationBody, UNKNOWN_OPERATION};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::Settings;
use crate::books::Books;
use crate::faults::Faults;
use crate::webhooks;

const MAX_BODY: usize = 64 * 1024;
/// How many events a page has.
const PAGE: usize = 100;

pub(crate) struct Served {
    settings: Settings,
    faults: Faults,
    books: Mutex<Books>,
    outage: Mutex<Option<Instant>>,
    webhooks: mpsc::UnboundedSender<EventBody>,
}

/// An answer; `None` if it is lost.
type Reply = Option<(StatusCode, Vec<u8>)>;

pub(crate) async fn serve(listener: TcpListener, served: Arc<Served>) {
    while let Ok((stream, _)) = listener.accept().await {
        let served = Arc::clone(&served);
        let service = service_fn(move |request| Arc::clone(&served).answer(request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Served {
    pub(crate) fn open(settings: Settings) -> io::Result<Self> {
        let books = Books::open(settings.books.as_deref(), settings.account.clone())?;
        let (webhooks, events) = mpsc::unbounded_channel();
        tokio::spawn(webhooks::deliver(settings.clone(), events));
        let faults = Faults::new(settings.seed);
        Ok(Self { settings, faults, books: Mutex::new(books), outage: Mutex::default(), webhooks })
    }

    /// Answers a request, or closes the connection.
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await.map_err(io::Error::other)?.to_bytes();
        tokio::time::sleep(Duration::from_millis(self.settings.latency)).await;
        let reply = self.reply(&head.method, head.uri.path(), head.uri.query().unwrap_or_default(), &body)?;
        let Some((status, body)) = reply else {
            tokio::time::sleep(Duration::from_millis(self.settings.hang)).await;
            return Err(io::Error::other("the answer is lost"));
        };
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = status;
        Ok(response)
    }

    fn reply(&self, method: &Method, path: &str, query: &str, body: &[u8]) -> io::Result<Reply> {
        if path == "/double/outage" {
            let seconds = query.strip_prefix("seconds=").and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
            *locked(&self.outage) = Instant::now().checked_add(Duration::from_secs(seconds));
            return json(StatusCode::OK, &());
        }
        if path == "/double/books" {
            return json(StatusCode::OK, &locked(&self.books).sums());
        }
        let is_out = locked(&self.outage).is_some_and(|end| Instant::now() < end);
        if is_out || self.faults.strike(self.settings.lost_requests) {
            return Ok(None);
        }
        let reply = match (method.as_str(), path.strip_prefix("/operations/")) {
            ("POST", _) if path == "/operations" => self.perform(body),
            ("GET", Some(id)) => self.find(id),
            ("GET", None) if path == "/events" => self.list(query),
            _ => refuse(StatusCode::NOT_FOUND, "not_found"),
        };
        Ok(reply?.filter(|_| !self.faults.strike(self.settings.lost_answers)))
    }

    fn perform(&self, body: &[u8]) -> io::Result<Reply> {
        let Ok(body) = serde_json::from_slice::<OperationBody>(body) else {
            return refuse(StatusCode::BAD_REQUEST, "malformed");
        };
        let Some(request) = request(&body) else { return refuse(StatusCode::BAD_REQUEST, "unknown_kind") };
        let token = body.token.as_deref().unwrap_or("tok_ok");
        let mut books = locked(&self.books);
        if token == "tok_timeout" && books.find(request.id).is_none() {
            return Ok(None);
        }
        let (result, is_new) = books.perform(&request, verdict(token))?;
        self.announce(&books, is_new);
        drop(books);
        let reply = json(StatusCode::OK, &result)?;
        Ok(reply.filter(|_| token != "tok_timeout_paid" || !is_new))
    }

    /// What is pending becomes final as soon as the shop asks.
    fn find(&self, id: &str) -> io::Result<Reply> {
        let Ok(id) = id.parse::<OperationId>() else { return refuse(StatusCode::NOT_FOUND, UNKNOWN_OPERATION) };
        let mut books = locked(&self.books);
        let is_new = books.settle(id)?;
        self.announce(&books, is_new);
        match books.find(id) {
            Some(result) => json(StatusCode::OK, &result),
            None => refuse(StatusCode::NOT_FOUND, UNKNOWN_OPERATION),
        }
    }

    fn list(&self, query: &str) -> io::Result<Reply> {
        let after: usize = query.strip_prefix("after=").and_then(|after| after.parse().ok()).unwrap_or_default();
        let events: Vec<_> = locked(&self.books).events.iter().skip(after).take(PAGE).cloned().collect();
        let next = (!events.is_empty()).then(|| after.saturating_add(events.len()).to_string());
        json(StatusCode::OK, &EventPage { events, next })
    }

    /// Sends the last event.
    fn announce(&self, books: &Books, is_new: bool) {
        if let Some(event) = books.events.last().filter(|_| is_new) {
            // Without a receiver there are no webhooks.
            self.webhooks.send(event.clone()).ok();
        }
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> io::Result<Reply> {
    Ok(Some((status, serde_json::to_vec(body)?)))
}

fn refuse(status: StatusCode, code: &str) -> io::Result<Reply> {
    json(status, &ErrorBody { code: code.to_owned() })
}

/// The request in the words of the port. `None` for a dispute.
fn request(body: &OperationBody) -> Option<OperationRequest> {
    let action = match body.kind {
        OperationKind::Authorize => {
            OperationAction::Authorize { token: PaymentToken::new(body.token.clone().unwrap_or_default()) }
        }
        OperationKind::Capture => OperationAction::Capture { is_final: body.is_final.unwrap_or_default() },
        OperationKind::Refund => OperationAction::Refund,
        OperationKind::Void => OperationAction::Void,
        OperationKind::Dispute => return None,
    };
    let payment = PaymentTerms {
        payment: body.payment_id,
        order: body.order_id,
        user: body.user_id.clone(),
        amount: Money::new(body.payment_amount_cents, body.currency),
        method: body.method,
        capture: body.capture,
        reference: body.payment_id.to_string().parse().ok(),
    };
    let amount = Money::new(body.amount_cents, body.currency);
    Some(OperationRequest { id: body.operation_id, payment, amount, action })
}

fn verdict(token: &str) -> Verdict {
    let url = "https://remote.invalid/authenticate".parse().ok();
    let redirect = OperationOutcome::Pending { next: url.map(|url| NextAction::Redirect { url }) };
    match token {
        "tok_ok" | "tok_timeout" | "tok_timeout_paid" => Verdict::Approved,
        "tok_declined" => Verdict::Declined(DeclineCode::CardDeclined),
        "tok_insufficient_funds" => Verdict::Declined(DeclineCode::InsufficientFunds),
        "tok_blocked" => Verdict::Declined(DeclineCode::CardBlocked),
        "tok_3ds" => Verdict::Later(redirect, None),
        "tok_3ds_failed" => Verdict::Later(redirect, Some(DeclineCode::AuthenticationFailed)),
        "tok_slow" => Verdict::Later(OperationOutcome::Pending { next: None }, None),
        _ => Verdict::Declined(DeclineCode::IncorrectDetails),
    }
}
