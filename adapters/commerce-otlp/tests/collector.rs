//! A collector on loopback that reads what it gets.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use commerce_otlp::{Exporter, QUEUE, TIME_OUT};
use commerce_outbound::Service;
use commerce_trace::{Ended, Kind, Spans, TraceContext};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

type Heard = Arc<Mutex<Vec<(String, Value)>>>;

/// A collector that answers each request with a status after a pause.
async fn collector(status: u16, pause: Duration) -> (SocketAddr, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, heard) = (listener.local_addr().unwrap(), Heard::default());
    let kept = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let kept = Arc::clone(&kept);
            let answer = service_fn(move |request: Request<Incoming>| {
                let kept = Arc::clone(&kept);
                async move {
                    let path = request.uri().path().to_owned();
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    kept.lock().unwrap().push((path, serde_json::from_slice(&body).unwrap()));
                    tokio::time::sleep(pause).await;
                    let answer = Response::builder().status(status).body(Full::new(Bytes::from_static(b"{}")));
                    Ok::<_, Infallible>(answer.unwrap())
                }
            });
            let connection = Builder::new(TokioExecutor::new());
            tokio::spawn(async move { connection.serve_connection(TokioIo::new(stream), answer).await.ok() });
        }
    });
    (address, heard)
}

fn exporter(address: SocketAddr) -> (Exporter, commerce_otlp::Queue) {
    let service = Service::new(&format!("http://{address}"), None, TIME_OUT).unwrap();
    Exporter::new(service, "shop".to_owned()).unwrap()
}

fn span(name: &str, context: TraceContext) -> Ended {
    let (started, took) = (SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_366_400), Duration::from_millis(5));
    let attributes = vec![("http.route", "/orders/{id}".into()), ("http.response.status_code", 500.into())];
    let (span, kind, failed) = (context.header(), Kind::Server, true);
    Ended { span, parent: context.parent(), kind, name: name.to_owned(), started, took, attributes, failed }
}

fn spans(heard: &Heard) -> Vec<Value> {
    let heard = heard.lock().unwrap();
    let of = |body: &Value| body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone();
    heard.iter().flat_map(|(_, body)| of(body)).collect()
}

#[tokio::test]
async fn a_span_arrives_as_otlp_says() {
    let (address, heard) = collector(200, Duration::ZERO).await;
    let (exporter, queue) = exporter(address);
    let context = TraceContext::following(Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    queue.take(span("GET /orders/{id}", context));
    exporter.run(async {}).await;
    let (path, body) = heard.lock().unwrap()[0].clone();
    let resource = &body["resourceSpans"][0]["resource"]["attributes"][0];
    assert_eq!(
        (&*path, resource),
        ("/v1/traces", &json!({ "key": "service.name", "value": { "stringValue": "shop" } }))
    );
    let expected = json!({
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "spanId": context.span_id(),
        "parentSpanId": "00f067aa0ba902b7",
        "name": "GET /orders/{id}",
        "kind": 2,
        "startTimeUnixNano": "1772366400000000000",
        "endTimeUnixNano": "1772366400005000000",
        "attributes": [
            { "key": "http.route", "value": { "stringValue": "/orders/{id}" } },
            { "key": "http.response.status_code", "value": { "intValue": "500" } },
        ],
        "status": { "code": 2 },
    });
    assert_eq!(spans(&heard), [expected]);
}

#[tokio::test]
async fn what_waits_at_the_end_is_sent_and_what_is_too_much_is_dropped() {
    let (address, heard) = collector(200, Duration::ZERO).await;
    let (exporter, queue) = exporter(address);
    for number in 0..QUEUE + 10 {
        queue.take(span(&number.to_string(), TraceContext::first()));
    }
    exporter.run(async {}).await;
    let names: Vec<_> = spans(&heard).iter().map(|span| span["name"].as_str().unwrap().to_owned()).collect();
    assert!(names.iter().eq((0..QUEUE).map(|number| number.to_string()).collect::<Vec<_>>().iter()), "{}", names.len());
    assert_eq!(heard.lock().unwrap().len(), 4, "batches");
    queue.take(span("late", TraceContext::first())); // without effect, and without a wait
}

#[tokio::test]
async fn a_batch_that_is_refused_is_not_sent_again() {
    let (address, heard) = collector(503, Duration::ZERO).await;
    let (exporter, queue) = exporter(address);
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(exporter.run(async { drop(stopped.await) }));
    queue.take(span("first", TraceContext::first()));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    queue.take(span("second", TraceContext::first()));
    stop.send(()).unwrap();
    running.await.unwrap();
    let names: Vec<_> = spans(&heard).iter().map(|span| span["name"].clone()).collect();
    assert_eq!(names, ["first", "second"]);
}

#[tokio::test]
async fn a_collector_that_does_not_answer_delays_the_end_by_seconds_only() {
    let (address, _) = collector(200, Duration::from_secs(60)).await;
    let (exporter, queue) = exporter(address);
    for number in 0..QUEUE {
        queue.take(span(&number.to_string(), TraceContext::first()));
    }
    tokio::time::timeout(Duration::from_secs(10), exporter.run(async {})).await.unwrap();
}
