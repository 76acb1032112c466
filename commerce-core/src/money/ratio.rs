//! Exact fractions, and the only rounding of a figure.

use rust_decimal::Decimal;

use super::Rounding;

/// A non-negative fraction of whole numbers: a percentage, a tax rate.
///
/// Both parts are below 2⁴⁰, so that an amount (below 2⁶³) times a part times a quantity (below 2²⁰) fits 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ratio {
    part: i64,
    whole: i64,
}

/// The bound on both parts of a [`Ratio`].
const LIMIT: i64 = 1 << 40;

impl Ratio {
    pub(crate) const NONE: Self = Self { part: 0, whole: 1 };

    pub(crate) const ALL: Self = Self { part: 1, whole: 1 };

    fn new(part: i128, whole: i128) -> Option<Self> {
        let part = i64::try_from(part).ok().filter(|part| (0..LIMIT).contains(part))?;
        let whole = i64::try_from(whole).ok().filter(|whole| (1..LIMIT).contains(whole))?;
        Some(Self { part, whole })
    }

    /// A decimal; `None` if it is negative or has too many digits.
    pub(crate) fn of_decimal(figure: Decimal) -> Option<Self> {
        let figure = figure.normalize();
        Self::new(figure.mantissa(), 10_i128.checked_pow(figure.scale())?)
    }

    /// A fraction of the fraction.
    pub(crate) fn divided_by(self, divisor: i64) -> Option<Self> {
        Self::new(self.part.into(), i128::from(self.whole).checked_mul(divisor.into())?)
    }

    /// The share contained in a whole that includes this share on top: 20 % of the net is 1/6 of the gross.
    pub(crate) fn contained(self) -> Option<Self> {
        Self::new(self.part.into(), i128::from(self.whole).checked_add(self.part.into())?)
    }

    pub(crate) const fn is_none(self) -> bool {
        self.part == 0
    }

    pub(crate) const fn part(self) -> i64 {
        self.part
    }

    pub(crate) const fn whole(self) -> i64 {
        self.whole
    }

    /// The share of a non-negative amount, rounded once. `None` on overflow.
    pub(crate) fn of(self, amount: i64, rounding: Rounding) -> Option<i64> {
        round(product(amount, self.part), self.whole.into(), rounding)
    }
}

/// The exact product, which always fits.
pub(crate) fn product(one: i64, other: i64) -> i128 {
    i128::from(one).wrapping_mul(i128::from(other))
}

/// A non-negative fraction, rounded to a whole number. `None` on overflow.
pub(crate) fn round(part: i128, whole: i128, rounding: Rounding) -> Option<i64> {
    if let (Ok(part), Ok(whole)) = (i64::try_from(part), i64::try_from(whole)) {
        let (floor, rest) = (part.checked_div(whole)?, part.checked_rem(whole)?);
        let up = rounds_up(rest.into(), whole.into(), floor, rounding);
        return floor.checked_add(i64::from(up));
    }
    let (floor, rest) = (part.checked_div(whole)?, part.checked_rem(whole)?);
    let floor = i64::try_from(floor).ok()?;
    floor.checked_add(i64::from(rounds_up(rest, whole, floor, rounding)))
}

fn rounds_up(rest: i128, whole: i128, floor: i64, rounding: Rounding) -> bool {
    let complement = whole.wrapping_sub(rest); // cannot wrap: 0 ≤ rest < whole
    match rounding {
        Rounding::HalfAwayFromZero => rest >= complement,
        Rounding::HalfEven => rest > complement || (rest == complement && floor & 1 == 1),
        Rounding::Down => false,
    }
}
