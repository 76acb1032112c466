//! The claims about the stores, compared with the measurements.

use benches::numbers::decimal;

use crate::contender::{Role, Row, Spread};
use crate::engine::Kind;
use crate::measure::Column;

use Kind::{MariaDb, Postgres, Sqlite};
use Role::{ByHand, OneTrip, Store, TwoProcesses};
use Spread::{Hot, Uniform};

/// A bound of a ratio, in hundredths.
#[derive(Clone, Copy)]
enum Bound {
    AtLeast(u64),
    AtMost(u64),
}

use Bound::{AtLeast, AtMost};

struct Rows<'a>(&'a [Row]);

impl Rows<'_> {
    /// The row of a kind with the highest rate.
    fn best(&self, kind: Kind, role: Role, spread: Spread) -> Option<&Row> {
        self.0.iter().filter(|row| row.is(kind, role, spread)).max_by_key(|row| row.median(Column::Rate))
    }

    /// The highest rate, in orders per second.
    fn rate(&self, kind: Kind, role: Role, spread: Spread) -> Option<u64> {
        self.best(kind, role, spread)?.median(Column::Rate)
    }

    /// Processor time of clients and server per order, in the best row.
    fn cpu(&self, role: Role) -> Option<u64> {
        let row = self.best(Postgres, role, Uniform)?;
        Some(row.median(Column::Client)? + row.median(Column::Server)?)
    }

    /// The median latency of a single client.
    fn alone(&self, kind: Kind, role: Role) -> Option<u64> {
        let alone = |row: &&Row| row.is(kind, role, Uniform) && row.contender.clients == 1;
        self.0.iter().filter(alone).filter_map(|row| row.median(Column::Median)).min()
    }

    /// Orders per second with a number of clients.
    fn rate_of(&self, kind: Kind, clients: usize) -> Option<u64> {
        let row = self.0.iter().find(|row| row.is(kind, Store, Uniform) && row.contender.clients == clients);
        row?.median(Column::Rate)
    }
}

/// One line per claim whose rows were measured.
pub(crate) fn claims(rows: &[Row]) -> String {
    let rows = Rows(rows);
    [orders(&rows), costs(&rows), other_databases(&rows)].concat().join("\n")
}

fn orders(rows: &Rows<'_>) -> Vec<String> {
    let uniform = rows.rate(Postgres, Store, Uniform);
    let hot = rows.rate(Postgres, Store, Hot);
    let two = rows.rate(Postgres, TwoProcesses, Uniform);
    let lines = [
        line("orders/s against hand-written", uniform, rows.rate(Postgres, ByHand, Uniform), AtLeast(350)),
        line("orders/s against one round trip", uniform, rows.rate(Postgres, OneTrip, Uniform), AtLeast(150)),
        line("orders/s with a hot sku against hand-written", hot, rows.rate(Postgres, ByHand, Hot), AtLeast(1000)),
        line("orders/s with a hot sku against without", hot, uniform, AtLeast(95)),
        line("orders/s of two processes against one", two, uniform, AtLeast(100)),
    ];
    lines.into_iter().flatten().collect()
}

fn costs(rows: &Rows<'_>) -> Vec<String> {
    let cpu = rows.cpu(Store);
    let alone = rows.alone(Postgres, Store);
    let lines = [
        line("processor per order against hand-written", cpu, rows.cpu(ByHand), AtMost(20)),
        line("processor per order against one round trip", cpu, rows.cpu(OneTrip), AtMost(50)),
        line("latency of a lone submitter against hand-written", alone, rows.alone(Postgres, ByHand), AtMost(120)),
    ];
    lines.into_iter().flatten().collect()
}

fn other_databases(rows: &Rows<'_>) -> Vec<String> {
    let mariadb = rows.rate(MariaDb, Store, Uniform);
    let sqlite = rows.rate(Sqlite, Store, Uniform);
    let lines = [
        line("MariaDB: orders/s against hand-written", mariadb, rows.rate(MariaDb, ByHand, Uniform), AtLeast(400)),
        line("SQLite: orders/s against one transaction per order", sqlite, rows.rate_of(Sqlite, 1), AtLeast(400)),
    ];
    lines.into_iter().flatten().collect()
}

fn line(what: &str, own: Option<u64>, other: Option<u64>, bound: Bound) -> Option<String> {
    let ratio = own? * 100 / other?.max(1);
    let (holds, bound) = match bound {
        AtLeast(least) => (ratio >= least, format!("at least {}", decimal(least, 2))),
        AtMost(most) => (ratio <= most, format!("at most {}", decimal(most, 2))),
    };
    let verdict = if holds { "pass" } else { "FAIL" };
    Some(format!("{verdict}  {what}: {} × ({bound})", decimal(ratio, 2)))
}
