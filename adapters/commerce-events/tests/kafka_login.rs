//! The login to Kafka by SASL PLAIN, at a broker that knows nothing else.

#![cfg(feature = "kafka")]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use commerce_core::port::{PublishFailure, Publisher};
use commerce_events::{KafkaConfig, KafkaTarget};
use commerce_testkit::suite::publisher::message;

const API_VERSIONS: i16 = 18;
const SASL_HANDSHAKE: i16 = 17;
const SASL_AUTHENTICATE: i16 = 36;
const SASL_AUTHENTICATION_FAILED: i16 = 58;

/// A request of the client: its kind, its number, and what follows the name of the client.
struct Request {
    kind: i16,
    number: [u8; 4],
    body: Vec<u8>,
}

fn read(stream: &mut TcpStream) -> io::Result<Request> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut bytes = vec![0; usize::try_from(u32::from_be_bytes(length)).expect("a length")];
    stream.read_exact(&mut bytes)?;
    let name = usize::from(u16::from_be_bytes([bytes[8], bytes[9]]));
    let kind = i16::from_be_bytes([bytes[0], bytes[1]]);
    let number = [bytes[4], bytes[5], bytes[6], bytes[7]];
    Ok(Request { kind, number, body: bytes.split_off(10 + name) })
}

fn answer(stream: &mut TcpStream, number: [u8; 4], body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len() + 4).expect("short");
    stream.write_all(&[&length.to_be_bytes()[..], &number, body].concat())
}

/// The third version of the answer, which the client asks for first.
fn api_versions() -> Vec<u8> {
    let versions = [(API_VERSIONS, 3), (SASL_HANDSHAKE, 1), (SASL_AUTHENTICATE, 0), (3, 1), (22, 0)];
    let mut body = vec![0, 0, u8::try_from(versions.len() + 1).expect("few")];
    for (kind, newest) in versions {
        body.extend([kind.to_be_bytes(), [0, 0], i16::to_be_bytes(newest)].concat());
        body.push(0);
    }
    body.extend([0; 5]);
    body
}

fn refusal(reason: &str) -> Vec<u8> {
    let length = u16::try_from(reason.len()).expect("short");
    [&SASL_AUTHENTICATION_FAILED.to_be_bytes()[..], &length.to_be_bytes(), reason.as_bytes(), &[0; 4]].concat()
}

/// Refuses every password, and tells the test what it was.
fn serve(mut stream: TcpStream, reason: &str, said: &mpsc::Sender<Vec<u8>>) -> io::Result<()> {
    loop {
        let request = read(&mut stream)?;
        let body = match request.kind {
            API_VERSIONS => api_versions(),
            SASL_HANDSHAKE => [&[0, 0, 0, 0, 0, 1, 0, 5][..], b"PLAIN"].concat(),
            SASL_AUTHENTICATE => {
                said.send(request.body[4..].to_vec()).ok();
                refusal(reason)
            }
            _ => return Ok(()),
        };
        answer(&mut stream, request.number, &body)?;
    }
}

fn broker(reason: &'static str) -> (u16, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (port, (said, heard)) = (listener.local_addr().expect("its port").port(), mpsc::channel());
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(serve(stream, reason, &said))));
    (port, heard)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_password_is_sent_as_it_is_and_what_the_broker_says_is_told_on_one_line() {
    let (port, heard) = broker("no such user\r\n{\"level\":\"ERROR\"}\u{1b}[2J");
    let url = format!("kafka://shop:h%40sh%3Ahush@127.0.0.1:{port}");
    let config = KafkaConfig { url, topic: "commerce".to_owned(), ca_file: None };
    let target = KafkaTarget::new(config).expect("an address");
    let error = target.publish(&[message("order/1", 1)]).await.expect_err("refused");
    assert_eq!(heard.try_recv().expect("a login"), b"\0shop\0h@sh:hush");
    let PublishFailure::Unavailable(reason) = &error.failure else { panic!("{error}") };
    assert!(reason.contains("no such user"), "{reason}");
    assert!(!reason.contains(char::is_control) && !reason.contains("hush"), "{reason:?}");
}
