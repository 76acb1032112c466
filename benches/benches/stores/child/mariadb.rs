//! Orders on `MariaDB` with the transaction of `sql/mariadb.sql`: prepared statements, one connection per client.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use benches::numbers::micros;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Opts, Params, Statement, params};
use uuid::Uuid;

use super::{Job, say_ready};
use crate::load::Placed;
use crate::measure::now;
use crate::order::{Orders, event_body};
use crate::{Failure, contender::Spread};

/// The error code of a deadlock.
const DEADLOCK: u16 = 1213;

struct Client {
    connection: Conn,
    statements: Vec<Statement>,
    orders: Arc<Source>,
}

/// The data that orders are built from.
struct Source {
    orders: Orders,
    count: AtomicU64,
    body: String,
}

/// Places orders concurrently.
pub(super) async fn run(job: &Job) -> Result<Vec<Placed>, Failure> {
    let source = Arc::new(Source::new(job.seed, job.spread)?);
    let mut clients = Vec::new();
    for _ in 0..job.clients {
        clients.push(Client::connect(&job.url, source.clone()).await?);
    }
    say_ready();
    let until = Instant::now() + Duration::from_secs(job.seconds);
    let clients = clients.into_iter().map(|client| tokio::spawn(client.run(until)));
    let mut placed = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        placed.extend(client.await??);
    }
    Ok(placed)
}

impl Client {
    async fn connect(url: &str, orders: Arc<Source>) -> Result<Self, Failure> {
        let mut connection = Conn::new(Opts::from_url(url)?).await?;
        connection.query_drop("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
        let mut statements = Vec::new();
        for text in include_str!("../sql/mariadb.sql").split(';').map(str::trim).filter(|text| !text.is_empty()) {
            let text = text.rsplit_once("\n\n").map_or(text, |(_, statement)| statement);
            statements.push(connection.prep(text).await?);
        }
        Ok(Self { connection, statements, orders })
    }

    async fn run(mut self, until: Instant) -> Result<Vec<Placed>, Failure> {
        let mut placed = Vec::new();
        let mut begun = Instant::now();
        while begun < until {
            let order = self.orders.next();
            begun = Instant::now();
            self.place(&order).await?;
            placed.push(Placed { at: now(), latency: micros(begun.elapsed()) });
        }
        self.connection.disconnect().await?;
        Ok(placed)
    }

    async fn place(&mut self, order: &Params) -> Result<(), Failure> {
        loop {
            match self.try_to_place(order).await {
                Err(Error::Server(error)) if error.code == DEADLOCK => self.connection.query_drop("ROLLBACK").await?,
                result => return Ok(result?),
            }
        }
    }

    async fn try_to_place(&mut self, order: &Params) -> Result<(), Error> {
        for statement in &self.statements {
            // A statement takes only the parameters that it names.
            let values = if statement.num_params() == 0 { Params::Empty } else { order.clone() };
            self.connection.exec_drop(statement, values).await?;
        }
        Ok(())
    }
}

impl Source {
    fn new(seed: u32, spread: Spread) -> Result<Self, Failure> {
        Ok(Self { orders: Orders::new(seed, spread)?, count: AtomicU64::new(0), body: event_body()? })
    }

    fn next(&self) -> Params {
        let n = self.count.fetch_add(1, Ordering::Relaxed);
        let [a, b, c] = self.orders.lines().map(|line| format!("SKU-{}", crate::order::FIRST + line));
        let order = id(0x3682, n);
        params! {
            "key" => order.to_string(),
            "order" => order.as_bytes(),
            "payment" => id(0x3684, n).as_bytes(),
            "event" => id(0x3685, n).as_bytes(),
            "number" => format!("ORD-20260301-{}", 100_000_000_000 + n),
            "reply" => r#"{"status":"pending"}"#,
            "body" => &self.body,
            a, b, c,
        }
    }
}

/// An id that increases with the number.
fn id(kind: u128, n: u64) -> Uuid {
    Uuid::from_u128(0x019b_76db << 96 | kind << 80 | 0x7000_8000 << 48 | u128::from(n))
}
