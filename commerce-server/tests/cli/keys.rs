use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use http::StatusCode;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Value, json};

use crate::running::{Caller, PATIENCE, Server, directory, fail, stocked};

/// An Ed25519 key that guards nothing.
struct Key {
    id: &'static str,
    private: &'static str,
    public: &'static str,
    x: &'static str,
}

const OLD: Key = Key {
    id: "old",
    private: "MC4CAQAwBQYDK2VwBCIEIEIcjufECy/srAMs+KMX1FDdbriQn7pwdk8QwmVBMNTt",
    public: "MCowBQYDK2VwAyEAblxrhXM319dLlioh5ox4KAg38XQ5p5x8EU3Jw7c8H3U=",
    x: "blxrhXM319dLlioh5ox4KAg38XQ5p5x8EU3Jw7c8H3U",
};
const NEW: Key = Key {
    id: "new",
    private: "MC4CAQAwBQYDK2VwBCIEICOHBECn1b3HaTBx2vCYmkAPnTSynX0Xwl2+hhBMmP2F",
    public: "MCowBQYDK2VwAyEAv6UGV3uRQ9Y90nlGSXPm5o8XKw/XJX0BBb0wTcp9hOE=",
    x: "v6UGV3uRQ9Y90nlGSXPm5o8XKw_XJX0BBb0wTcp9hOE",
};

fn pem(kind: &str, base64: &str) -> String {
    format!("-----BEGIN {kind} KEY-----\n{base64}\n-----END {kind} KEY-----\n")
}

impl Key {
    fn token(&self) -> String {
        let header = Header { kid: Some(self.id.to_owned()), ..Header::new(Algorithm::EdDSA) };
        let claims = json!({ "sub": "ada", "roles": ["admin"], "exp": get_current_timestamp() + 600 });
        let key = EncodingKey::from_ed_pem(pem("PRIVATE", self.private).as_bytes()).expect("a key");
        encode(&header, &claims, &key).expect("a token")
    }

    fn document(&self) -> Value {
        json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": self.id, "x": self.x }] })
    }
}

/// What takes longer than a request waits for.
const SLOW: &str = "slow";

/// Publishes what is in the cell at the time.
fn publish(document: &Arc<Mutex<String>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let document = Arc::clone(document);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut buffer = [0; 4096];
            let _request = stream.read(&mut buffer);
            let body = document.lock().expect("no panic").clone();
            if body == SLOW {
                thread::sleep(Duration::from_secs(12));
            }
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all((head + &body).as_bytes()).ok();
        }
    });
    address
}

async fn status(server: &Server, key: &Key) -> StatusCode {
    Caller::guest(server.address).with_token(&key.token()).get("/v1/inventory/mug").await.status
}

#[tokio::test]
async fn published_keys_are_followed_as_they_change() {
    let directory = stocked(&[("mug", 1)]);
    let document = Arc::new(Mutex::new(OLD.document().to_string()));
    let file = directory.path().join("shop.toml");
    let url = format!("http://{}/keys", publish(&document));
    fs::write(&file, format!("[keys]\njwks_url = \"{url}\"\njwks_refresh = \"1s\"\n")).expect("written");
    let server = Server::start(directory.path(), &["--config", file.to_str().expect("text")]);
    assert_eq!(status(&server, &OLD).await, StatusCode::OK);
    assert_eq!(status(&server, &NEW).await, StatusCode::UNAUTHORIZED);
    *document.lock().expect("no panic") = NEW.document().to_string();
    let deadline = Instant::now() + PATIENCE;
    while status(&server, &NEW).await != StatusCode::OK {
        assert!(Instant::now() < deadline, "the new key is never believed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(status(&server, &OLD).await, StatusCode::UNAUTHORIZED);
    "broken".clone_into(&mut document.lock().expect("no panic"));
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(status(&server, &NEW).await, StatusCode::OK, "the last good keys stay");
    assert!(server.stop().log.contains("the previous ones stay"));
}

#[tokio::test]
async fn a_key_that_is_not_known_is_fetched_at_once_but_not_often() {
    let directory = stocked(&[("mug", 1)]);
    let document = Arc::new(Mutex::new(OLD.document().to_string()));
    let url = format!("http://{}/keys", publish(&document));
    fs::write(directory.path().join("shop.toml"), format!("[keys]\njwks_url = \"{url}\"\njwks_refresh = \"1h\"\n"))
        .expect("written");
    let server = Server::start(directory.path(), &["--config", "shop.toml"]);
    *document.lock().expect("no panic") = NEW.document().to_string();
    assert_eq!(status(&server, &NEW).await, StatusCode::OK, "the first request waits for the keys");
    *document.lock().expect("no panic") = OLD.document().to_string();
    assert_eq!(status(&server, &OLD).await, StatusCode::UNAUTHORIZED, "the keys were fetched just now");
}

#[tokio::test]
async fn a_key_that_is_not_known_costs_a_request_little_while_keys_are_slow_to_come() {
    let directory = stocked(&[("mug", 1)]);
    let document = Arc::new(Mutex::new(OLD.document().to_string()));
    let url = format!("http://{}/keys", publish(&document));
    fs::write(directory.path().join("shop.toml"), format!("[keys]\njwks_url = \"{url}\"\njwks_refresh = \"1h\"\n"))
        .expect("written");
    let server = Server::start(directory.path(), &["--config", "shop.toml"]);
    SLOW.clone_into(&mut document.lock().expect("no panic"));
    let began = Instant::now();
    assert_eq!(status(&server, &NEW).await, StatusCode::UNAUTHORIZED);
    assert!(began.elapsed() < Duration::from_millis(4_900), "{:?}", began.elapsed());
    assert_eq!(status(&server, &OLD).await, StatusCode::OK, "known keys need no fetch");
}

#[tokio::test]
async fn a_public_key_in_a_file_is_believed() {
    let directory = stocked(&[("mug", 1)]);
    fs::write(directory.path().join("key.pem"), pem("PUBLIC", OLD.public)).expect("written");
    let server = Server::start(directory.path(), &["--pem-file", "key.pem"]);
    assert_eq!(status(&server, &OLD).await, StatusCode::OK);
    assert_eq!(status(&server, &NEW).await, StatusCode::UNAUTHORIZED);
}

#[test]
fn keys_that_cannot_be_had_are_told_in_a_line() {
    let directory = directory();
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let start = ["--listen", "127.0.0.1:0"];
    let url = format!("http://{gone}/keys");
    fail(directory.path(), &[&start[..], &["--jwks-url", &url]].concat(), 1, "Connection refused");
    let long = publish(&Arc::new(Mutex::new("x".repeat(1_000_000))));
    let url = format!("http://{long}/keys");
    fail(directory.path(), &[&start[..], &["--jwks-url", &url]].concat(), 1, "more than");
    fs::write(directory.path().join("key.pem"), pem("PUBLIC", "AAAA")).expect("written");
    fail(directory.path(), &[&start[..], &["--pem-file", "key.pem"]].concat(), 1, "key.pem: not a public");
    fs::write(directory.path().join("keys.json"), "[]").expect("written");
    fail(directory.path(), &[&start[..], &["--jwks-file", "keys.json"]].concat(), 1, "keys.json: not a JWKS");
}
