//! TLS: that of the shop's own listener, and that of calls to a users service which asks for certificates and tokens.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use commerce_core::actor::Role;
use commerce_outbound::Outbound;
use commerce_outbound::tls::{CertificateFiles, Tls, authorities, provider};
use commerce_server::service_token::{ServiceTokens, TokenTerms};
use http::StatusCode;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ED25519, date_time_ymd};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::SingleCertAndKey;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::running::{Caller, PATIENCE, Server, commerce, directory, fail, order_of, stderr, stocked};

/// An authority that signs certificates for `localhost`.
struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    /// Writes the certificate of the authority to a file.
    fn new(directory: &Path, file: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        fs::write(directory.join(file), params.self_signed(&key).expect("a certificate").pem()).expect("written");
        Self(Issuer::new(params, key))
    }

    /// Writes a certificate and its key to two files, which end in a year.
    fn sign(&self, directory: &Path, name: &str, until: i32) -> CertificateFiles {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        params.not_after = date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        let files = CertificateFiles {
            certificate: directory.join(format!("{name}.pem")),
            key: directory.join(format!("{name}.key")),
        };
        fs::write(&files.certificate, certificate.pem()).expect("written");
        fs::write(&files.key, key.serialize_pem()).expect("written");
        files
    }
}

fn settings(directory: &Path, text: &str) {
    fs::write(directory.join("shop.toml"), text).expect("written");
}

/// The status of `/healthz` for a client that trusts an authority and shows a certificate.
async fn health(server: &Server, authority: &Path, own: Option<&CertificateFiles>) -> Result<StatusCode, String> {
    let tls = Tls::new(Some(authority), own).expect("certificates");
    let uri = format!("https://localhost:{}/healthz", server.address.port()).parse().expect("a URL");
    let answer = Outbound::with_tls(&tls, Duration::from_secs(10)).get(uri, 1024).await;
    answer.map(|answer| answer.status).map_err(|error| error.to_string())
}

#[tokio::test]
async fn clients_may_have_to_show_a_certificate() {
    let home = directory();
    let at = home.path();
    let (house, other) = (Authority::new(at, "house.pem"), Authority::new(at, "other.pem"));
    house.sign(at, "shop", 2100);
    let (friend, stranger) = (house.sign(at, "friend", 2100), other.sign(at, "stranger", 2100));
    let tls = "[tls]\ncertificate_file = \"shop.pem\"\nkey_file = \"shop.key\"\nclient_ca_file = \"house.pem\"\n";
    settings(at, tls);
    let server = Server::start(at, &["--config", "shop.toml"]);
    let house = at.join("house.pem");
    assert_eq!(health(&server, &house, Some(&friend)).await, Ok(StatusCode::OK));
    assert!(health(&server, &house, None).await.is_err(), "without a certificate");
    assert!(health(&server, &house, Some(&stranger)).await.is_err(), "of another authority");
    assert!(health(&server, &at.join("other.pem"), Some(&friend)).await.is_err(), "the shop is not of the other one");
    server.stop();
    settings(at, &format!("{tls}client_certificates = \"optional\"\n"));
    let server = Server::start(at, &["--config", "shop.toml"]);
    assert_eq!(health(&server, &house, None).await, Ok(StatusCode::OK));
    assert!(health(&server, &house, Some(&stranger)).await.is_err(), "of another authority");
}

