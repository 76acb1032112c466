//! Fuzzers of what comes from outside: documents, cursors, tokens, keys, headers and queries. `commerce_testkit::fuzz` says how to
//! set them.
//!
//! Whatever comes, there is no panic and no answer of 5xx, and nothing takes long. `tests/corpus` keeps inputs that broke
//! something, and starting points.

#![allow(clippy::expect_used, reason = "a test says what it expects")]

mod pricing;
mod shop;
mod tune;

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use commerce_http::auth::{Auth, VerifyingKey};
use commerce_http::contract::{Contract, ContractSettings};
use commerce_testkit::Random;
use commerce_testkit::fuzz::{self, Mutate, Target, fuzz};
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, COOKIE, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderName, HeaderValue};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use self::shop::{SECRET, Shop};

/// The length of the longest claims that are signed.
const MAX_SIGNED: usize = 16 * 1024;

fn corpus(parser: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus")).join(parser)
}

fn run(parser: &str, seeds: &[&str], mutate: Mutate, parse: impl FnMut(&[u8]) -> bool) {
    let seeds = seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    fuzz(Target { corpus: &corpus(parser), seeds, mutate, limit: None }, parse);
}

#[test]
fn no_body_breaks_a_route() {
    let mut shop = Shop::open();
    let mut seeds = shop.requests();
    // Quotes may take longer. Pricing has a fuzzer of its own.
    seeds.retain(|seed| !seed.starts_with(b"POST /v1/quotes"));
    assert!(seeds.len() > 25, "{}", seeds.len());
    let target = Target { corpus: &corpus("bodies"), seeds, mutate: request, limit: None };
    fuzz(target, |input| sent(&mut shop, input));
}

#[test]
fn no_promotion_breaks_its_reader() {
    let mut shop = Shop::open();
    let is_of_promotions = |seed: &Vec<u8>| seed.windows(8).any(|part| part == b"/v1/prom");
    let seeds = shop.requests().into_iter().filter(is_of_promotions).collect();
    let target = Target { corpus: &corpus("promotions"), seeds, mutate: request, limit: None };
    fuzz(target, |input| sent(&mut shop, input));
}

/// The translation of a contract costs no more than the document itself.
#[test]
fn no_body_breaks_a_contract() {
    let settings = ContractSettings {
        contract: Some("vy-commerce".to_owned()),
        prefixes: Some(vec!["/v1".to_owned()]),
        ..ContractSettings::default()
    };
    let mut shop = Shop::with(Some(Contract::new(settings).expect("a contract")));
    let mut seeds = shop.requests();
    seeds.retain(|seed| !seed.starts_with(b"POST /v1/quotes"));
    assert!(seeds.len() > 25, "{}", seeds.len());
    let target = Target { corpus: &corpus("contract_bodies"), seeds, mutate: request, limit: None };
    fuzz(target, |input| sent(&mut shop, input));
}

/// Sends the method, the path and the body of an input.
fn sent(shop: &mut Shop, input: &[u8]) -> bool {
    let (line, body) = split(input);
    let Some((method, path)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(' ')) else {
        return false;
    };
    shop.ask(method, path, &[], body).is_some_and(|status| status.is_success())
}

/// Another body for a path.
fn request(pool: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let (line, body) = split(fuzz::pick::<Vec<u8>>(pool, random));
    let other = split(fuzz::pick::<Vec<u8>>(pool, random)).1;
    let bodies = [body.to_vec(), body.to_vec(), body.to_vec(), other.to_vec()];
    [line, b"\n", &fuzz::json(&bodies, random)].concat()
}

fn split(input: &[u8]) -> (&[u8], &[u8]) {
    let at = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    (&input[..at], input.get(at + 1..).unwrap_or_default())
}

/// Also places that nobody was given, with a digest that is right.
#[test]
fn no_cursor_breaks_a_list() {
    let mut shop = Shop::open();
    let lists =
        [("orders", "/v1/orders"), ("carts", "/v1/carts"), ("products", "/v1/products"), ("tasks", "/v1/tasks")];
    let seeds = [
        "\"019b76da-a811-7000-8000-000000000001\"",
        "\"mug\"",
        "7",
        "[\"expire_order\",\"x\"]",
        "{\"id\":\"a\",\"at\":1}",
    ];
    let mut lists = lists.iter().cycle();
    run("cursors", &seeds, fuzz::bytes, |input| {
        let (kind, path) = lists.next().expect("it cycles");
        let digest = Sha256::new().chain_update(kind).chain_update([0]).chain_update(input).finalize();
        let sealed = URL_SAFE_NO_PAD.encode([&digest[..6], input].concat());
        let raw = percent_encoding::percent_encode(input, percent_encoding::NON_ALPHANUMERIC);
        shop.ask("GET", &format!("{path}?cursor={raw}"), &[], b"");
        shop.ask("GET", &format!("{path}?cursor={sealed}"), &[], b"").is_some_and(|status| status.is_success())
    });
}

