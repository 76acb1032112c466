//! Splitting an amount so that the parts add up to it: the largest remainder method.

use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;

use rust_decimal::Decimal;

use super::{Money, MoneyError};

impl Money {
    /// Splits the amount in proportion to `weights`; the parts always add up to it.
    ///
    /// Exact shares are floored in magnitude. The remaining minor units go to the largest fractions, ties to the first.
    /// A zero weight gets zero, every part is less than one minor unit from its exact share, and a negative amount
    /// mirrors the positive one.
    ///
    /// ```
    /// use commerce_core::money::{Currency, Money};
    ///
    /// let parts = Money::new(100, Currency::USD).allocate(&[1.into(), 1.into(), 1.into()])?;
    /// assert_eq!(parts.map_minor(), [34, 33, 33]);
    /// # trait Minor { fn map_minor(&self) -> Vec<i64>; }
    /// # impl Minor for Vec<Money> { fn map_minor(&self) -> Vec<i64> { self.iter().map(|m| m.minor()).collect() } }
    /// # Ok::<(), commerce_core::money::MoneyError>(())
    /// ```
    ///
    /// # Errors
    /// [`MoneyError::InvalidWeights`] for an empty list, a negative weight, or all-zero weights with a non-zero amount;
    /// [`MoneyError::Overflow`] if the exact shares do not fit 128 bits.
    pub fn allocate(self, weights: &[Decimal]) -> Result<Vec<Self>, MoneyError> {
        let scale = weights.iter().map(Decimal::scale).max().ok_or(MoneyError::InvalidWeights)?;
        let weights = weights.iter().map(|weight| at_scale(*weight, scale)).collect::<Result<Vec<_>, _>>()?;
        let parts = allocate_minor(self.minor(), &weights)?;
        Ok(parts.into_iter().map(|minor| Self::new(minor, self.currency())).collect())
    }
}

/// Splits `amount` minor units by integer weights, by the rules of [`Money::allocate`].
///
/// # Errors
/// As [`Money::allocate`].
pub fn allocate_minor(amount: i64, weights: &[i128]) -> Result<Vec<i64>, MoneyError> {
    let total = weights.iter().try_fold(0_i128, |sum, weight| match *weight {
        negative if negative < 0 => Err(MoneyError::InvalidWeights),
        weight => sum.checked_add(weight).ok_or(MoneyError::Overflow),
    })?;
    if weights.is_empty() || (total == 0 && amount != 0) {
        return Err(MoneyError::InvalidWeights);
    }
    if amount == 0 {
        return Ok(vec![0; weights.len()]);
    }
    let mut parts = floored_shares(amount, weights, total)?;
    hand_out_remainder(amount, &mut parts)?;
    Ok(parts.into_iter().map(|part| part.minor).collect())
}

/// One part of a split: its whole minor units and its fraction, in units of 1/total.
struct Part {
    minor: i64,
    fraction: i128,
}

fn floored_shares(amount: i64, weights: &[i128], total: i128) -> Result<Vec<Part>, MoneyError> {
    weights
        .iter()
        .map(|weight| {
            let exact = i128::from(amount).checked_mul(*weight).ok_or(MoneyError::Overflow)?;
            // `total` is positive here; division truncates towards zero, which floors the magnitude.
            let minor = exact.checked_div(total).ok_or(MoneyError::Overflow)?;
            let fraction = exact.checked_rem(total).ok_or(MoneyError::Overflow)?;
            let minor = i64::try_from(minor).map_err(|_| MoneyError::Overflow)?;
            Ok(Part { minor, fraction: fraction.checked_abs().ok_or(MoneyError::Overflow)? })
        })
        .collect()
}

fn hand_out_remainder(amount: i64, parts: &mut [Part]) -> Result<(), MoneyError> {
    let handed = parts.iter().try_fold(0_i64, |sum, part| sum.checked_add(part.minor)).ok_or(MoneyError::Overflow)?;
    let left = amount.checked_sub(handed).ok_or(MoneyError::Overflow)?;
    let units = usize::try_from(left.unsigned_abs()).map_err(|_| MoneyError::Overflow)?;
    let mut by_fraction: Vec<&mut Part> = parts.iter_mut().collect();
    by_fraction.sort_by_key(|part| Reverse(part.fraction)); // stable: ties go to the first
    for part in by_fraction.into_iter().take(units) {
        part.minor = part.minor.checked_add(left.signum()).ok_or(MoneyError::Overflow)?;
    }
    Ok(())
}

fn at_scale(weight: Decimal, scale: u32) -> Result<i128, MoneyError> {
    let missing = scale.checked_sub(weight.scale()).ok_or(MoneyError::Overflow)?;
    let factor = 10_i128.checked_pow(missing).ok_or(MoneyError::Overflow)?;
    weight.mantissa().checked_mul(factor).ok_or(MoneyError::Overflow)
}
