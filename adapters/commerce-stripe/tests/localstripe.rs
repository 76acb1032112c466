//! Against localstripe, a stateful counterpart of Stripe's API, and the signatures of Stripe's own library.
//!
//! `cargo xtask ci stripe` starts it with `localstripe/serve.py`, which adds what localstripe lacks, and sets `LOCALSTRIPE` to its
//! address and `LOCALSTRIPE_PYTHON` to a Python with the packages `localstripe` and `stripe`.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::env;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use chrono::Utc;
use commerce_core::ids::{OperationId, PaymentMethodId};
use commerce_core::money::Money;
use commerce_core::payment::{CaptureMode, DeclineCode, OperationAnswer, OperationKind, OperationOutcome, Reference};
use commerce_core::port::{
    OperationAction, OperationRequest, PaymentTerms, PaymentToken, Processor, SavedMeans, SetupOutcome, SetupRequest,
    Webhook,
};
use commerce_outbound::signature::{Secrets, sign};
use commerce_stripe::{Stripe, StripeConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use uuid::Uuid;

const SECRET: &str = "whsec_of_the_test";

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run cargo xtask ci stripe"))
}

fn stripe() -> Stripe {
    let mut config = StripeConfig::new("sk_test_12345".to_owned());
    config.base = variable("LOCALSTRIPE");
    config.webhook_secrets = Secrets::parse(&format!("whsec_of_before {SECRET}"));
    Stripe::new(config).expect("the settings are right")
}

async fn open(capture: CaptureMode) -> PaymentTerms {
    let id = Uuid::now_v7().to_string();
    let mut terms = PaymentTerms {
        payment: id.parse().expect("an id"),
        order: id.parse().expect("an id"),
        user: "ann".parse().expect("an id"),
        amount: "10.00 USD".parse().expect("an amount"),
        method: None,
        capture,
        reference: None,
    };
    let opened = stripe().open(&terms).await.expect("it opens");
    assert!(opened.client_secret.is_some_and(|secret| secret.reveal().starts_with(opened.reference.as_str())));
    terms.reference = Some(opened.reference);
    terms
}

fn request(terms: &PaymentTerms, minor: i64, action: OperationAction) -> OperationRequest {
    let amount = Money::new(minor, terms.amount.currency());
    OperationRequest { id: OperationId::new(Uuid::now_v7()), payment: terms.clone(), amount, action }
}

fn pay(terms: &PaymentTerms, token: &str) -> OperationRequest {
    request(terms, 1_000, OperationAction::Authorize { token: PaymentToken::new(token.to_owned()) })
}

async fn perform(request: &OperationRequest) -> OperationAnswer {
    stripe().perform(request).await.expect("an answer")
}

/// Performs it twice, as a double click or a retry does, and finds it.
async fn succeeds(request: &OperationRequest) {
    let answer = perform(request).await;
    assert_eq!(answer.outcome, OperationOutcome::Succeeded { amount: request.amount }, "{request:?}");
    assert_eq!(perform(request).await, answer);
    assert_eq!(stripe().find(&request.lookup()).await.expect("an answer"), Some(answer));
}

async fn exceeds(request: &OperationRequest) {
    let answer = perform(request).await;
    assert_eq!(declined(&answer), Some(DeclineCode::InvalidAmount), "{request:?}");
}

fn declined(answer: &OperationAnswer) -> Option<DeclineCode> {
    match &answer.outcome {
        OperationOutcome::Declined(decline) => Some(decline.code),
        OperationOutcome::Succeeded { .. } | OperationOutcome::Pending { .. } => None,
    }
}

/// Posts a form to localstripe itself.
async fn post(path: &str, body: &str) -> String {
    let base = variable("LOCALSTRIPE");
    let mut stream = tokio::net::TcpStream::connect(base.trim_start_matches("http://")).await.expect("a connection");
    let head = format!(
        "POST {path} HTTP/1.0\r\nauthorization: Bearer sk_test_12345\r\ncontent-length: {}\r\n\
         content-type: application/x-www-form-urlencoded\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.0 200") || answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}

async fn authenticate(terms: &PaymentTerms, success: bool) {
    let opened = stripe().open(terms).await.expect("it is open");
    let secret = opened.client_secret.expect("it can be paid");
    let secret = secret.reveal();
    let path = format!("/v1/payment_intents/{}/_authenticate", opened.reference);
    post(&path, &format!("client_secret={secret}&success={success}")).await;
}

