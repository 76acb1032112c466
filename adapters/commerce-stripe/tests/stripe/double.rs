//! A double of Stripe's API: intents, charges, refunds and events, with idempotency keys and faults.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use commerce_outbound::signature::sign;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) const WEBHOOK_SECRET: &str = "whsec_test";
/// Smaller than what clients ask for, so that they have to turn pages.
const PAGE: usize = 2;

pub(crate) type Fields = BTreeMap<String, String>;

/// What happens to the next request whose path ends with the text.
pub(crate) enum Fault {
    /// This answer instead of an effect.
    Answers(u16, Value),
    /// No answer and no effect.
    LosesRequest,
    /// No answer, after the effect.
    LosesAnswer,
    /// This body in place of the right one, after the effect.
    Garbles(&'static str),
}

/// A request as it arrived.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) fields: Fields,
    pub(crate) headers: HeaderMap,
}

#[derive(Default)]
struct State {
    intents: BTreeMap<String, Value>,
    setups: BTreeMap<String, Value>,
    charges: Vec<Value>,
    refunds: Vec<Value>,
    events: Vec<Value>,
    answers: BTreeMap<String, (String, u16, Value)>,
    faults: VecDeque<(&'static str, Fault)>,
    seen: Vec<Seen>,
    ids: u64,
}

#[derive(Clone)]
pub(crate) struct Double {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

type Reply = Result<Value, (u16, Value)>;

impl Double {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let double = Self { address: listener.local_addr().expect("an address"), state: Arc::default() };
        let served = double.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let double = served.clone();
                let service = service_fn(move |request| double.clone().answer(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        double
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn fail(&self, path: &'static str, fault: Fault) {
        self.state().faults.push_back((path, fault));
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// What was taken and not paid back, over all payments.
    pub(crate) fn balance(&self) -> i64 {
        let state = self.state();
        let taken: i64 = state.intents.values().map(|intent| number(intent, "amount_received")).sum();
        let refunded: i64 = state.refunds.iter().map(|refund| number(refund, "amount")).sum();
        taken - refunded
    }

    /// The customer authenticates, or fails to.
    pub(crate) fn authenticate(&self, payment: &str) {
        let mut state = self.state();
        let waiting = state
            .intents
            .values_mut()
            .find(|intent| intent["metadata"]["payment"] == payment && intent["status"] == "requires_action");
        let Some(intent) = waiting else { return };
        let id = text(intent, "id");
        let approved = intent["payment_method"] == "pm_3ds";
        intent["next_action"] = Value::Null;
        state.settle(&id, if approved { None } else { Some("payment_intent_authentication_failure") }, None);
    }

    /// The header and the body of the webhook of an event.
    pub(crate) fn webhook(&self, event: &str, at: i64) -> (String, Vec<u8>) {
        let event = self.state().events.iter().find(|known| known["id"] == event).cloned().expect("it is known");
        let body = event.to_string().into_bytes();
        (sign(WEBHOOK_SECRET, &body, at), body)
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let mut fields = parse(head.uri.query().unwrap_or_default());
        fields.extend(parse(&String::from_utf8_lossy(&body)));
        let path = head.uri.path().to_owned();
        let (status, body, is_lost) = {
            let mut state = self.state();
            state.seen.push(Seen { path: path.clone(), fields: fields.clone(), headers: head.headers.clone() });
            state.reply(&head.method, &path, &fields, &head.headers)
        };
        if is_lost {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        Ok(Response::builder().status(status).body(Full::from(body)).expect("an answer"))
    }
}

impl State {
    /// Status, body, and whether the answer gets lost.
    fn reply(&mut self, method: &Method, path: &str, fields: &Fields, headers: &HeaderMap) -> (u16, String, bool) {
        let place = self.faults.iter().position(|(end, _)| path.ends_with(end));
        let fault = place.and_then(|place| self.faults.remove(place)).map(|(_, fault)| fault);
        let means = self.intents.get(path.split('/').nth(3).unwrap_or_default());
        let means = means.filter(|_| path.ends_with("/confirm")).map(|intent| text(intent, "payment_method"));
        match fault {
            Some(Fault::Answers(status, body)) => return (status, body.to_string(), false),
            Some(Fault::LosesRequest) => return (500, String::new(), true),
            None if means.as_deref() == Some("pm_lost_request") => return (500, String::new(), true),
            Some(Fault::LosesAnswer | Fault::Garbles(_)) | None => {}
        }
        let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
        let (status, body) = self.once(method, path, fields, key);
        let is_lost = matches!(fault, Some(Fault::LosesAnswer)) || means.as_deref() == Some("pm_lost_answer");
        let body = if let Some(Fault::Garbles(body)) = fault { body.to_owned() } else { body.to_string() };
        (status, body, is_lost)
    }

    fn once(&mut self, method: &Method, path: &str, fields: &Fields, key: Option<&str>) -> (u16, Value) {
        let asked = format!("{path} {fields:?}");
        if let Some((known, status, body)) = key.and_then(|key| self.answers.get(key)) {
            if *known != asked {
                return (400, json!({ "error": { "type": "idempotency_error" } }));
            }
            return (*status, body.clone());
        }
        let (status, body) = match self.route(method, path, fields, key) {
            Ok(body) => (200, body),
            Err((status, error)) => (status, json!({ "error": error })),
        };
        if let Some(key) = key {
            self.answers.insert(key.to_owned(), (asked, status, body.clone()));
        }
        (status, body)
    }

    fn route(&mut self, method: &Method, path: &str, fields: &Fields, key: Option<&str>) -> Reply {
        let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
        match (method.as_str(), parts.as_slice()) {
            ("POST", ["payment_intents"]) => Ok(self.create(fields)),
            ("GET", ["payment_intents", id]) => self.intent(id, fields),
            ("POST", ["payment_intents", id]) => self.update(id, fields),
            ("POST", ["payment_intents", id, "confirm"]) => {
                self.confirm(id, key)?;
                self.intent(id, fields)
            }
            ("POST", ["payment_intents", id, "capture"]) => self.capture(id, fields, key),
            ("POST", ["payment_intents", id, "cancel"]) => self.cancel(id, key),
            ("POST", ["customers"]) => Ok(json!({ "id": self.id("cus") })),
            ("POST", ["setup_intents"]) => Ok(self.set_up(fields)),
            ("GET", ["setup_intents", id]) => {
                self.setups.get(*id).cloned().ok_or_else(|| invalid("resource_missing", "intent"))
            }
            ("POST", ["payment_methods", _, "detach"]) => Ok(json!({})),
            ("POST", ["refunds"]) => self.refund(fields, key),
            ("GET", ["refunds"]) => Ok(page(&self.refunds, fields)),
            ("GET", ["charges"]) => Ok(page(&self.charges, fields)),
            ("GET", ["events"]) => self.list(fields),
            _ => Err(invalid("resource_missing", "")),
        }
    }

    fn id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}_{:06}", self.ids)
    }

    fn create(&mut self, fields: &Fields) -> Value {
        let id = self.id("pi");
        let intent = json!({
            "id": id, "object": "payment_intent", "status": "requires_payment_method",
            "amount": whole(fields, "amount"), "amount_capturable": 0, "amount_received": 0,
            "currency": fields["currency"], "capture_method": fields["capture_method"],
            "client_secret": format!("{id}_secret_x"), "metadata": metadata(fields),
            "latest_charge": null, "last_payment_error": null, "next_action": null, "payment_method": null,
        });
        self.intents.insert(id, intent.clone());
        intent
    }

    /// A setup, which shows its method as one that is asked for with it.
    fn set_up(&mut self, fields: &Fields) -> Value {
        let id = self.id("seti");
        let method = fields.get("payment_method").filter(|_| fields.contains_key("confirm"));
        let card = json!({ "brand": "visa", "last4": "4242" });
        let setup = json!({
            "id": id, "status": if method.is_some() { "succeeded" } else { "requires_payment_method" },
            "client_secret": format!("{id}_secret_x"), "customer": fields["customer"],
            "payment_method": method.map(|method| json!({ "id": method, "card": card })),
        });
        self.setups.insert(id, setup.clone());
        setup
    }

    fn intent(&self, id: &str, fields: &Fields) -> Reply {
        let mut intent = self.intents.get(id).cloned().ok_or_else(|| invalid("resource_missing", "intent"))?;
        if fields.contains_key("expand[]") {
            let charge = self.charges.iter().find(|charge| charge["id"] == intent["latest_charge"]);
            intent["latest_charge"] = charge.cloned().unwrap_or_default();
        }
        Ok(intent)
    }

    fn known(&mut self, id: &str) -> Result<&mut Value, (u16, Value)> {
        self.intents.get_mut(id).ok_or_else(|| invalid("resource_missing", "intent"))
    }

    fn update(&mut self, id: &str, fields: &Fields) -> Reply {
        if fields.get("payment_method").is_some_and(|method| method == "pm_unknown") {
            return Err(invalid("resource_missing", "payment_method"));
        }
        let intent = self.known(id)?;
        for (name, value) in metadata(fields) {
            intent["metadata"][name] = value.into();
        }
        if let Some(method) = fields.get("payment_method") {
            intent["payment_method"] = method.as_str().into();
            intent["status"] = "requires_confirmation".into();
        }
        if fields.contains_key("amount") {
            intent["amount"] = whole(fields, "amount").into();
        }
        intent["last_payment_error"] = Value::Null;
        Ok(intent.clone())
    }

    fn confirm(&mut self, id: &str, key: Option<&str>) -> Reply {
        let intent = self.known(id)?;
        if intent["status"] != "requires_confirmation" {
            return Err(invalid("payment_intent_unexpected_state", ""));
        }
        let method = text(intent, "payment_method");
        if method.starts_with("pm_3ds") {
            intent["status"] = "requires_action".into();
            intent["next_action"] = json!({ "redirect_to_url": { "url": "https://bank.example.com/3ds" } });
            let intent = intent.clone();
            self.emit("payment_intent.requires_action", &intent, key);
            return Ok(intent);
        }
        let declined = (method == "pm_declined").then_some("insufficient_funds");
        self.settle(id, declined, key);
        match declined {
            Some(code) => Err((402, json!({ "type": "card_error", "code": "card_declined", "decline_code": code }))),
            None => Ok(self.known(id)?.clone()),
        }
    }

    /// Ends an attempt to pay.
    fn settle(&mut self, id: &str, declined: Option<&str>, key: Option<&str>) {
        let charge = self.id("ch");
        let intent = self.intents.get_mut(id).expect("it is known");
        let amount = number(intent, "amount");
        let is_manual = intent["capture_method"] == "manual";
        let (status, kind) = match declined {
            Some(_) => ("requires_payment_method", "payment_intent.payment_failed"),
            None if is_manual => ("requires_capture", "payment_intent.amount_capturable_updated"),
            None => ("succeeded", "payment_intent.succeeded"),
        };
        intent["status"] = status.into();
        match declined {
            Some(code) => intent["last_payment_error"] = json!({ "code": "card_declined", "decline_code": code }),
            None if is_manual => intent["amount_capturable"] = amount.into(),
            None => intent["amount_received"] = amount.into(),
        }
        intent["latest_charge"] = charge.as_str().into();
        let status = if declined.is_some() { "failed" } else { "succeeded" };
        let charge = json!({
            "id": charge, "payment_intent": id, "status": status, "failure_code": declined.map(|_| "card_declined"),
            "outcome": { "reason": declined }, "metadata": intent["metadata"],
            "payment_method_details": details_of(&text(intent, "payment_method")),
        });
        let intent = intent.clone();
        self.charges.push(charge);
        self.emit(kind, &intent, key);
    }

    fn capture(&mut self, id: &str, fields: &Fields, key: Option<&str>) -> Reply {
        let intent = self.known(id)?;
        let (amount, left) = (whole(fields, "amount_to_capture"), number(intent, "amount_capturable"));
        if intent["status"] != "requires_capture" {
            return Err(invalid("payment_intent_unexpected_state", ""));
        }
        if amount > left {
            return Err(invalid("amount_too_large", "amount_to_capture"));
        }
        let is_final = fields.get("final_capture").is_none_or(|value| value != "false") || amount == left;
        for (name, value) in metadata(fields) {
            intent["metadata"][name] = value.into();
        }
        intent["amount_received"] = (number(intent, "amount_received") + amount).into();
        intent["amount_capturable"] = if is_final { 0.into() } else { (left - amount).into() };
        intent["status"] = if is_final { "succeeded" } else { "requires_capture" }.into();
        let intent = intent.clone();
        let kind = if is_final { "payment_intent.succeeded" } else { "payment_intent.amount_capturable_updated" };
        self.emit(kind, &intent, key);
        Ok(intent)
    }

    fn cancel(&mut self, id: &str, key: Option<&str>) -> Reply {
        let intent = self.known(id)?;
        if intent["status"] == "succeeded" || intent["status"] == "canceled" {
            return Err(invalid("payment_intent_unexpected_state", ""));
        }
        intent["status"] = "canceled".into();
        intent["amount_capturable"] = 0.into();
        let intent = intent.clone();
        self.emit("payment_intent.canceled", &intent, key);
        Ok(intent)
    }

    fn refund(&mut self, fields: &Fields, key: Option<&str>) -> Reply {
        let intent = self.known(&fields["payment_intent"])?;
        let (taken, id, currency) = (number(intent, "amount_received"), text(intent, "id"), intent["currency"].clone());
        let own = self.refunds.iter().filter(|refund| refund["payment_intent"] == id.as_str());
        let refunded: i64 = own.map(|refund| number(refund, "amount")).sum();
        let amount = whole(fields, "amount");
        if amount > taken - refunded {
            // Stripe gives no code for it.
            return Err((400, json!({ "type": "invalid_request_error", "param": "amount", "message": "too much" })));
        }
        let refund = json!({
            "id": self.id("re"), "payment_intent": id, "amount": amount, "currency": currency, "status": "succeeded",
            "metadata": metadata(fields),
        });
        self.refunds.push(refund.clone());
        self.emit("refund.created", &refund, key);
        Ok(refund)
    }

    fn emit(&mut self, kind: &str, object: &Value, key: Option<&str>) {
        let id = self.id("evt");
        self.events.push(json!({
            "id": id, "type": kind, "created": 1_700_000_000, "livemode": false,
            "request": { "idempotency_key": key }, "data": { "object": object },
        }));
    }

    fn list(&self, fields: &Fields) -> Reply {
        let before = fields.get("ending_before");
        let Some(before) = before else { return Ok(page(&self.events, fields)) };
        let place = self.events.iter().position(|event| event["id"] == before.as_str());
        let place = place.ok_or_else(|| invalid("resource_missing", "ending_before"))?;
        let newer = &self.events[place + 1..];
        let data: Vec<_> = newer.iter().take(PAGE).rev().collect();
        Ok(json!({ "data": data, "has_more": newer.len() > PAGE }))
    }
}

/// What a charge tells of a means of payment. Not every kind says until when it holds money.
fn details_of(method: &str) -> Value {
    match method {
        "pm_terminal" => json!({ "type": "card_present", "card_present": { "capture_before": 1_700_172_800 } }),
        "pm_wallet" => json!({ "type": "amazon_pay", "amazon_pay": { "funding": {} } }),
        _ => json!({ "type": "card", "card": { "capture_before": 1_700_604_800 } }),
    }
}

/// A page, newest first.
fn page(all: &[Value], fields: &Fields) -> Value {
    let of = fields.get("payment_intent");
    let own: Vec<_> = all.iter().rev().filter(|one| of.is_none_or(|of| one["payment_intent"] == of.as_str())).collect();
    let after = fields.get("starting_after");
    let start = after.and_then(|after| own.iter().position(|one| one["id"] == after.as_str()));
    let rest = &own[start.map_or(0, |start| start + 1)..];
    json!({ "data": rest[..rest.len().min(PAGE)], "has_more": rest.len() > PAGE })
}

fn invalid(code: &str, param: &str) -> (u16, Value) {
    let status = if code == "resource_missing" { 404 } else { 400 };
    (status, json!({ "type": "invalid_request_error", "code": code, "param": param, "message": "No such pm_hush" }))
}

fn parse(form: &str) -> Fields {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

fn metadata(fields: &Fields) -> BTreeMap<String, String> {
    let entries = fields.iter().filter_map(|(name, value)| {
        Some((name.strip_prefix("metadata[")?.strip_suffix(']')?.to_owned(), value.clone()))
    });
    entries.collect()
}

fn whole(fields: &Fields, name: &str) -> i64 {
    fields[name].parse().expect("a whole number")
}

fn number(object: &Value, name: &str) -> i64 {
    object[name].as_i64().expect("a whole number")
}

fn text(object: &Value, name: &str) -> String {
    object[name].as_str().unwrap_or_default().to_owned()
}
