//! Tax on the remainder after all discounts.

use alloc::vec;
use alloc::vec::Vec;

use rust_decimal::Decimal;

use super::remains::Remains;
use super::request::{Request, Tax, TaxLevel};
use super::split::Splitter;
use crate::money::Rounding;
use crate::money::ratio::Ratio;

/// The range of a rate.
pub(super) const RATE: &str = "from 0 to 10, with at most 8 decimals";

/// Whether a figure is a valid tax rate.
pub(super) fn is_rate(rate: Decimal) -> bool {
    rate >= Decimal::ZERO && rate <= Decimal::TEN && (rate.scale() <= 8 || rate.normalize().scale() <= 8)
}

/// The rate of every tax category, as the share of a price that is tax.
struct Rates<'r> {
    categories: Vec<(&'r str, Decimal, Ratio)>,
}

impl<'r> Rates<'r> {
    /// Adds up the rates of each category. `None` on overflow.
    fn of(tax: &'r Tax) -> Option<Self> {
        let mut categories: Vec<(&str, Decimal, Ratio)> = Vec::with_capacity(tax.rates.len());
        for rate in &tax.rates {
            match categories.iter_mut().find(|(category, ..)| *category == rate.tax_category) {
                Some((_, sum, _)) => *sum = sum.checked_add(rate.rate)?,
                None => categories.push((&rate.tax_category, rate.rate, Ratio::NONE)),
            }
        }
        for (_, sum, ratio) in &mut categories {
            let share = Ratio::of_decimal(*sum)?;
            *ratio = if tax.prices_include_tax { share.contained()? } else { share };
        }
        Some(Self { categories })
    }

    /// The share of a price of this category that is tax, contained or on top.
    fn ratio(&self, category: Option<&str>) -> Ratio {
        let known = |category| self.categories.iter().find(|(name, ..)| *name == category);
        category.and_then(known).map_or(Ratio::NONE, |(_, _, ratio)| *ratio)
    }
}

/// The taxes of a request: a share per line, and last that of the shipping fee.
pub(super) struct Levy {
    ratios: Vec<Ratio>,
    level: TaxLevel,
    rounding: Rounding,
    is_on_top: bool,
}

impl Levy {
    /// `None` on overflow of the rates of a category.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let rates = Rates::of(&request.tax)?;
        let lines = request.lines.iter().map(|line| rates.ratio(line.tax_category.as_deref()));
        let fee = request.shipping.as_ref().and_then(|shipping| shipping.tax_category.as_deref());
        Some(Self {
            ratios: lines.chain([rates.ratio(fee)]).collect(),
            level: request.tax_level,
            rounding: request.rounding,
            is_on_top: !request.tax.prices_include_tax,
        })
    }

    /// The shares that tax adds to prices: one per line, and last that of the fee. `None` if prices include tax.
    pub(super) fn on_top(&self) -> Option<&[Ratio]> {
        self.is_on_top.then_some(&*self.ratios)
    }

    /// The tax on every line, and last on the shipping fee. `None` on overflow.
    pub(super) fn taxes(&self, remains: &Remains) -> Option<Vec<i64>> {
        if self.level == TaxLevel::Line {
            return self.per_line(remains).collect();
        }
        let mut taxes = vec![0; self.ratios.len()];
        let mut shares = taxes.clone();
        let mut splitter = Splitter::default();
        for ratio in self.distinct() {
            let (base, tax) = self.once(ratio, remains)?;
            splitter.split(tax, base, self.bases(ratio, remains), &mut shares);
            taxes.iter_mut().zip(&shares).for_each(|(tax, share)| *tax = tax.saturating_add(*share));
        }
        Some(taxes)
    }

    /// The total that the customer pays. `None` on overflow.
    pub(super) fn total(&self, remains: &Remains) -> Option<i64> {
        let net = remains.total().checked_add(remains.fee())?;
        if !self.is_on_top {
            return Some(net);
        }
        match self.level {
            TaxLevel::Line => self.per_line(remains).try_fold(net, |sum, tax| sum.checked_add(tax?)),
            TaxLevel::Order => {
                self.distinct().try_fold(net, |sum, ratio| sum.checked_add(self.once(ratio, remains)?.1))
            }
        }
    }

    fn per_line(&self, remains: &Remains) -> impl Iterator<Item = Option<i64>> {
        self.ratios.iter().zip(remains.lines_and_fee()).map(|(ratio, base)| ratio.of(base, self.rounding))
    }

    /// Every rate once, except zero.
    fn distinct(&self) -> impl Iterator<Item = Ratio> {
        let is_first = |(place, ratio): &(usize, &Ratio)| !self.ratios.iter().take(*place).any(|other| other == *ratio);
        self.ratios.iter().enumerate().filter(is_first).map(|(_, ratio)| *ratio).filter(|ratio| !ratio.is_none())
    }

    /// The remainder taxed at a rate, per line, and last of the fee.
    fn bases(&self, ratio: Ratio, remains: &Remains) -> impl Iterator<Item = i64> {
        self.ratios.iter().zip(remains.lines_and_fee()).map(move |(other, base)| if *other == ratio { base } else { 0 })
    }

    /// The sum taxed at a rate, and the tax on it, rounded once.
    fn once(&self, ratio: Ratio, remains: &Remains) -> Option<(i64, i64)> {
        let base = self.bases(ratio, remains).try_fold(0_i64, i64::checked_add)?;
        Some((base, ratio.of(base, self.rounding)?))
    }
}
