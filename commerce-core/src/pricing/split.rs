//! Splitting an amount over lines by their remainder: largest remainder method, ties to the first.
//!
//! The rules are those of [`Money::allocate`](crate::money::Money::allocate). This form for the hot path reuses its
//! memory and only sorts as far as necessary.

use alloc::vec::Vec;

use crate::money::ratio::product;

/// Splits amounts. It has no state between two splits.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// The fractional part of each share that is not whole, with the share's index. Larger keys come first.
    fractions: Vec<u128>,
}

/// The number of indices in a key, larger than the number of lines and runs.
const PLACES: u128 = (1 << 32) - 1;

impl Splitter {
    /// Splits `amount` by `weights`, which add up to `total`, into `shares`. Nothing is negative, and `amount` is at
    /// most `total`, so no share is above its weight.
    pub(super) fn split(&mut self, amount: i64, total: i64, weights: impl Iterator<Item = i64>, shares: &mut [i64]) {
        self.fractions.clear();
        let mut left = amount;
        for (place, (share, weight)) in shares.iter_mut().zip(weights).enumerate() {
            let (floor, fraction) = floored(amount, weight, total);
            *share = floor;
            left = left.saturating_sub(floor);
            if fraction > 0 {
                self.fractions.push(key(fraction, place));
            }
        }
        self.hand_out(left, shares);
    }

    /// Gives the minor units left by flooring to the largest fractions.
    fn hand_out(&mut self, left: i64, shares: &mut [i64]) {
        let Some(last) = usize::try_from(left).ok().and_then(|left| left.checked_sub(1)) else { return };
        if last < self.fractions.len() {
            self.fractions.select_nth_unstable_by(last, |one, other| other.cmp(one));
        }
        for key in self.fractions.iter().take(last.saturating_add(1)) {
            let place = usize::try_from(PLACES.saturating_sub(key & PLACES)).ok();
            if let Some(share) = place.and_then(|place| shares.get_mut(place)) {
                *share = share.saturating_add(1);
            }
        }
    }
}

/// The whole minor units of an exact share, and its fraction in units of 1/total.
fn floored(amount: i64, weight: i64, total: i64) -> (i64, i64) {
    let exact = product(amount, weight);
    if let Ok(exact) = i64::try_from(exact) {
        return (exact.checked_div(total).unwrap_or(0), exact.checked_rem(total).unwrap_or(0));
    }
    // The share is at most the amount, and the rest is below the total: both fit.
    let total = i128::from(total);
    let narrow = |figure: Option<i128>| figure.and_then(|figure| i64::try_from(figure).ok()).unwrap_or(0);
    (narrow(exact.checked_div(total)), narrow(exact.checked_rem(total)))
}

/// Larger fractions first; of equal ones the lower index.
fn key(fraction: i64, place: usize) -> u128 {
    let place = u128::try_from(place).unwrap_or(PLACES);
    (u128::from(fraction.unsigned_abs()) << 32) | PLACES.saturating_sub(place)
}
