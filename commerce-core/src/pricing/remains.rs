//! What remains to be paid while promotions apply.
//!
//! The units of a line cost the same until a promotion takes something off some of them only (a maximum quantity, a
//! bundle, the free unit of a pair). From then on the line is kept as *runs*: groups of units of one price. A line
//! without runs is one run. So "the cheapest unit" is always the one that is cheapest now, and splitting a line in two
//! does not change what its units cost. A run also knows how many of its units served a reward for units bought, on either
//! side: they serve no other.

use alloc::vec::Vec;

use super::cart::Cart;
use super::offer::Offer;
use crate::money::ratio::product;

/// What remains on the lines and of the fee, in minor units.
///
/// No figure is negative, and the lines add up to the total, which is at most the subtotal. Sums of parts of it
/// therefore always fit, and saturating arithmetic on them never saturates.
#[derive(Debug, Default)]
pub(super) struct Remains {
    lines: Vec<i64>,
    total: i64,
    fee: i64,
    runs: Vec<Run>,
}

/// Some units of a line that cost the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) line: usize,
    pub(super) units: i64,
    /// What remains on them together.
    pub(super) left: i64,
    /// How many of them an effect bought or gave; they serve no other.
    pub(super) used: i64,
}

impl Remains {
    /// What a cart costs before any promotion. `None` where that does not fit.
    pub(super) fn undiscounted(cart: &Cart<'_>) -> Option<Self> {
        let mut lines = Vec::with_capacity(cart.request.lines.len());
        let mut total = 0_i64;
        for line in &cart.request.lines {
            let subtotal = line.unit_price.minor().checked_mul(line.quantity.get())?;
            total = total.checked_add(subtotal)?;
            lines.push(subtotal);
        }
        let fee = cart.request.shipping.as_ref().map_or(0, |shipping| shipping.amount.minor());
        Some(Self { lines, total, fee, runs: Vec::new() })
    }

    /// Becomes a copy of another, in its own memory.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.lines.clone_from(&other.lines);
        self.runs.clone_from(&other.runs);
        (self.total, self.fee) = (other.total, other.fee);
    }

    pub(super) fn lines(&self) -> &[i64] {
        &self.lines
    }

    pub(super) const fn total(&self) -> i64 {
        self.total
    }

    pub(super) const fn fee(&self) -> i64 {
        self.fee
    }

    pub(super) fn has_runs(&self) -> bool {
        !self.runs.is_empty()
    }

    /// What remains on every line, and last of the fee.
    pub(super) fn lines_and_fee(&self) -> impl Iterator<Item = i64> {
        self.lines.iter().copied().chain([self.fee])
    }

    /// What remains on some lines.
    pub(super) fn on(&self, meant: &[bool]) -> i64 {
        self.masked(meant).fold(0, i64::saturating_add)
    }

    /// What remains per line, and nothing on the lines that are not meant.
    pub(super) fn masked(&self, meant: &[bool]) -> impl Iterator<Item = i64> {
        self.lines.iter().zip(meant).map(|(left, meant)| if *meant { *left } else { 0 })
    }

    /// The runs of a line that is kept as runs.
    pub(super) fn runs_of(&self, line: usize) -> &[Run] {
        let start = self.runs.partition_point(|run| run.line < line);
        let rest = self.runs.get(start..).unwrap_or_default();
        rest.get(..rest.partition_point(|run| run.line == line)).unwrap_or_default()
    }

    /// Takes an offer off the fee.
    pub(super) fn take_off_fee(&mut self, offer: &Offer) {
        self.fee = self.fee.saturating_sub(offer.total);
    }

    /// Takes an offer off the lines.
    pub(super) fn take_off_lines(&mut self, offer: &mut Offer) {
        if offer.has_picks() || self.has_runs() {
            offer.spread_over_runs(self);
            self.regroup(offer);
        }
        for (left, off) in self.lines.iter_mut().zip(&offer.row) {
            *left = left.saturating_sub(*off);
        }
        self.total = self.total.saturating_sub(offer.total);
    }

    /// Groups the units of the picked lines anew, by what they cost now.
    fn regroup(&mut self, offer: &Offer) {
        let picks = offer.picks();
        self.runs.retain(|run| picks.binary_search_by_key(&run.line, |pick| pick.line).is_err());
        for picks in picks.chunk_by(|one, other| one.line == other.line) {
            let first = self.runs.len();
            for run in picks.iter().flat_map(|pick| offer.parts(pick)) {
                self.join(first, run);
            }
            if let Some([Run { used: 0, .. }]) = self.runs.get(first..) {
                self.runs.pop(); // units that all cost the same and are all unused need no runs
            }
        }
        self.runs.sort_by_key(|run| run.line);
    }

    /// Adds a run to those from `first` on, as part of the last one if their units cost the same.
    fn join(&mut self, first: usize, run: Run) {
        if run.units == 0 {
            return;
        }
        match self.runs.get_mut(first..).and_then(<[Run]>::last_mut) {
            Some(last) if product(last.left, run.units) == product(run.left, last.units) => {
                last.units = last.units.saturating_add(run.units);
                last.left = last.left.saturating_add(run.left);
                last.used = last.used.saturating_add(run.used);
            }
            _ => self.runs.push(run),
        }
    }
}
