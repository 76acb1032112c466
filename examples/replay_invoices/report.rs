//! The report: amounts of the engine beside those of the file.

use std::fmt;
use std::time::Duration;

use commerce_core::ids::Sku;
use commerce_core::money::{Money, MoneyError};
use serde_json::Value;

use crate::invoices::{CURRENCY, Line};
use crate::replay::nothing;

/// Returned units without an earlier sale to the customer at the price.
#[derive(Debug)]
pub(crate) struct Unmatched {
    /// The line and the invoice.
    pub(crate) row: (u64, String),
    pub(crate) code: Sku,
    pub(crate) units: i64,
}

#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) sales: u64,
    pub(crate) cancellations: u64,
    pub(crate) returns: u64,
    pub(crate) lines: u64,
    pub(crate) units: i64,
    /// Units that came back.
    pub(crate) units_back: i64,
    /// The sum of price times units of the sold lines.
    pub(crate) revenue_by_file: Money,
    /// The sum of the totals of the orders.
    pub(crate) revenue_by_engine: Money,
    /// The value of the returned units that match a sale.
    pub(crate) refunds_by_file: Money,
    /// The refunds of the engine.
    pub(crate) refunds_by_engine: Money,
    pub(crate) unmatched: Vec<Unmatched>,
    /// Row, invoice and reason.
    pub(crate) refused: Vec<(u64, String, String)>,
    /// The duration of the whole replay.
    pub(crate) took: Duration,
    latencies: Vec<Duration>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self {
            sales: 0,
            cancellations: 0,
            returns: 0,
            lines: 0,
            units: 0,
            units_back: 0,
            revenue_by_file: nothing(),
            revenue_by_engine: nothing(),
            refunds_by_file: nothing(),
            refunds_by_engine: nothing(),
            unmatched: Vec::new(),
            refused: Vec::new(),
            took: Duration::ZERO,
            latencies: Vec::new(),
        }
    }

    /// Counts an order for some lines.
    ///
    /// # Errors
    /// A sum overflows.
    pub(crate) fn count_sale(&mut self, lines: &[Line], took: Duration) -> Result<(), MoneyError> {
        for line in lines {
            self.lines += 1;
            self.units += line.units.get();
            self.revenue_by_file = self.revenue_by_file.plus(line.value()?)?;
        }
        self.latencies.push(took);
        Ok(())
    }

    /// Counts the matched units of a cancelled line.
    ///
    /// # Errors
    /// A sum overflows.
    pub(crate) fn count_return(&mut self, line: &Line, matched: i64) -> Result<(), MoneyError> {
        self.units_back += matched;
        self.refunds_by_file = self.refunds_by_file.plus(line.price.times(matched)?)?;
        Ok(())
    }

    /// Counts the amounts of an order.
    ///
    /// # Errors
    /// An amount is missing or overflows.
    pub(crate) fn count_order(&mut self, order: &Value) -> Result<(), MoneyError> {
        let money = |value: &Value| format!("{} {CURRENCY}", value.as_str().unwrap_or_default()).parse::<Money>();
        self.revenue_by_engine = self.revenue_by_engine.plus(money(&order["total"])?)?;
        self.refunds_by_engine = self.refunds_by_engine.plus(money(&order["payment"]["refunded"])?)?;
        Ok(())
    }

    /// Whether all amounts agree.
    pub(crate) fn agrees(&self) -> bool {
        self.revenue_by_engine == self.revenue_by_file && self.refunds_by_engine == self.refunds_by_file
    }

    fn latency(&self, percentile: usize) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percentile).div_ceil(100).saturating_sub(1);
        sorted.get(rank).copied().unwrap_or_default()
    }

    fn per_second(&self) -> u128 {
        u128::try_from(self.latencies.len()).unwrap_or_default() * 1_000 / self.took.as_millis().max(1)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (row, invoice, reason) in &self.refused {
            writeln!(f, "cannot be sold: row {row}, invoice {invoice}: {reason}")?;
        }
        for Unmatched { row: (row, invoice), code, units } in &self.unmatched {
            writeln!(f, "without an earlier sale: row {row}, invoice {invoice}: {units} of {code}")?;
        }
        let mut figure = |name: &str, value: &dyn fmt::Display| writeln!(f, "{name:<34} {value:>18}");
        figure("sale invoices", &self.sales)?;
        figure("  lines", &self.lines)?;
        figure("  units", &self.units)?;
        figure("revenue by the file", &self.revenue_by_file)?;
        figure("revenue by the engine", &self.revenue_by_engine)?;
        figure("cancellation invoices", &self.cancellations)?;
        figure("  returns", &self.returns)?;
        figure("  units back", &self.units_back)?;
        figure("refunds by the file", &self.refunds_by_file)?;
        figure("refunds by the engine", &self.refunds_by_engine)?;
        figure("lines without an earlier sale", &self.unmatched.len())?;
        figure("rows that cannot be sold", &self.refused.len())?;
        figure("orders per second, whole life", &self.per_second())?;
        figure("latency of placing, p50", &format!("{:?}", self.latency(50)))?;
        figure("latency of placing, p99", &format!("{:?}", self.latency(99)))
    }
}
