//! A stream of NATS `JetStream` keeps the contract of a publisher, on a server of its own that is killed on the way.

#![cfg(feature = "nats")]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "tls/authority.rs"]
mod authority;

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy};
use async_nats::jetstream::{self, Context};
use async_nats::{ConnectOptions, ServerAddr};
use async_trait::async_trait;
use commerce_core::port::{PublishError, PublishFailure, Publisher};
use commerce_core::publishing::Message;
use commerce_events::{NatsConfig, NatsTarget};
use commerce_testkit::suite::publisher::{Fixture, message};
use test_servers::{Broker, BrokerKind, Identity, required};
use tokio::sync::Mutex;

use authority::Authority;

struct OneServer {
    server: Mutex<Broker>,
    url: String,
}

impl OneServer {
    fn target(&self) -> NatsTarget {
        NatsTarget::new(NatsConfig { url: self.url.clone(), prefix: "commerce".to_owned(), ca_file: None })
    }

    async fn context(&self) -> Context {
        let server: ServerAddr = self.url.parse().expect("an address");
        let (user, password) = server.username().zip(server.password()).expect("a user");
        for _ in 0..100 {
            let options = ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned());
            if let Ok(client) = options.connect(&server).await {
                return jetstream::new(client);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("no connection")
    }

    /// Bodies and subjects of the stream.
    async fn stored(&self) -> Vec<(Vec<u8>, String)> {
        let mut stream = self.context().await.get_stream("EVENTS").await.expect("a stream");
        let state = stream.info().await.expect("its state").state.clone();
        let mut stored = Vec::new();
        for sequence in state.first_sequence.max(1)..=state.last_sequence {
            let message = stream.get_raw_message(sequence).await.expect("a message");
            stored.push((message.payload.to_vec(), message.subject.to_string()));
        }
        stored
    }
}

#[async_trait]
impl Fixture for OneServer {
    async fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(self.target())
    }

    async fn received(&self) -> Vec<Vec<u8>> {
        self.stored().await.into_iter().map(|(body, _)| body).collect()
    }

    async fn stop(&self) -> bool {
        self.server.lock().await.kill().expect("it is killed");
        true
    }

    async fn start(&self) {
        self.server.lock().await.restart().expect("it starts");
    }

    /// Longer than the server takes, which is 1 MiB.
    fn unwanted(&self) -> Option<Message> {
        Some(Message { body: vec![b'x'; 2 * 1024 * 1024], ..message("order/9", 1) })
    }
}

fn without_stream() -> OneServer {
    let server = required(Broker::start(BrokerKind::Nats));
    OneServer { url: server.url(), server: Mutex::new(server) }
}

async fn start() -> OneServer {
    let fixture = without_stream();
    let config = Config { name: "EVENTS".to_owned(), subjects: vec!["commerce.>".to_owned()], ..Config::default() };
    fixture.context().await.create_stream(config).await.expect("a stream");
    fixture
}

commerce_testkit::publisher_suite!(start);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_event_is_stored_once_under_the_subject_of_its_type() {
    let fixture = start().await;
    let messages = [message("order/1", 1), message("order/2", 1)];
    for target in [fixture.target(), fixture.target()] {
        target.publish(&messages).await.expect("published");
    }
    let stored = fixture.stored().await;
    assert_eq!(stored.len(), 2);
    assert!(stored.iter().all(|(_, subject)| subject == "commerce.order.paid"), "{stored:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_stream_nothing_is_confirmed() {
    let error = without_stream().target().publish(&[message("order/1", 1)]).await.expect_err("no stream");
    assert_eq!(error.confirmed, 0);
    let PublishFailure::Unavailable(reason) = error.failure else { panic!("{error}") };
    assert!(reason.contains("no stream found"), "{reason}");
}

async fn failure(config: NatsConfig, messages: &[Message]) -> PublishError {
    let target = NatsTarget::new(config);
    let error = target.publish(messages).await.expect_err("refused");
    assert!(!format!("{error} {error:?} {target:?}").contains("hush"), "{error:?}");
    error
}

fn outage(error: PublishError) -> String {
    let PublishFailure::Unavailable(reason) = error.failure else { panic!("{error}") };
    reason
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_an_outage_without_secrets() {
    let fixture = without_stream();
    let url = fixture.url.replace("commerce:", "commerce:hush");
    let config = NatsConfig { url, prefix: "commerce".to_owned(), ca_file: None };
    let reason = outage(failure(config, &[message("order/1", 1)]).await);
    assert!(reason.contains("authorization violation"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_tls_the_server_is_verified_and_still_asks_for_the_password() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.issue();
    let identity = Identity { certificate: &certificate, key: &key };
    let server = required(Broker::start_with(BrokerKind::Nats, identity));
    let url = server.tls_url().expect("TLS");
    let config = NatsConfig { url, prefix: "commerce".to_owned(), ca_file: Some(authority.file()) };
    // A connection, and no stream.
    let reason = outage(failure(config.clone(), &[message("order/1", 1)]).await);
    assert!(reason.contains("no stream found"), "{reason}");
    for ca_file in [None, Some(other.file())] {
        let reason = outage(failure(NatsConfig { ca_file, ..config.clone() }, &[message("order/1", 1)]).await);
        assert!(reason.contains("certificate"), "{reason}");
    }
    let wrong = NatsConfig { url: config.url.replace("commerce:", "commerce:hush"), ..config };
    let reason = outage(failure(wrong, &[message("order/1", 1)]).await);
    assert!(reason.contains("authorization violation"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_full_confirms_nothing_that_it_does_not_have() {
    let fixture = without_stream();
    let (name, subjects) = ("EVENTS".to_owned(), vec!["commerce.>".to_owned()]);
    let full = Config { name, subjects, max_messages: 2, discard: DiscardPolicy::New, ..Config::default() };
    fixture.context().await.create_stream(full).await.expect("a stream");
    let messages: Vec<_> = (1..6).map(|number| message("order/1", number)).collect();
    let error = fixture.target().publish(&messages).await.expect_err("it is full");
    assert_eq!(error.confirmed, 2);
    let reason = outage(error);
    assert!(reason.contains("maximum messages exceeded"), "{reason}");
    assert_eq!(fixture.stored().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_binary_mode_attributes_are_headers_that_any_value_fits_in() {
    let fixture = start().await;
    let attributes = vec![("id", "1".to_owned()), ("subject", "stock/é \"%\r\n".to_owned())];
    let sent = Message { attributes, content_type: "application/json", ..message("order/1", 1) };
    fixture.target().publish(std::slice::from_ref(&sent)).await.expect("published");
    let stream = fixture.context().await.get_stream("EVENTS").await.expect("a stream");
    let stored = stream.get_raw_message(1).await.expect("a message");
    let header = |name: &str| stored.headers.get(name).map(ToString::to_string);
    assert_eq!(header("Content-Type").as_deref(), Some("application/json"));
    assert_eq!(header("ce-id").as_deref(), Some("1"));
    assert_eq!(header("ce-subject").as_deref(), Some("stock/%C3%A9%20%22%25%0D%0A"));
}
