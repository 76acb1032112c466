//! Webhooks: signed, repeated until they are accepted, and late, twice or never on demand.

use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use commerce_outbound::Outbound;
use commerce_outbound::signature::sign;
use commerce_remote::wire::{EventBody, SIGNATURE};
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use tokio::sync::mpsc;

use crate::Settings;
use crate::faults::Faults;

const TIME_OUT: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const TRIES: u32 = 20;
/// The most bytes of an answer that are read. Only the status matters.
const MAX_BODY: usize = 64 * 1024;

/// Sends events until the sender of the channel is dropped.
pub(crate) async fn deliver(settings: Settings, mut events: mpsc::UnboundedReceiver<EventBody>) {
    let uri: Option<Uri> = settings.webhook.as_deref().and_then(|url| url.parse().ok());
    let (Some(uri), Ok(client)) = (uri, Outbound::new(TIME_OUT)) else { return };
    let faults = Faults::new(settings.seed.wrapping_add(1));
    let mut late = None;
    while let Some(event) = events.recv().await {
        if faults.strike(settings.lost_webhooks) {
            continue;
        }
        if late.is_none() && faults.strike(settings.reordered) {
            late = Some(event);
            continue;
        }
        let copies = if faults.strike(settings.duplicates) { 2 } else { 1 };
        for event in std::iter::repeat_n(event, copies).chain(late.take()) {
            tokio::spawn(send(client.clone(), uri.clone(), settings.secret.clone(), event));
        }
    }
}

async fn send(client: Outbound, uri: Uri, secret: String, event: EventBody) {
    let Ok(body) = serde_json::to_vec(&event).map(Bytes::from) else { return };
    let mut pause = FIRST_PAUSE;
    for _ in 0..TRIES {
        let answer = client.send(request(&uri, &secret, &body), MAX_BODY).await;
        if answer.is_ok_and(|answer| answer.status.is_success()) {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

fn request(uri: &Uri, secret: &str, body: &Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::from(body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri.clone();
    if let Ok(signature) = HeaderValue::try_from(sign(secret, body, Utc::now().timestamp())) {
        request.headers_mut().insert(HeaderName::from_static(SIGNATURE), signature);
    }
    request
}