#[tokio::test]
async fn a_payment_is_taken_and_refunded() {
    let terms = open(CaptureMode::Automatic).await;
    succeeds(&pay(&terms, "pm_card_visa")).await;
    exceeds(&request(&terms, 1_001, OperationAction::Refund)).await;
    succeeds(&request(&terms, 400, OperationAction::Refund)).await;
    exceeds(&request(&terms, 601, OperationAction::Refund)).await;
    succeeds(&request(&terms, 600, OperationAction::Refund)).await;
    exceeds(&request(&terms, 1, OperationAction::Refund)).await;
}

#[tokio::test]
async fn a_double_click_pays_once() {
    let terms = open(CaptureMode::Automatic).await;
    let paying = pay(&terms, "pm_card_visa");
    let (one, other) = (stripe(), stripe());
    // localstripe ignores idempotency keys: it refuses the second confirmation.
    let answers = tokio::join!(one.perform(&paying), other.perform(&paying));
    let answers = [answers.0, answers.1].into_iter().flatten();
    let paid = answers.filter(|answer| matches!(answer.outcome, OperationOutcome::Succeeded { .. })).count();
    assert!(paid > 0);
    succeeds(&paying).await;
    exceeds(&pay(&terms, "pm_card_visa")).await;
}

#[tokio::test]
async fn a_declined_card_moves_nothing() {
    let terms = open(CaptureMode::Automatic).await;
    let paying = pay(&terms, "pm_card_chargeCustomerFail");
    let answer = perform(&paying).await;
    assert_eq!(declined(&answer), Some(DeclineCode::CardDeclined));
    assert_eq!(perform(&paying).await, answer);
    assert_eq!(stripe().find(&paying.lookup()).await.expect("an answer"), Some(answer));
    exceeds(&request(&terms, 1, OperationAction::Refund)).await;
    let unknown = open(CaptureMode::Automatic).await;
    assert!(stripe().perform(&pay(&unknown, "pm_unknown")).await.is_err(), "a bare 404 of localstripe");
}

#[tokio::test]
async fn a_card_with_authentication_waits_for_the_customer() {
    for succeeds in [true, false] {
        let card = "type=card&card[number]=4000002500003155&card[exp_month]=12&card[exp_year]=2030&card[cvc]=123";
        let made = post("/v1/payment_methods", card).await;
        let token = made.split('"').find(|word| word.starts_with("pm_")).expect("a method").to_owned();
        let terms = open(CaptureMode::Automatic).await;
        let paying = pay(&terms, &token);
        let pending = perform(&paying).await;
        assert_eq!(pending.outcome, OperationOutcome::Pending { next: None });
        assert_eq!(perform(&paying).await, pending);
        authenticate(&terms, succeeds).await;
        let found = stripe().find(&paying.lookup()).await.expect("an answer").expect("it is found");
        if succeeds {
            assert_eq!(found.outcome, OperationOutcome::Succeeded { amount: terms.amount });
        } else {
            assert_eq!(declined(&found), Some(DeclineCode::AuthenticationFailed));
        }
    }
}

#[tokio::test]
async fn a_hold_is_captured_in_two_parts() {
    let terms = open(CaptureMode::Manual).await;
    let capture = |minor, is_final| request(&terms, minor, OperationAction::Capture { is_final });
    succeeds(&pay(&terms, "pm_card_visa")).await;
    exceeds(&capture(1_001, false)).await;
    succeeds(&capture(600, false)).await;
    exceeds(&capture(401, true)).await;
    succeeds(&capture(400, true)).await;
    exceeds(&capture(1, true)).await;
    exceeds(&request(&terms, 1, OperationAction::Void)).await;
    succeeds(&request(&terms, 1_000, OperationAction::Refund)).await;
}

#[tokio::test]
async fn a_hold_is_voided() {
    let terms = open(CaptureMode::Manual).await;
    succeeds(&pay(&terms, "pm_card_visa")).await;
    succeeds(&request(&terms, 1_000, OperationAction::Void)).await;
    exceeds(&request(&terms, 1, OperationAction::Capture { is_final: true })).await;
}

