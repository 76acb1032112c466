//! Answers that are no answers, and what they mean for the money.

use commerce_core::payment::OperationOutcome;
use commerce_core::port::{Processor, ProcessorError};
use commerce_remote::{Remote, RemoteConfig};
use remote_double::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::{pay, remote_at};

/// A service that gives one answer to everything.
async fn answering(answer: &'static str) -> Remote {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 8_192];
            if stream.read(&mut request).await.is_ok() && !answer.is_empty() {
                stream.write_all(answer.as_bytes()).await.ok();
            } else {
                tokio::time::sleep(std::time::Duration::from_secs(5)).await;
            }
        }
    });
    remote_at(format!("http://{address}"))
}

/// Whether the error of a payment promises that nothing happened.
async fn promises(answer: &'static str) -> bool {
    let remote = answering(answer).await;
    let error = remote.perform(&pay("tok_hush")).await.expect_err("it fails");
    let shown = format!("{error} {error:?} {remote:?}");
    assert!(!shown.contains("hush"), "{shown}");
    matches!(error, ProcessorError::NotDone(_))
}

#[tokio::test]
async fn errors_tell_whether_money_may_have_moved() {
    for refused in ["400 Bad Request", "401 Unauthorized", "404 Not Found", "422 Unprocessable", "429 Too Many"] {
        let answer: &'static str =
            Box::leak(format!("HTTP/1.1 {refused}\r\ncontent-length: 0\r\n\r\n").into_boxed_str());
        assert!(promises(answer).await, "{refused}");
    }
    for unclear in ["408 Timeout", "409 Conflict", "500 Error", "502 Bad Gateway", "503 Unavailable", "200 OK"] {
        let answer: &'static str =
            Box::leak(format!("HTTP/1.1 {unclear}\r\ncontent-length: 0\r\n\r\n").into_boxed_str());
        assert!(!promises(answer).await, "{unclear}");
    }
    assert!(!promises("").await, "no answer");
}

#[tokio::test]
async fn without_a_connection_nothing_is_done() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let error = remote_at(format!("http://{gone}")).perform(&pay("tok_ok")).await.expect_err("it fails");
    assert!(matches!(error, ProcessorError::NotDone(_)), "{error}");
}

/// A page of a proxy or another service does not mean that an operation was never performed.
#[tokio::test]
async fn only_the_service_says_that_it_knows_no_operation() {
    let lookup = pay("tok_ok").lookup();
    let page = answering("HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}").await;
    assert!(page.find(&lookup).await.is_err());
    let address = remote_double::start(Settings::default()).await.expect("it starts");
    assert_eq!(remote_at(format!("http://{address}")).find(&lookup).await.expect("an answer"), None);
}

#[tokio::test]
async fn in_the_end_every_payment_is_found_or_paid() {
    let settings = Settings { lost_requests: 300, lost_answers: 300, seed: 7, ..Settings::default() };
    let address = remote_double::start(settings).await.expect("it starts");
    let remote = remote_at(format!("http://{address}"));
    let mut failed = 0;
    for _ in 0..50 {
        let request = pay("tok_ok");
        let outcome = loop {
            match remote.perform(&request).await {
                Ok(answer) => break answer.outcome,
                Err(_) => failed += 1,
            }
        };
        assert_eq!(outcome, OperationOutcome::Succeeded { amount: request.amount });
    }
    assert!(failed > 20, "{failed}");
    let (mut taken, mut cursor) = (0, None);
    loop {
        let Ok(page) = remote.list(cursor.as_deref()).await else { continue };
        taken += page.events.len();
        let Some(next) = page.next else { break };
        cursor = Some(next);
    }
    assert_eq!(taken, 50, "each is paid once");
}

#[test]
fn an_address_that_would_leak_tokens_is_refused() {
    let with =
        |base: &str| Remote::new(RemoteConfig::new(base.to_owned())).map(drop).map_err(|error| error.to_string());
    assert_eq!(with("https://pay.example.com/v2"), Ok(()));
    assert!(with("http://pay.example.com").is_err_and(|error| error.contains("https://")));
}