#[tokio::test]
async fn certificates_are_replaced_while_the_shop_runs() {
    let home = directory();
    let at = home.path();
    let (old, new) = (Authority::new(at, "old.pem"), Authority::new(at, "new.pem"));
    old.sign(at, "shop", 2100);
    settings(at, "[tls]\ncertificate_file = \"shop.pem\"\nkey_file = \"shop.key\"\n");
    let server = Server::start(at, &["--config", "shop.toml"]);
    let (old, new_file) = (at.join("old.pem"), at.join("new.pem"));
    assert_eq!(health(&server, &old, None).await, Ok(StatusCode::OK));
    new.sign(at, "shop", 2100);
    hang_up(&server);
    let deadline = Instant::now() + PATIENCE;
    while health(&server, &new_file, None).await != Ok(StatusCode::OK) {
        assert!(Instant::now() < deadline, "the new certificate is never shown");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(health(&server, &old, None).await.is_err());
    fs::write(at.join("shop.key"), "no key").expect("written");
    hang_up(&server);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(health(&server, &new_file, None).await, Ok(StatusCode::OK), "the last good one stays");
    let log = server.stop().log;
    assert!(log.contains("the previous ones stay") && log.contains("shop.key"), "{log}");
}

fn hang_up(server: &Server) {
    let told = Command::new("kill").arg("-HUP").arg(server.pid().to_string()).status();
    assert!(told.expect("kill runs").success());
}

#[test]
fn certificates_that_cannot_be_used_are_told_in_a_line() {
    let home = directory();
    let at = home.path();
    let house = Authority::new(at, "house.pem");
    house.sign(at, "shop", 2100);
    house.sign(at, "other", 2100);
    house.sign(at, "past", 2001);
    fs::write(at.join("letter.pem"), "Dear Ann,").expect("written");
    let start = ["--config", "shop.toml", "--listen", "127.0.0.1:0"];
    for (certificate, key, words) in [
        ("shop.pem", "other.key", "other.key: it is not the key of the certificate"),
        ("past.pem", "past.key", "past.pem: the certificate has expired"),
        ("letter.pem", "shop.key", "letter.pem: it contains no certificate"),
        ("shop.pem", "letter.pem", "letter.pem: it contains no private key"),
        ("nowhere.pem", "shop.key", "nowhere.pem: No such file"),
    ] {
        for section in ["tls", "outgoing"] {
            settings(at, &format!("[{section}]\ncertificate_file = \"{certificate}\"\nkey_file = \"{key}\"\n"));
            fail(at, &start, 1, words);
        }
    }
    settings(at, "[tls]\ncertificate_file = \"shop.pem\"\n");
    fail(at, &start, 1, "belong together");
    settings(at, "[tls]\nclient_ca_file = \"house.pem\"\n");
    fail(at, &start, 1, "needs certificate_file");
    settings(at, "[users]\nurl = \"http://users\"\nsigning_key_file = \"shop.pem\"\naudience = \"users\"\n");
    fail(at, &start, 1, "not a private key in PEM (PKCS#8)");
    settings(at, "[users]\nurl = \"http://users\"\nsigning_key_file = \"shop.key\"\n");
    fail(at, &start, 1, "users.audience");
    settings(at, "[users]\nurl = \"http://users\"\nsigning_key_file = \"shop.key\"\naudience = \"users\"\n");
    let mut command = commerce(at);
    let output = command.args(start).env("COMMERCE_USERS_TOKEN", "hush-hush").output().expect("it runs");
    let said = stderr(&output);
    assert!(output.status.code() == Some(1) && said.contains("COMMERCE_USERS_TOKEN and signing_key_file"), "{said}");
    assert!(!said.contains("hush"), "{said}");
}

/// A users service that demands a certificate of an authority, and what it was sent.
fn users_service(own: &CertificateFiles, clients: &Path) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let roots = Arc::new(authorities(clients).expect("an authority"));
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build().expect("a verifier");
    let config = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_client_cert_verifier(verifier);
    let own = SingleCertAndKey::from(own.load().expect("a certificate"));
    let config = Arc::new(config.with_cert_resolver(Arc::new(own)));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let heard = Arc::clone(&heard);
            thread::spawn(move || answer(StreamOwned::new(connection, stream), &heard));
        }
    });
    (address, seen)
}

fn answer(mut stream: impl Read + Write, heard: &Mutex<Vec<String>>) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let user = request.split(' ').nth(1).and_then(|path| path.rsplit('/').next()).unwrap_or_default().to_owned();
        heard.lock().expect("no panic").push(request);
        let status = if user == "ann" { "active" } else { user.as_str() };
        let body = format!("{{\"id\":\"{user}\",\"account_status\":\"{status}\"}}");
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

