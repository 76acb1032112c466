use std::fs;

use commerce_core::actor::Role;
use http::StatusCode;

use crate::running::{Caller, Server, directory, fail, stocked, succeed};

#[tokio::test]
async fn the_bare_token_opens_the_shop() {
    let directory = stocked(&[("mug", 1)]);
    let token = succeed(directory.path(), &["token", "--sub", "ada", "--role", "admin", "--lifetime", "15m"]);
    assert_eq!((token.lines().count(), token.trim().matches('.').count()), (1, 2));
    let server = Server::start(directory.path(), &[]);
    let guest = Caller::guest(server.address);
    assert_eq!(guest.get("/v1/inventory/mug").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(guest.with_token(token.trim()).get("/v1/inventory/mug").await.status, StatusCode::OK);
}

#[test]
fn what_is_no_user_or_role_is_refused() {
    let directory = directory();
    fail(directory.path(), &["token", "--sub", "ada"], 2, "--role");
    fail(directory.path(), &["token", "--role", "admin"], 2, "--sub");
    fail(directory.path(), &["token", "--sub", "ada", "--role", "system"], 2, "system");
    fail(directory.path(), &["token", "--sub", "", "--role", "admin"], 2, "is empty");
    fail(directory.path(), &["token", "--sub", "ada", "--role", "admin", "--lifetime", "soon"], 2, "a duration");
}

#[tokio::test]
async fn a_configured_secret_signs_with_its_claims() {
    let directory = stocked(&[("mug", 1)]);
    let secret = directory.path().join("secret");
    fs::write(&secret, "thirty-two bytes are long enough.\n").expect("written");
    let file = directory.path().join("shop.toml");
    fs::write(&file, "[keys]\nhs256_file = \"secret\"\nissuer = \"us\"\naudience = \"shop\"\n").expect("written");
    let config = ["--config", file.to_str().expect("text")];
    let token = succeed(directory.path(), &[&config[..], &["token", "--sub", "ada", "--role", "admin"]].concat());
    let server = Server::start(directory.path(), &config);
    let guest = Caller::guest(server.address);
    assert_eq!(guest.with_token(token.trim()).get("/v1/inventory/mug").await.status, StatusCode::OK);
    let development = guest.acting(directory.path(), "ada", Role::Admin);
    assert_eq!(development.get("/v1/inventory/mug").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.stop().stdout, "", "a configured shop gives no development advice");
}

#[test]
fn public_keys_sign_nothing() {
    let directory = directory();
    let keys = directory.path().join("keys.json");
    fs::write(&keys, "{\"keys\":[]}").expect("written");
    let keys = keys.to_str().expect("text");
    fail(directory.path(), &["--jwks-file", keys, "token", "--sub", "ada", "--role", "admin"], 1, "cannot be signed");
}