#[tokio::test]
async fn a_card_is_saved_charged_and_forgotten() {
    let id = PaymentMethodId::new(Uuid::now_v7());
    let asked = SetupRequest { id, user: "ann".parse().expect("an id"), token: None };
    let setup = stripe().start_setup(&asked).await.expect("it starts");
    assert_eq!(setup.outcome, SetupOutcome::Pending);
    let path = format!("/v1/setup_intents/{}/confirm", setup.reference);
    let secret = setup.client_secret.expect("the customer can enter a card");
    post(&path, &format!("client_secret={}&payment_method=pm_card_visa", secret.reveal())).await;
    let found = stripe().find_setup(&setup.reference).await.expect("an answer");
    let SetupOutcome::Saved(saved) = found.outcome else { panic!("it is saved: {found:?}") };
    assert_eq!((saved.brand.as_str(), saved.last_four.as_str()), ("visa", "4242"));
    let terms = open(CaptureMode::Automatic).await;
    let charge = request(&terms, 1_000, OperationAction::Authorize { token: PaymentToken::saved(&saved.reference) });
    succeeds(&charge).await;
    stripe().forget(&saved.reference).await.expect("it is forgotten");
}

/// The next webhook of a payment: its signature and its body.
async fn received(listener: &TcpListener, payment: &Reference) -> (String, Vec<u8>) {
    loop {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut bytes = Vec::new();
        let (head, body) = loop {
            stream.read_buf(&mut bytes).await.expect("a request");
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = header(head, "content-length").parse::<usize>().expect("a length");
            if body.len() >= length {
                break (head.to_owned(), body.as_bytes().to_vec());
            }
        };
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.expect("it is answered");
        if String::from_utf8_lossy(&body).contains(payment.as_str()) {
            return (header(&head, "stripe-signature"), body);
        }
    }
}

fn header(head: &str, name: &str) -> String {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).collect()
}

#[tokio::test]
async fn a_webhook_is_received_and_believed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    post("/_config/webhooks/shop", &format!("url=http://{address}/hook&secret={SECRET}")).await;
    let terms = open(CaptureMode::Automatic).await;
    let paying = pay(&terms, "pm_card_visa");
    perform(&paying).await;
    let reference = terms.reference.clone().expect("it is open");
    let (signature, body) =
        tokio::time::timeout(Duration::from_secs(20), received(&listener, &reference)).await.expect("a webhook");
    let headers = [("stripe-signature", signature.as_str())];
    let events = stripe().read_webhook(&Webhook { headers: &headers, body: &body, at: Utc::now() });
    let events = events.expect("it is believed");
    let said: Vec<_> = events.iter().map(|event| (event.kind, event.payment, event.operation, event.amount)).collect();
    assert_eq!(said, [(OperationKind::Authorize, Some(terms.payment), Some(paying.id), terms.amount)]);
    let changed = [&body[..], b" "].concat();
    assert!(stripe().read_webhook(&Webhook { headers: &headers, body: &changed, at: Utc::now() }).is_err());
}

/// Runs a program with Stripe's library; its arguments are the header and the secret, its input the body.
fn python(program: &str, header: &str, body: &[u8]) -> String {
    let mut child = Command::new(variable("LOCALSTRIPE_PYTHON"))
        .args(["-c", program, header, SECRET])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("an input").write_all(body).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

#[test]
fn signatures_are_those_of_the_library_of_stripe() {
    const VERIFY: &str = "import stripe, sys; body = sys.stdin.buffer.read().decode()\n\
                          try: stripe.WebhookSignature.verify_header(body, sys.argv[1], sys.argv[2], 300); print('yes')\n\
                          except stripe.SignatureVerificationError: print('no')";
    const SIGN: &str = "import stripe, sys, time; body = sys.stdin.buffer.read().decode(); now = int(time.time())\n\
                        digest = stripe.WebhookSignature._compute_signature(f'{now}.{body}', sys.argv[2])\n\
                        print(f't={now},v1={digest}')";
    let body =
        r#"{"id":"evt_1","type":"customer.created","created":1,"livemode":false,"data":{"object":{"name":"Zoë"}}}"#;
    let ours = sign(SECRET, body.as_bytes(), Utc::now().timestamp());
    assert_eq!(python(VERIFY, &ours, body.as_bytes()), "yes");
    assert_eq!(python(VERIFY, &ours, b"{}"), "no");
    let theirs = python(SIGN, "", body.as_bytes());
    let read = |body: &[u8]| {
        stripe().read_webhook(&Webhook { headers: &[("stripe-signature", &theirs)], body, at: Utc::now() })
    };
    assert_eq!(read(body.as_bytes()), Ok(Vec::new()));
    assert!(read(b"{}").is_err());
}