async fn order(server: &Server, directory: &Path, user: &str) -> (StatusCode, Option<String>) {
    let caller = Caller::guest(server.address).acting(directory, user, Role::Customer);
    let answer = caller.order("one", &order_of("mug", 1)).await.expect("an answer");
    (answer.status, answer.body["code"].as_str().map(str::to_owned))
}

fn bearer(request: &str) -> &str {
    let line = request.lines().find(|line| line.to_lowercase().starts_with("authorization: bearer "));
    line.expect("a token").split(' ').nth(2).expect("a token")
}

#[tokio::test]
async fn the_users_service_gets_a_certificate_and_a_token_and_says_who_may_order() {
    let home = stocked(&[("mug", 10)]);
    let at = home.path();
    let house = Authority::new(at, "house.pem");
    house.sign(at, "commerce", 2100);
    let (address, seen) = users_service(&house.sign(at, "users", 2100), &at.join("house.pem"));
    let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
    fs::write(at.join("signing.pem"), key.serialize_pem()).expect("written");
    let users = format!(
        "[users]\nurl = \"https://localhost:{}\"\nsigning_key_file = \"signing.pem\"\nsigning_key_id = \"k1\"\n\
         audience = \"users\"\ntoken_lifetime = \"60s\"\n",
        address.port()
    );
    settings(at, &format!("{users}[outgoing]\nca_file = \"house.pem\"\n"));
    let server = Server::start(at, &["--config", "shop.toml"]);
    let unavailable = (StatusCode::SERVICE_UNAVAILABLE, Some("user_service_unavailable".to_owned()));
    assert_eq!(order(&server, at, "ann").await, unavailable, "without a certificate");
    server.stop();
    let own = "certificate_file = \"commerce.pem\"\nkey_file = \"commerce.key\"\n";
    settings(at, &format!("{users}[outgoing]\nca_file = \"house.pem\"\n{own}"));
    let server = Server::start(at, &["--config", "shop.toml"]);
    assert_eq!(order(&server, at, "ann").await, (StatusCode::CREATED, None));
    for (user, code) in [("suspended", "account_suspended"), ("deactivated", "account_deactivated")] {
        assert_eq!(order(&server, at, user).await, (StatusCode::FORBIDDEN, Some(code.to_owned())));
    }
    assert_eq!(order(&server, at, "frozen").await, unavailable, "a status that nobody knows");
    let requests = seen.lock().expect("no panic").clone();
    let tokens: Vec<_> = requests.iter().map(|request| bearer(request)).collect();
    assert!(tokens.len() >= 4 && tokens.iter().all(|token| *token == tokens[0]), "one token serves for a while");
    let header = decode_header(tokens[0]).expect("a token");
    assert_eq!((header.alg, header.kid.as_deref()), (Algorithm::EdDSA, Some("k1")));
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["users"]);
    validation.set_issuer(&["commerce"]);
    let public = DecodingKey::from_ed_pem(key.public_key_pem().as_bytes()).expect("a key");
    let claims = decode::<Value>(tokens[0], &public, &validation).expect("a valid token").claims;
    assert_eq!(claims["exp"].as_u64().zip(claims["iat"].as_u64()).map(|(exp, iat)| exp - iat), Some(60));
    let log = server.stop().log;
    assert!(!log.contains(tokens[0]), "{log}");
}

#[test]
fn tokens_are_renewed_before_they_end() {
    let key = KeyPair::generate().expect("a key of P-256");
    let terms = TokenTerms {
        issuer: "commerce".to_owned(),
        audience: "users".to_owned(),
        key_id: None,
        lifetime: Duration::from_secs(3),
    };
    let tokens = ServiceTokens::new(key.serialize_pem().as_bytes(), terms).expect("a key");
    let first = tokens.authorization().expect("a token");
    assert!(first.is_sensitive());
    let token = first.to_str().expect("text").to_owned();
    assert!(!format!("{tokens:?}").contains(&token["Bearer ".len()..]));
    thread::sleep(Duration::from_millis(2_300));
    let second = tokens.authorization().expect("a token");
    assert_ne!(first, second);
    assert_eq!(
        decode_header(&second.to_str().expect("text")["Bearer ".len()..]).expect("a token").alg,
        Algorithm::ES256
    );
}
