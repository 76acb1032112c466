//! The remainder: what is left to pay while promotions apply.
//!
//! All units of a line cost the same until a promotion discounts only some of them (a maximum quantity, a bundle, the
//! free unit of a pair). The line is then stored as *runs*: groups of units of one price. A line without runs is one
//! run. So "the cheapest unit" is always the one that is cheapest now, and splitting a line in two does not change the
//! prices of its units. A run also counts its units that an earlier reward for units bought used, on either side. Other
//! rewards cannot use them.

use alloc::vec::Vec;

use super::cart::Cart;
use super::offer::Offer;
use crate::money::ratio::product;

/// The remainder of the lines and of the fee, in minor units.
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
    /// The remainder of all its units.
    pub(super) left: i64,
    /// Units that an effect bought or gave. Other effects cannot use them.
    pub(super) used: i64,
}

impl Remains {
    /// A cart before any promotion. `None` on overflow.
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

    /// Copies another remainder into the own memory.
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

    /// The remainder of every line, and last of the fee.
    pub(super) fn lines_and_fee(&self) -> impl Iterator<Item = i64> {
        self.lines.iter().copied().chain([self.fee])
    }

    /// The remainder of some lines.
    pub(super) fn on(&self, meant: &[bool]) -> i64 {
        self.masked(meant).fold(0, i64::saturating_add)
    }

    /// The remainder per line, and zero for lines outside of the mask.
    pub(super) fn masked(&self, meant: &[bool]) -> impl Iterator<Item = i64> {
        self.lines.iter().zip(meant).map(|(left, meant)| if *meant { *left } else { 0 })
    }

    /// The runs of a line; empty if all its units are equal.
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

    /// Regroups the units of the picked lines by their present price.
    fn regroup(&mut self, offer: &Offer) {
        let picks = offer.picks();
        self.runs.retain(|run| picks.binary_search_by_key(&run.line, |pick| pick.line).is_err());
        for picks in picks.chunk_by(|one, other| one.line == other.line) {
            let first = self.runs.len();
            for run in picks.iter().flat_map(|pick| offer.parts(pick)) {
                self.join(first, run);
            }
            if let Some([Run { used: 0, .. }]) = self.runs.get(first..) {
                self.runs.pop(); // a line of equal, unused units needs no runs
            }
        }
        self.runs.sort_by_key(|run| run.line);
    }

    /// Adds a run to those from `first` on. It is merged with the last one if their units cost the same.
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
