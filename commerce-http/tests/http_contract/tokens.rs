//! Who is let in, and who is not.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use commerce_core::actor::Role;
use commerce_http::Options;
use commerce_http::auth::{Auth, Claims, MAX_JWKS, VerifyingKey, mint, mint_claims};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::shop::{Plan, SECRET, Shop};

const RSA_PRIVATE: &str = include_str!("keys/rsa.pem");
const RSA_PUBLIC: &str = include_str!("keys/rsa.pub.pem");
const EC_PRIVATE: &str = include_str!("keys/ec.pem");
const EC_PUBLIC: &str = include_str!("keys/ec.pub.pem");
const ED_PRIVATE: &str = include_str!("keys/ed.pem");
const ED_PUBLIC: &str = include_str!("keys/ed.pub.pem");

fn claims(sub: &str, roles: &[&str]) -> Claims {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    Claims { sub: sub.to_owned(), roles, exp: jsonwebtoken::get_current_timestamp() + 600, iss: None, aud: None }
}

fn ann() -> Claims {
    claims("ann", &["customer"])
}

fn signed(claims: &Claims) -> String {
    mint_claims(SECRET, claims).unwrap()
}

async fn shop_of(auth: Auth) -> Shop {
    Shop::empty(Plan { options: Options::new(auth), ..Plan::default() }).await
}

#[track_caller]
fn check_challenge(reply: &super::shop::Reply) {
    assert!(reply.header("www-authenticate").starts_with("Bearer "), "{reply:?}");
}

