//! A database behind a network that fails while a shop is served: everybody gets an answer, and all is well when it is back.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use commerce_core::actor::Role;
use futures_util::future::join_all;
use http::StatusCode;
use test_servers::{PostgresPrograms, Programs, Server as Database, ServerError, ServerOptions, adopt, required};
use tokio::task::spawn_blocking;

use crate::home::{Home, new_database, on_each_server};
use crate::running::{Answer, Caller, Server, order_of, succeed};

on_each_server!(
    async:
    a_server_that_ends_and_comes_back,
    a_table_that_somebody_locked,
    a_server_whose_connections_are_taken,
    a_network_that_loses_connections,
);

/// The longest that anybody waits for an answer: what a handler may take, on a busy machine.
const LONGEST: Duration = Duration::from_secs(15);

/// A shop with mugs on a server of its own.
struct Shop<P: Programs> {
    database: Database<P>,
    name: String,
    home: Home,
}

impl<P: Programs> Shop<P> {
    fn on(settings: &[(&str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let options = ServerOptions { durable: true, settings, ..ServerOptions::default() };
        let database = required(Database::<P>::start(&options));
        let name = new_database(&database);
        let home = Home::at(&database.url(&name));
        home.stock(&[("mug", 1_000)]);
        Self { database, name, home }
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    fn serve(&self, arguments: &[&str]) -> (Server, Caller) {
        let server = Server::start(
            self.path(),
            &[&["--orders-per-minute", "0", "--unpaid-orders", "0", "--unpaid-units", "0"], arguments].concat(),
        );
        let ann = Caller::guest(server.address).acting(self.path(), "ann", Role::Customer);
        (server, ann)
    }

    fn sql(&self, script: &str) -> Result<String, ServerError> {
        self.database.sql(&self.name, script)
    }

    /// All orders are there that were placed, and the tables are what the events make.
    fn check(&self, orders: usize) {
        let verified = succeed(self.path(), &["replay", "--verify"]);
        let counted = format!(" {orders} order{}", if orders == 1 { "" } else { "s" });
        assert!(verified.contains(&counted), "{orders}: {verified}");
    }
}

/// The answer to somebody who came while the database was away: it says when to come again, and nothing of what is inside.
#[track_caller]
fn check_away(answer: &Answer, codes: &[&str]) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    assert!(answer.retry_after.as_deref().is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{answer:?}");
    assert!(codes.contains(&answer.body["code"].as_str().unwrap_or_default()), "{answer:?}");
    let text = answer.body.to_string().to_lowercase();
    for inside in ["127.0.0.1", "postgres", "mysql", "mariadb", "sql", "refused", "connection", "lock", "statement"] {
        assert!(!text.contains(inside), "{inside}: {text}");
    }
}

async fn place(ann: &Caller, key: &str) -> Answer {
    let started = Instant::now();
    let answer = ann.order(key, &order_of("mug", 1)).await.expect("an answer");
    assert!(started.elapsed() < LONGEST, "{:?}: {answer:?}", started.elapsed());
    answer
}

/// Tries until it is as it should be.
async fn soon(caller: &Caller, path: &str, status: StatusCode) {
    let started = Instant::now();
    loop {
        let answer = caller.get(path).await;
        if answer.status == status {
            return;
        }
        assert!(started.elapsed() < LONGEST, "{answer:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn a_server_that_ends_and_comes_back<P: Programs + Sync + Send>() {
    let mut shop = Shop::<P>::on(&[]);
    let (server, ann) = shop.serve(&[]);
    let before = place(&ann, "before").await;
    assert_eq!(before.status, StatusCode::CREATED);
    for (number, end) in [Database::<P>::stop, Database::<P>::kill].into_iter().enumerate() {
        end(&mut shop.database).expect("it ends");
        check_away(&ann.get("/v1/products").await, &["store_unavailable"]);
        check_away(&ann.get("/readyz").await, &["store_unavailable"]);
        assert_eq!(ann.get("/healthz").await.status, StatusCode::OK);
        let key = format!("meanwhile {number}");
        check_away(&place(&ann, &key).await, &["store_unavailable"]);
        shop.database.restart().expect("it starts");
        soon(&ann, "/readyz", StatusCode::OK).await;
        assert_eq!(place(&ann, &key).await.status, StatusCode::CREATED);
        assert_eq!(place(&ann, "before").await, before, "it is the same order");
    }
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.log);
    shop.check(3);
}

/// Somebody else holds a table for longer than a statement may take, and there is one connection to read with.
async fn a_table_that_somebody_locked<P: Programs + Sync + Send>() {
    let shop = Arc::new(Shop::<P>::on(&[]));
    let few = ["--database-readers", "1", "--database-writers", "1", "--database-statement-timeout", "1s"];
    let (_server, ann) = shop.serve(&few);
    let admin = ann.acting(shop.path(), "ada", Role::Admin);
    let hold = match P::SCHEME {
        "postgres" => "BEGIN; LOCK TABLE stock; SELECT pg_sleep(8); COMMIT;",
        _ => "LOCK TABLES stock WRITE; SELECT SLEEP(8); UNLOCK TABLES;",
    };
    let holder = Arc::clone(&shop);
    let held = spawn_blocking(move || holder.sql(hold));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let order = place(&ann, "locked");
    let (order, level, other) = tokio::join!(order, admin.get("/v1/inventory/mug"), admin.get("/v1/inventory/mug"));
    for answer in [&order, &level, &other] {
        check_away(answer, &["store_unavailable"]);
    }
    held.await.expect("no panic").expect("SQL");
    assert_eq!(place(&ann, "locked").await.status, StatusCode::CREATED);
    soon(&admin, "/v1/inventory/mug", StatusCode::OK).await;
    shop.check(1);
}

/// Others took the connections that this process has not opened yet.
async fn a_server_whose_connections_are_taken<P: Programs + Sync + Send>() {
    let (limits, sleep): (&[_], _) = match P::SCHEME {
        "postgres" => (&[("max_connections", "6"), ("superuser_reserved_connections", "0")], "SELECT pg_sleep(4)"),
        _ => (&[("max-connections", "10")], "SELECT SLEEP(4)"),
    };
    let shop = Arc::new(Shop::<P>::on(limits));
    let (_server, ann) = shop.serve(&[]);
    let others: Vec<_> =
        (0..12).map(|_| Arc::clone(&shop)).map(|shop| spawn_blocking(move || shop.sql(sleep))).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let answers = join_all((0..40).map(|_| ann.get("/v1/products/mug"))).await;
    for answer in answers.iter().filter(|answer| answer.status != StatusCode::OK) {
        check_away(answer, &["store_unavailable"]);
    }
    assert!(answers.iter().any(|answer| answer.status == StatusCode::OK), "who is connected goes on");
    assert_eq!(place(&ann, "taken").await.status, StatusCode::CREATED, "who writes is connected from the start");
    join_all(others).await;
    let answers = join_all((0..4).map(|_| ann.get("/v1/products/mug"))).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK), "{answers:?}");
}

/// The network between forgets the connections: what is sent on them goes nowhere. New ones are carried.
async fn a_network_that_loses_connections<P: Programs + Sync + Send>() {
    let shop = Shop::<P>::on(&[]);
    let between = Between::start(shop.database.port());
    let url = shop.database.url(&shop.name);
    let home = Home::at(&url.replace(&format!(":{}/", shop.database.port()), &format!(":{}/", between.port)));
    let time_outs = ["--database-statement-timeout", "1s", "--database-connect-timeout", "1s"];
    let server = Server::start(
        home.path(),
        &[&["--orders-per-minute", "0", "--unpaid-orders", "0", "--unpaid-units", "0"][..], &time_outs].concat(),
    );
    let ann = Caller::guest(server.address).acting(home.path(), "ann", Role::Customer);
    assert_eq!(place(&ann, "before").await.status, StatusCode::CREATED);
    between.lose();
    let (order, product) = tokio::join!(place(&ann, "lost"), ann.get("/v1/products/mug"));
    for answer in [&order, &product] {
        if !answer.status.is_success() {
            check_away(answer, &["store_unavailable", "outcome_unknown", "timeout"]);
        }
    }
    soon(&ann, "/v1/products/mug", StatusCode::OK).await;
    let started = Instant::now();
    while place(&ann, "lost").await.status != StatusCode::CREATED {
        assert!(started.elapsed() < 2 * LONGEST, "it recovers");
    }
    shop.check(2);
}

/// Carries bytes between the program and a database.
struct Between {
    port: u16,
    /// Connections of an age below this are carried no longer.
    lost: Arc<AtomicUsize>,
    age: Arc<AtomicUsize>,
}

impl Between {
    fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (lost, age) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (losing, ageing) = (Arc::clone(&lost), Arc::clone(&age));
        thread::spawn(move || {
            for here in listener.incoming().map_while(Result::ok) {
                let Ok(there) = TcpStream::connect(("127.0.0.1", to)) else { continue };
                let born = ageing.fetch_add(1, Ordering::SeqCst);
                let (back, forth) = (there.try_clone().expect("a handle"), here.try_clone().expect("a handle"));
                for (from, to) in [(here, there), (back, forth)] {
                    let lost = Arc::clone(&losing);
                    thread::spawn(move || carry(from, to, born, &lost));
                }
            }
        });
        Self { port, lost, age }
    }

    /// Carries nothing any more on the connections that there are, and closes none.
    fn lose(&self) {
        self.lost.store(self.age.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, born: usize, lost: &AtomicUsize) {
    let mut bytes = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        if born >= lost.load(Ordering::SeqCst) && to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    if born >= lost.load(Ordering::SeqCst) {
        to.shutdown(Shutdown::Both).ok();
    }
}

/// The server came back as a standby, as after a fail-over: it can be read, and written to when it is promoted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_server_that_became_a_standby() {
    let mut shop = Shop::<PostgresPrograms>::on(&[]);
    let (_server, ann) = shop.serve(&[]);
    shop.database.stop().expect("it stops");
    let signal = shop.database.directory().join("data/standby.signal");
    std::fs::write(&signal, "").expect("written");
    adopt(&signal).expect("it is there");
    shop.database.restart().expect("it starts");
    soon(&ann, "/v1/products/mug", StatusCode::OK).await;
    check_away(&place(&ann, "standby").await, &["store_unavailable"]);
    check_away(&ann.get("/readyz").await, &["store_unavailable"]);
    shop.sql("SELECT pg_promote()").expect("SQL");
    assert_eq!(place(&ann, "standby").await.status, StatusCode::CREATED);
    assert_eq!(ann.get("/readyz").await.status, StatusCode::OK);
    shop.check(1);
}
