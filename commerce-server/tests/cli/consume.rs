//! Events of another system that come as webhooks while the program is killed.

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use commerce_core::actor::Role;
use commerce_outbound::standard::sign;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::home::Home;
use crate::running::{Caller, PATIENCE, Server, fail, stocked, succeed};

const SETTINGS: &str = "[consume.warehouse]\nkind = \"webhook\"\nsecret_file = \"warehouse\"\n\
                        types = { \"units.moved\" = \"stock.delta\" }\n";
/// The old secret and the new one.
const SECRETS: [&[u8]; 2] = [b"the old secret of the warehouse", b"the new secret of the warehouse"];
/// How many changes are sent, each until it is taken and then once more.
const CHANGES: usize = 60;
/// How often the program is killed meanwhile.
const KILLS: usize = 3;

fn home() -> Home {
    let home = stocked(&[("mug", 10)]);
    let secrets = SECRETS.map(|secret| format!("whsec_{}\n", STANDARD.encode(secret))).concat();
    fs::write(home.path().join("warehouse"), secrets).expect("written");
    fs::write(home.path().join("shop.toml"), SETTINGS).expect("written");
    home
}

fn start(home: &Home) -> Server {
    Server::start(home.path(), &["--config", "shop.toml"])
}

fn change(number: usize) -> Vec<u8> {
    let event = json!({
        "specversion": "1.0", "id": format!("e{number}"), "source": "urn:warehouse", "type": "units.moved",
        "time": "2026-01-02T03:04:05Z", "data": { "sku": "mug", "delta": 1, "key": format!("k{number}") },
    });
    event.to_string().into_bytes()
}

type Sender = Client<HttpConnector, Full<Bytes>>;

/// The status and the document of the answer. `None` if there was none.
async fn send(sender: &Sender, address: SocketAddr, secret: &[u8], body: &[u8]) -> Option<(u16, Value)> {
    let now = chrono::Utc::now().timestamp();
    let request = Request::post(format!("http://{address}/v1/inbox/warehouse"))
        .header("content-type", "application/cloudevents+json")
        .header("webhook-id", "msg")
        .header("webhook-timestamp", now.to_string())
        .header("webhook-signature", sign([secret], "msg", now, body))
        .body(Full::from(body.to_vec()))
        .expect("a request");
    let answer = tokio::time::timeout(PATIENCE, sender.request(request)).await.ok()?.ok()?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.ok()?.to_bytes();
    Some((status, serde_json::from_slice(&body).unwrap_or_default()))
}

#[tokio::test]
async fn changes_are_taken_once_while_the_program_is_killed() {
    let home = home();
    let sender: Sender = Client::builder(TokioExecutor::new()).build_http();
    let mut server = start(&home);
    for number in 0..CHANGES {
        let (body, secret) = (change(number), SECRETS[number % 2]);
        if number % (CHANGES / KILLS) == 1 {
            let (address, sender, body) = (server.address, sender.clone(), body.clone());
            let sending = tokio::spawn(async move { send(&sender, address, secret, &body).await });
            tokio::time::sleep(Duration::from_millis(u64::try_from(number).unwrap_or_default() % 7)).await;
            server.kill();
            sending.await.expect("it does not panic");
            server = start(&home);
        }
        let begun = Instant::now();
        while send(&sender, server.address, secret, &body).await.is_none_or(|(status, _)| status != 200) {
            assert!(begun.elapsed() < PATIENCE, "it is taken");
        }
        let again = send(&sender, server.address, secret, &body).await.expect("an answer");
        assert_eq!(again, (200, json!({ "outcome": "duplicate" })));
    }
    let admin = Caller::guest(server.address).acting(home.path(), "root", Role::Admin);
    assert_eq!(admin.get("/v1/inventory/mug").await.body["on_hand"], 10 + CHANGES);
    let (status, problem) = send(&sender, server.address, b"some other secret", &change(0)).await.expect("an answer");
    assert_eq!((status, &problem["code"]), (401, &json!("invalid_signature")));
    let (status, receipt) = send(&sender, server.address, SECRETS[0], b"[1]").await.expect("an answer");
    assert_eq!((status, receipt), (200, json!({ "outcome": "dead_lettered" })));
    let letters = admin.get("/v1/dead-letters").await.body;
    assert_eq!((&letters["items"][0]["body"], letters["items"].as_array().map(Vec::len)), (&json!("[1]"), Some(1)));
    drop(server);
    assert!(succeed(home.path(), &["replay", "--verify"]).contains("the tables agree with the events"));
}

#[test]
fn sources_that_could_not_work_are_refused() {
    let home = home();
    let refused = [
        ("kind = \"webhook\"\ntypes = { a = \"stock.level\" }\n", "warehouse: secret_file is missing"),
        ("kind = \"webhook\"\nsecret_file = \"warehouse\"\ntypes = {}\n", "types is empty"),
        ("kind = \"webhook\"\nsecret_file = \"warehouse\"\ntypes = { a = \"b\" }\n", "a type must be one of"),
        ("kind = \"webhook\"\nsecret_file = \"short\"\ntypes = { a = \"stock.level\" }\n", "whsec_ and base64"),
    ];
    fs::write(home.path().join("short"), "whsec_c2hvcnQ=\n").expect("written");
    for (section, words) in refused {
        fs::write(home.path().join("bad.toml"), format!("[consume.warehouse]\n{section}")).expect("written");
        fail(home.path(), &["--config", "bad.toml"], 1, words);
    }
}
