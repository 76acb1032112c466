//! What holds of every request, whatever it asks.

use std::io::Read;

use http::Method;
use serde_json::json;

use super::shop::Shop;

#[tokio::test]
async fn an_unknown_route_is_not_found() {
    let shop = Shop::open().await;
    for path in ["/v1", "/v1/cart", "/v2/carts", "/v1/carts/", "/carts", "/v1/webhooks", "//v1/carts"] {
        shop.guest().get(path).send().await.problem(404, "route_not_found");
    }
}

#[tokio::test]
async fn an_unknown_method_says_which_are_known() {
    let shop = Shop::open().await;
    let known = [
        ("/v1/carts", "GET, HEAD, POST"),
        ("/v1/orders", "GET, HEAD, POST"),
        ("/v1/orders/x", "DELETE, GET, HEAD, PATCH"),
        ("/v1/inventory/x", "GET, HEAD, PUT"),
        ("/v1/promos/x", "DELETE, GET, HEAD, PATCH"),
        ("/v1/promos/validate", "POST"),
        ("/healthz", "GET, HEAD"),
    ];
    for (path, allow) in known {
        for method in ["OPTIONS", "TRACE", "BREW"] {
            let reply = shop.guest().ask(Method::from_bytes(method.as_bytes()).unwrap(), path).send().await;
            reply.problem(405, "method_not_allowed");
            assert_eq!(reply.header("allow"), allow);
        }
    }
}

#[tokio::test]
async fn head_answers_as_get_without_the_body() {
    let shop = Shop::open().await;
    let head = shop.guest().ask(Method::HEAD, "/v1/products/MUG").send().await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(head.header("etag"), shop.guest().get("/v1/products/MUG").send().await.header("etag"));
}

#[tokio::test]
async fn another_content_type_is_refused() {
    let shop = Shop::open().await;
    let body = json!({ "currency": "USD" }).to_string();
    let quote =
        |content_type: &str| shop.admin().ask(Method::POST, "/v1/quotes").bytes(content_type, body.as_bytes()).send();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", ""] {
        quote(content_type).await.problem(415, "unsupported_media_type");
    }
    for content_type in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.shop+json"] {
        quote(content_type).await.problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn a_compressed_body_is_refused() {
    let shop = Shop::open().await;
    let body = json!({ "currency": "USD" });
    for coding in ["gzip", "br", "identity, gzip", ""] {
        let reply = shop.admin().post("/v1/quotes", &body).header("content-encoding", coding).send().await;
        reply.problem(415, "unsupported_content_encoding");
        assert_eq!(reply.header("accept-encoding"), "identity");
    }
    let plain = shop.admin().post("/v1/quotes", &body).header("content-encoding", "Identity").send().await;
    plain.problem(422, "validation_failed");
}

#[tokio::test]
async fn a_request_has_an_id() {
    let shop = Shop::open().await;
    let own = shop.guest().get("/v1/orders").header("x-request-id", "my-request-1").send().await;
    assert_eq!(own.problem(401, "unauthenticated")["request_id"], "my-request-1");
    let (one, two) = (shop.guest().get("/healthz").send().await, shop.guest().get("/healthz").send().await);
    assert_eq!(one.header("x-request-id").len(), 36);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
    for odd in ["a b", "", &"x".repeat(129)] {
        let reply = shop.guest().get("/healthz").header("x-request-id", odd).send().await;
        assert_ne!(reply.header("x-request-id"), odd);
    }
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_take_it() {
    let shop = Shop::open().await;
    let plain = shop.guest().get("/openapi.json").send().await;
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "accept-encoding"));
    for accepted in ["gzip", "br, gzip;q=0.8", "GZIP"] {
        let zipped = shop.guest().get("/openapi.json").header("accept-encoding", accepted).send().await;
        assert_eq!((zipped.header("content-encoding"), zipped.header("vary")), ("gzip", "accept-encoding"));
        let mut body = Vec::new();
        flate2::read::GzDecoder::new(&zipped.body[..]).read_to_end(&mut body).unwrap();
        assert!(body == plain.body && zipped.body.len() < body.len() / 4);
    }
    for accepted in ["br", "gzip;q=0", "gzip; Q=0.0", "identity"] {
        let reply = shop.guest().get("/openapi.json").header("accept-encoding", accepted).send().await;
        assert_eq!((reply.header("content-encoding"), reply.header("vary")), ("", "accept-encoding"));
    }
    let short = shop.guest().get("/healthz").header("accept-encoding", "gzip").send().await;
    assert_eq!((short.header("content-encoding"), short.header("vary")), ("", "accept-encoding"), "it could be long");
}

#[tokio::test]
async fn answers_are_not_kept_by_caches() {
    let shop = Shop::open().await;
    let reply = shop.ann().get("/v1/orders").send().await;
    assert_eq!((reply.header("cache-control"), reply.header("x-content-type-options")), ("no-store", "nosniff"));
}