#[test]
fn no_query_breaks_a_list() {
    let mut shop = Shop::open();
    let seeds = [
        "status=pending&from=2026-01-15T12:00:00Z&to=2026-02-15T12:00:00%2B01:00",
        "limit=5&user_id=ann&metadata.channel=web",
        "q=mug&category=kitchen&active=true",
        "at=2026-01-15T12:00:00Z&state=due&below_threshold=true&order_id=019b76da-a811-7000-8000-000000000001",
    ];
    let mut paths = ["/v1/orders", "/v1/products", "/v1/tasks", "/v1/inventory", "/v1/returns"].iter().cycle();
    run("queries", &seeds, fuzz::bytes, |input| {
        let Ok(query) = std::str::from_utf8(input) else { return false };
        let path = paths.next().expect("it cycles");
        shop.ask("GET", &format!("{path}?{query}"), &[], b"").is_some_and(|status| status.is_success())
    });
}

/// Also tokens with a signature that is right.
#[test]
fn no_token_breaks_the_check() {
    let mut shop = Shop::open();
    let claims = json!({ "sub": "ann", "roles": ["customer"], "exp": 4_000_000_000_u64, "nbf": 1, "iss": "shop", "aud": ["shop"] });
    let signed = |claims: &Value| {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(SECRET))
    };
    let seeds = [claims.to_string(), signed(&claims).expect("a token"), r#"{"alg":"HS256","crit":["b64"]}"#.to_owned()];
    run("tokens", &seeds.each_ref().map(String::as_str), fuzz::json, |input| {
        // The processor time of an input is also that of signing it.
        let claims = if input.len() <= MAX_SIGNED { input } else { b"" };
        let sealed = serde_json::from_slice(claims).ok().and_then(|claims: Value| signed(&claims).ok());
        let raw = String::from_utf8_lossy(input);
        let tokens = [Some(raw.into_owned()), sealed];
        let asked = |token: &String| {
            let bearer = HeaderValue::try_from(format!("Bearer {token}")).map(|value| (AUTHORIZATION, value));
            bearer.ok().and_then(|header| shop.ask("GET", "/v1/orders?limit=1", &[header], b""))
        };
        tokens.iter().flatten().filter_map(asked).any(|status| status.is_success())
    });
}

#[test]
fn no_key_set_breaks_its_reader() {
    let auth = Auth::new(vec![VerifyingKey::hs256(SECRET).expect("a key")]);
    let set = include_str!("../corpus/key_sets/all.json");
    run("key_sets", &[set], fuzz::json, |input| {
        std::str::from_utf8(input).is_ok_and(|document| auth.replace_jwks(document).is_ok())
    });
}

#[test]
fn no_condition_breaks_a_write() {
    let seeds = ["\"1\"", "\"3\", W/\"4\"", "*", "\"18446744073709551615\"", "abc"];
    header("if_match", &IF_MATCH, ("PATCH", "/v1/carts/{id}"), &seeds);
}

#[test]
fn no_negated_condition_breaks_a_write() {
    header("if_none_match", &IF_NONE_MATCH, ("PUT", "/v1/customers/{id}"), &["*", "\"1\"", "W/\"1\""]);
}

#[test]
fn no_idempotency_key_breaks_a_write() {
    let seeds = ["3d2f1c9e", "\"quoted\"", "\"a\\\"b\"", "ключ"];
    header("idempotency_keys", &HeaderName::from_static("idempotency-key"), ("POST", "/v1/carts"), &seeds);
}

#[test]
fn no_coding_breaks_an_answer() {
    let seeds = ["gzip", "gzip;q=0, *;q=0.5", "identity;q=0", "br, deflate, gzip;q=1.000"];
    header("codings", &ACCEPT_ENCODING, ("GET", "/v1/orders/{id}"), &seeds);
}

#[test]
fn no_cookie_breaks_the_check() {
    let seeds = ["session=a.b.c", "a=1; session=\"x\"; b", "=;session=;;"];
    header("cookies", &COOKIE, ("GET", "/v1/products"), &seeds);
}

/// Sends requests with a header.
fn header(parser: &str, name: &HeaderName, (method, path): (&str, &str), seeds: &[&str]) {
    let mut shop = Shop::open();
    run(parser, seeds, fuzz::bytes, |input| {
        let Ok(value) = HeaderValue::from_bytes(input) else { return false };
        let asked = shop.ask(method, path, &[(name.clone(), value)], b"{}");
        asked.is_some_and(|status| status.is_success())
    });
}
