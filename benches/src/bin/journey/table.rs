//! The table, in Markdown.

use benches::numbers::decimal;

use crate::figures::{Cost, Figures};
use crate::journey::Kind;

const COLUMNS: [&str; 13] = [
    "database",
    "clients",
    "server",
    "request",
    "per second",
    "p50 ms",
    "p99 ms",
    "max ms",
    "server ms",
    "database ms",
    "total ms",
    "peak MiB",
    "rounds, per second",
];

/// All rounds of a server with so many clients.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) database: &'static str,
    pub(crate) clients: usize,
    pub(crate) server: String,
    /// Of each round, the figures of journeys and of all kinds of requests, in the same order.
    pub(crate) rounds: Vec<Vec<Figures>>,
}

impl Series {
    fn lines(&self) -> impl Iterator<Item = [String; COLUMNS.len()]> {
        let rows = self.rounds.first().map_or(0, Vec::len);
        (0..rows).filter_map(|row| {
            let rounds: Vec<Figures> = self.rounds.iter().filter_map(|round| round.get(row).copied()).collect();
            self.line(&rounds)
        })
    }

    fn line(&self, rounds: &[Figures]) -> Option<[String; COLUMNS.len()]> {
        let figures = Figures::of_rounds(rounds)?;
        let cost = |of: fn(Cost) -> u64| figures.cost.map_or_else(none, |cost| millis(of(cost)));
        let rates: Vec<String> = rounds.iter().map(|round| rate(round.rate)).collect();
        Some([
            self.database.to_owned(),
            self.clients.to_string(),
            self.server.clone(),
            figures.kind.map_or("journey", Kind::name).to_owned(),
            rate(figures.rate),
            millis(figures.median),
            millis(figures.tail),
            millis(figures.longest),
            cost(|cost| cost.server),
            cost(|cost| cost.database),
            cost(|cost| cost.server + cost.database),
            figures.memory.map_or_else(none, |kibibytes| decimal(kibibytes * 10 / 1024, 1)),
            rates.join(" · "),
        ])
    }

    /// The last round in one line.
    pub(crate) fn last_round(&self) -> String {
        let last = self.rounds.last().and_then(|round| self.line(round.get(..1)?));
        last.map_or_else(none, |cells| {
            let named = COLUMNS.iter().zip(&cells).map(|(name, cell)| format!("{name} {cell}"));
            named.take(COLUMNS.len() - 1).collect::<Vec<_>>().join(", ")
        })
    }
}

/// One line per series and kind.
pub(crate) fn table(series: &[Series]) -> String {
    let lines: Vec<_> =
        std::iter::once(COLUMNS.map(str::to_owned)).chain(series.iter().flat_map(Series::lines)).collect();
    let mut widths = [0; COLUMNS.len()];
    for line in &lines {
        widths.iter_mut().zip(line).for_each(|(width, cell)| *width = (*width).max(cell.chars().count()));
    }
    let rule = widths.map(|width| "-".repeat(width));
    let (head, body) = lines.split_at(1);
    let lines = head.iter().chain([&rule]).chain(body);
    lines.map(|line| padded(line, &widths)).collect::<Vec<_>>().join("\n")
}

fn padded(line: &[String], widths: &[usize]) -> String {
    let cells = line.iter().zip(widths).map(|(cell, width)| format!(" {cell:<width$} "));
    format!("|{}|", cells.collect::<Vec<_>>().join("|"))
}

fn none() -> String {
    "-".to_owned()
}

fn millis(micros: u64) -> String {
    decimal(micros, 3)
}

/// Hundredths of a rate: a rate of slow operations has a decimal.
fn rate(hundredths: u64) -> String {
    if hundredths < 10_000 { decimal(hundredths / 10, 1) } else { (hundredths / 100).to_string() }
}
