//! A target that is slow makes progress: what it confirmed in time counts.

#![cfg(feature = "nats")]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use commerce_core::port::{PublishFailure, Publisher};
use commerce_core::publishing::Message;
use commerce_events::{NatsConfig, NatsTarget};
use commerce_testkit::suite::publisher::message;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const INFO: &str = r#"INFO {"server_id":"slow","server_name":"slow","version":"2.11.0","go":"go1.24","host":"127.0.0.1",
"port":4222,"headers":true,"max_payload":1048576,"proto":1,"client_id":1}"#;

/// A server of NATS that stores one message after the other, each in some time.
async fn slow_server(each: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(attend(stream, each));
        }
    });
    address
}

async fn attend(stream: TcpStream, each: Duration) {
    let (reader, mut writer) = stream.into_split();
    let (mut reader, mut line, mut sid, mut stored) = (BufReader::new(reader), String::new(), String::new(), 0);
    writer.write_all(format!("{}\r\n", INFO.replace('\n', "")).as_bytes()).await.ok();
    while reader.read_line(&mut line).await.is_ok_and(|length| length > 0) {
        let words: Vec<_> = line.split_whitespace().collect();
        let answer = match *words {
            ["SUB", _, given] => {
                given.clone_into(&mut sid);
                String::new()
            }
            ["PING"] => "PONG\r\n".to_owned(),
            ["HPUB", _, inbox, _, length] => {
                let mut payload = vec![0; length.parse::<usize>().expect("a length") + 2];
                reader.read_exact(&mut payload).await.expect("a payload");
                tokio::time::sleep(each).await;
                stored += 1;
                let stored = format!("{{\"stream\":\"EVENTS\",\"seq\":{stored}}}");
                format!("MSG {inbox} {sid} {}\r\n{stored}\r\n", stored.len())
            }
            _ => String::new(),
        };
        writer.write_all(answer.as_bytes()).await.ok();
        line.clear();
    }
}

async fn published(messages: &[Message], each: Duration) -> (usize, String) {
    let url = format!("nats://{}", slow_server(each).await);
    let target = NatsTarget::new(NatsConfig { url, prefix: "commerce".to_owned(), ca_file: None });
    let began = Instant::now();
    let error = target.publish(messages).await.expect_err("it is slow");
    assert!(began.elapsed() < Duration::from_millis(5_500), "the relay would have given it up: {:?}", began.elapsed());
    let PublishFailure::Unavailable(reason) = error.failure else { panic!("{error}") };
    (error.confirmed, reason)
}

#[tokio::test]
async fn what_a_slow_target_confirmed_is_told_in_time() {
    let of_one: Vec<_> = (1..=20).map(|place| message("order/1", place)).collect();
    let (confirmed, reason) = published(&of_one, Duration::from_millis(700)).await;
    assert!((3..=6).contains(&confirmed) && reason.contains("slow"), "{confirmed}: {reason}");
}

#[tokio::test]
async fn a_wave_that_is_too_long_for_its_time_counts_as_far_as_it_came() {
    let of_many: Vec<_> = (1..=20).map(|place| message(&format!("order/{place}"), 1)).collect();
    let (confirmed, reason) = published(&of_many, Duration::from_millis(700)).await;
    assert!((3..=6).contains(&confirmed) && reason.contains("no confirmation"), "{confirmed}: {reason}");
}
