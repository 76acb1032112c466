//! Connections to a database that nobody can listen to, with whom one thinks to speak to.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use test_servers::{Programs, Server as Database, ServerOptions, adopt, required};

use crate::home::{Home, new_database, on_each_server};
use crate::running::{Server, run, stderr, succeed};

on_each_server!(
    what_is_sent_is_encrypted,
    a_server_that_nobody_vouches_for_is_refused,
    a_server_without_tls_is_refused
);

/// A server with a certificate that it made itself, for a name.
struct Shop<P: Programs> {
    database: Database<P>,
    url: String,
    files: TempDir,
}

impl<P: Programs> Shop<P> {
    fn known_as(name: &str) -> Self {
        let files = tempfile::tempdir().expect("a directory");
        fs::set_permissions(files.path(), Permissions::from_mode(0o755)).expect("ours");
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        let certificate = write(files.path(), "server.pem", &made.cert.pem(), 0o644);
        let key = write(files.path(), "server.key", &made.signing_key.serialize_pem(), 0o600);
        let settings = match P::SCHEME {
            "postgres" => vec![("ssl", "on".to_owned()), ("ssl_cert_file", certificate), ("ssl_key_file", key)],
            _ => vec![("ssl-cert", certificate), ("ssl-key", key)],
        };
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let database = required(Database::<P>::start(&ServerOptions { settings, ..ServerOptions::default() }));
        let url = database.url(&new_database(&database));
        Self { database, url, files }
    }

    /// The URL that asks for TLS, with the certificate that vouches for the server if there is a file of it.
    fn secure_url(&self, certificate: Option<&str>) -> String {
        let [mode, roots] = parameters::<P>();
        let roots = certificate.map(|file| format!("&{roots}={}", self.files.path().join(file).display()));
        format!("{}?{mode}{}", self.url, roots.unwrap_or_default())
    }
}

/// How a URL asks for TLS, and how it names the certificates that vouch for servers.
fn parameters<P: Programs>() -> [&'static str; 2] {
    if P::SCHEME == "postgres" { ["sslmode=require", "sslrootcert"] } else { ["ssl-mode=REQUIRED", "ssl-ca"] }
}

/// Writes a file for the user that servers run as.
fn write(directory: &Path, name: &str, text: &str, mode: u32) -> String {
    let path = directory.join(name);
    fs::write(&path, text).expect("written");
    fs::set_permissions(&path, Permissions::from_mode(mode)).expect("ours");
    adopt(&path).expect("it is there");
    path.to_str().expect("text").to_owned()
}

#[track_caller]
fn check_refused(url: &str, words: &[&str]) {
    let home = Home::at(url);
    let started = Instant::now();
    let output = run(home.path(), &["migrate"]);
    let complaint = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains("no secure connection to the database at "), "{complaint}");
    assert!(words.iter().all(|words| complaint.contains(words)), "{complaint}");
    assert!(started.elapsed() < Duration::from_secs(10), "{complaint}");
}

fn what_is_sent_is_encrypted<P: Programs + Sync>() {
    let shop = Shop::<P>::known_as("localhost");
    let home = Home::at(&shop.secure_url(Some("server.pem")).replace("127.0.0.1", "localhost"));
    let told = succeed(home.path(), &["migrate"]);
    assert!(told.contains(":***@localhost:"), "{told}");
    let _server = Server::start(home.path(), &[]);
    if P::SCHEME == "mysql" {
        // From now on the server lets nobody in but through TLS.
        shop.database.sql(P::SCHEME, "SET GLOBAL require_secure_transport = ON").expect("SQL");
        succeed(home.path(), &["migrate"]);
        assert!(!run(Home::at(&shop.url).path(), &["migrate"]).status.success());
        return;
    }
    let count = |condition: &str| {
        let query =
            "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'commerce'";
        shop.database.sql(P::SCHEME, &format!("{query} AND {condition}")).expect("SQL")
    };
    assert_eq!(count("NOT ssl"), "0\n");
    assert_ne!(count("version = 'TLSv1.3'"), "0\n");
}

fn a_server_that_nobody_vouches_for_is_refused<P: Programs + Sync>() {
    let shop = Shop::<P>::known_as("localhost");
    let here = |url: String| url.replace("127.0.0.1", "localhost");
    check_refused(&here(shop.secure_url(None)), &["UnknownIssuer"]);
    let another = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    write(shop.files.path(), "another.pem", &another.cert.pem(), 0o644);
    check_refused(&here(shop.secure_url(Some("another.pem"))), &["certificate"]);
    check_refused(&shop.secure_url(Some("server.pem")), &["127.0.0.1", "not valid for"]);
    check_refused(&shop.secure_url(Some("nowhere.pem")), &["nowhere.pem"]);
    write(shop.files.path(), "letter.pem", "Dear Ann,", 0o644);
    check_refused(&shop.secure_url(Some("letter.pem")), &["127.0.0.1"]);
}

fn a_server_without_tls_is_refused<P: Programs + Sync>() {
    let server = Database::<P>::shared();
    let [mode, _] = parameters::<P>();
    check_refused(&format!("{}?{mode}", server.url(&new_database(server))), &["server does not"]);
}