#[tokio::test]
async fn a_guest_reaches_the_catalog_only() {
    let shop = Shop::open().await;
    let guest = shop.guest();
    for path in ["/v1/products", "/v1/products/MUG", "/v1/products/MUG/variants", "/v1/categories", "/healthz"] {
        guest.get(path).send().await.expect(200);
    }
    for path in ["/v1/orders", "/v1/carts/1", "/v1/inventory", "/v1/inventory/MUG", "/v1/products/MUG/inventory"] {
        let reply = guest.get(path).send().await;
        reply.problem(401, "unauthenticated");
        check_challenge(&reply);
    }
    for path in ["/v1/carts", "/v1/checkouts", "/v1/orders", "/v1/quotes", "/v1/products"] {
        guest.post(path, &json!({})).send().await.problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn a_bad_token_is_refused_even_where_guests_may_ask() {
    let shop = Shop::open().await;
    for token in ["", "x", "a.b.c", "null"] {
        let reply = shop.with_token(token).get("/v1/products").send().await;
        reply.problem(401, "invalid_token");
        check_challenge(&reply);
    }
    let basic = shop.guest().get("/v1/products").header("authorization", "Basic YW5uOmFubg==");
    basic.send().await.problem(401, "invalid_token");
}

#[tokio::test]
async fn a_long_token_is_not_read() {
    let shop = Shop::open().await;
    let long = signed(&Claims { iss: Some("x".repeat(16 * 1024)), ..ann() });
    let problem = shop.with_token(&long).get("/v1/orders").send().await.problem(401, "invalid_token");
    assert_eq!(problem["detail"], "The token is longer than 16 KiB.");
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let shop = Shop::open().await;
    let expired = signed(&Claims { exp: jsonwebtoken::get_current_timestamp() - 60, ..ann() });
    shop.with_token(&expired).get("/v1/orders").send().await.problem(401, "token_expired");
}

#[tokio::test]
async fn a_token_without_an_end_or_a_user_is_refused() {
    let shop = Shop::open().await;
    let sign = |claims: &Value| encode(&Header::default(), claims, &EncodingKey::from_secret(SECRET)).unwrap();
    let exp = jsonwebtoken::get_current_timestamp() + 600;
    let bad = [
        json!({ "sub": "ann", "roles": ["customer"] }),
        json!({ "roles": ["customer"], "exp": exp }),
        json!({ "sub": "", "roles": ["customer"], "exp": exp }),
        json!({ "sub": "x".repeat(65), "roles": ["customer"], "exp": exp }),
        json!({ "sub": "ann", "roles": "admin", "exp": exp }),
        json!({ "sub": "ann", "roles": ["customer"], "exp": exp, "nbf": exp }),
        json!({ "sub": "ann", "roles": ["customer"], "exp": "tomorrow" }),
    ];
    for claims in bad {
        let reply = shop.with_token(&sign(&claims)).get("/v1/orders").send().await;
        assert_eq!(reply.expect(401)["code"], "invalid_token", "{claims}");
    }
}

#[tokio::test]
async fn a_forged_token_is_refused() {
    let shop = Shop::open().await;
    let foreign = mint(b"another secret that is long enough too", "ann", Role::Admin, Duration::from_secs(60)).unwrap();
    shop.with_token(&foreign).get("/v1/orders").send().await.problem(401, "invalid_token");
    let token = signed(&ann());
    let [head, _, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let raised = BASE64.encode(serde_json::to_vec(&claims("ann", &["admin"])).unwrap());
    shop.with_token(&format!("{head}.{raised}.{signature}"))
        .get("/v1/orders")
        .send()
        .await
        .problem(401, "invalid_token");
}

#[tokio::test]
async fn a_token_that_names_no_algorithm_is_refused() {
    let shop = Shop::open().await;
    let payload = BASE64.encode(serde_json::to_vec(&claims("root", &["admin"])).unwrap());
    for alg in ["none", "None", "NONE", "", "HS512", "HS384", "PS256"] {
        let head = BASE64.encode(json!({ "alg": alg, "typ": "JWT" }).to_string());
        for signature in ["", "x"] {
            let token = format!("{head}.{payload}.{signature}");
            shop.with_token(&token).get("/v1/orders").send().await.problem(401, "invalid_token");
        }
    }
}

#[tokio::test]
async fn a_public_key_is_no_secret() {
    let shop = shop_of(Auth::new(vec![VerifyingKey::pem(RSA_PUBLIC).unwrap()])).await;
    let confused = encode(&Header::default(), &ann(), &EncodingKey::from_secret(RSA_PUBLIC.as_bytes())).unwrap();
    shop.with_token(&confused).get("/v1/orders").send().await.problem(401, "invalid_token");
    assert!(VerifyingKey::hs256(RSA_PUBLIC.as_bytes()).is_err());
    assert!(VerifyingKey::hs256(b"short").is_err());
}

#[tokio::test]
async fn a_foreign_audience_or_issuer_is_refused() {
    let auth = Auth::new(vec![VerifyingKey::hs256(SECRET).unwrap()]).with_audience("shop").with_issuer("house");
    let shop = shop_of(auth).await;
    let named = |iss: Option<&str>, aud: Option<&str>| {
        signed(&Claims { iss: iss.map(str::to_owned), aud: aud.map(str::to_owned), ..ann() })
    };
    shop.with_token(&named(Some("house"), Some("shop"))).get("/v1/orders").send().await.expect(200);
    for (iss, aud) in
        [(Some("house"), Some("bank")), (Some("street"), Some("shop")), (None, Some("shop")), (Some("house"), None)]
    {
        shop.with_token(&named(iss, aud)).get("/v1/orders").send().await.problem(401, "invalid_token");
    }
}

#[tokio::test]
async fn no_token_is_the_engine_itself() {
    let shop = Shop::open().await;
    for roles in [&["system"][..], &[], &["Admin"], &["poet"]] {
        shop.with_token(&signed(&claims("ann", roles))).get("/v1/orders").send().await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn of_several_roles_the_one_that_may_most_counts() {
    let shop = Shop::open().await;
    let both = signed(&claims("root", &["customer", "admin"]));
    shop.with_token(&both).get("/v1/inventory").send().await.expect(200);
}

#[tokio::test]
async fn the_session_cookie_carries_a_token_too() {
    let shop = Shop::open().await;
    let cookie = format!("theme=dark; session={}; lang=en", signed(&ann()));
    shop.guest().get("/v1/orders").header("cookie", &cookie).send().await.expect(200);
    shop.guest().get("/v1/orders").header("cookie", "session=x").send().await.problem(401, "invalid_token");
    shop.guest().post("/v1/carts", &json!({})).header("cookie", "session=x").send().await.problem(401, "invalid_token");
    let post = shop.guest().post("/v1/carts", &json!({})).header("cookie", &cookie);
    post.clone().header("sec-fetch-site", "same-origin").send().await.expect(201);
    for site in ["cross-site", "same-site"] {
        post.clone().header("sec-fetch-site", site).send().await.problem(403, "forbidden");
    }
    for origin in ["https://evil.example", "null"] {
        post.clone().header("host", "shop.example").header("origin", origin).send().await.problem(403, "forbidden");
    }
    post.header("host", "shop.example").header("origin", "https://shop.example").send().await.expect(200);
}

/// Cookies do not know ports: another program on the host may use the name `session`.
#[tokio::test]
async fn a_foreign_cookie_does_not_shut_out_guests() {
    let shop = Shop::open().await;
    for path in ["/docs/", "/healthz", "/readyz", "/openapi.json", "/v1/products", "/v1/categories"] {
        let answer = shop.guest().get(path).header("cookie", "session=eyJhIjoxfQ.aa.bb").send().await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn a_token_with_critical_extensions_is_refused() {
    let header = Header { crit: Some(vec!["b64".to_owned()]), ..Header::new(Algorithm::HS256) };
    let token = encode(&header, &ann(), &EncodingKey::from_secret(SECRET)).unwrap();
    Shop::open().await.with_token(&token).get("/v1/orders").send().await.problem(401, "invalid_token");
}

#[tokio::test]
async fn a_token_has_one_issuer() {
    let shop = shop_of(Auth::new(vec![VerifyingKey::hs256(SECRET).unwrap()]).with_issuer("shop")).await;
    let token = |issuer: Value| {
        let mut claims = serde_json::to_value(ann()).unwrap();
        claims["iss"] = issuer;
        encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(SECRET)).unwrap()
    };
    shop.with_token(&token(json!("shop"))).get("/v1/orders").send().await.expect(200);
    shop.with_token(&token(json!(["shop", "evil"]))).get("/v1/orders").send().await.problem(401, "invalid_token");
}

#[tokio::test]
async fn every_kind_of_key_lets_its_own_tokens_in() {
    let auth = Auth::new(vec![
        VerifyingKey::pem(RSA_PUBLIC).unwrap(),
        VerifyingKey::pem(EC_PUBLIC).unwrap(),
        VerifyingKey::pem(ED_PUBLIC).unwrap().with_kid("ed-1"),
    ]);
    let shop = shop_of(auth).await;
    let keys = [
        (Algorithm::RS256, EncodingKey::from_rsa_pem(RSA_PRIVATE.as_bytes()).unwrap()),
        (Algorithm::ES256, EncodingKey::from_ec_pem(EC_PRIVATE.as_bytes()).unwrap()),
        (Algorithm::EdDSA, EncodingKey::from_ed_pem(ED_PRIVATE.as_bytes()).unwrap()),
    ];
    for (algorithm, key) in &keys {
        let token = encode(&Header::new(*algorithm), &ann(), key).unwrap();
        shop.with_token(&token).get("/v1/orders").send().await.expect(200);
    }
    let named = Header { kid: Some("ed-2".to_owned()), ..Header::new(Algorithm::EdDSA) };
    let token = encode(&named, &ann(), &keys[2].1).unwrap();
    shop.with_token(&token).get("/v1/orders").send().await.problem(401, "invalid_token");
}

#[tokio::test]
async fn published_keys_are_taken_and_replaced() {
    let auth = Auth::new(Vec::new());
    let shop = shop_of(auth.clone()).await;
    let key = EncodingKey::from_ed_pem(ED_PRIVATE.as_bytes()).unwrap();
    let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::EdDSA) };
    let client = shop.with_token(&encode(&header, &ann(), &key).unwrap());
    client.get("/v1/orders").send().await.problem(401, "invalid_token");
    let x = include_str!("keys/ed.x").trim();
    let document = |kid: &str| {
        json!({ "keys": [
            { "kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "use": "sig", "alg": "EdDSA" },
            { "kty": "oct", "k": "c2VjcmV0", "kid": "k2" },
        ] })
        .to_string()
    };
    auth.replace_jwks(&document("k1")).unwrap();
    client.get("/v1/orders").send().await.expect(200);
    assert!(auth.replace_jwks("{").is_err());
    let useless = json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0", "kid": "k2" }] }).to_string();
    assert!(auth.replace_jwks(&useless).is_err() && auth.replace_jwks("{\"keys\":[]}").is_err());
    client.get("/v1/orders").send().await.expect(200);
    auth.replace_jwks(&document("k3")).unwrap();
    client.get("/v1/orders").send().await.problem(401, "invalid_token");
}

#[test]
fn a_document_of_keys_has_a_limited_size() {
    let document = |bytes| format!("{{\"keys\":[]{}}}", " ".repeat(bytes - 11));
    assert!(VerifyingKey::from_jwks(&document(MAX_JWKS)).is_ok());
    let refused = VerifyingKey::from_jwks(&document(MAX_JWKS + 1)).unwrap_err();
    assert_eq!(refused.to_string(), "a JWKS document has at most 32768 bytes");
}
