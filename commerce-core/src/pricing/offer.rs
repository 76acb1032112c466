//! What the effect of a promotion would take off, exactly.
//!
//! Effects on whole lines fill a row: an amount per line. Effects on some units first pick the units. A figure is
//! rounded once, from the exact one: "10 % of one of three units that cost 29.00 together" is 0.9666… → 0.97, although
//! no unit costs 9.6666….

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::cart::{Candidate, Cart};
use super::remains::{Remains, Run};
use super::split::Splitter;
use crate::Quantity;
use crate::money::ratio::{Ratio, product, round};
use crate::money::{Money, Rounding};
use crate::promotion::{AmountTarget, BuyGet, Effect, Items, PriceTarget, Target, Tier};

/// What a promotion would take off. Its memory is reused from one promotion to the next.
#[derive(Debug, Default)]
pub(super) struct Offer {
    /// The sum, in minor units.
    pub(super) total: i64,
    /// The amount per line; undefined for an offer on the fee.
    pub(super) row: Vec<i64>,
    /// The discounted units, in the order of lines; empty for an effect on whole lines.
    picks: Vec<Pick>,
    /// Whether units that are bought or given are excluded from other promotions of this kind.
    uses_units: bool,
    /// Indices of picks, from the cheapest unit to the dearest.
    cheapest: Vec<usize>,
    weights: Vec<i64>,
    splitter: Splitter,
}

/// A run of units, and how many of them an effect applies to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pick {
    pub(super) line: usize,
    units: i64,
    left: i64,
    /// Units that an earlier promotion bought or gave.
    used: i64,
    /// Units set aside to be paid in full.
    paid: i64,
    /// Units that the effect applies to.
    taken: i64,
    /// The discount of these units.
    off: i64,
}

impl Pick {
    fn of(run: Run) -> Self {
        Self { line: run.line, units: run.units, left: run.left, used: run.used, paid: 0, taken: 0, off: 0 }
    }

    /// Units that can still be bought or given.
    const fn unused(&self) -> i64 {
        self.units.saturating_sub(self.used).saturating_sub(self.paid)
    }

    /// The exact current price of the taken units.
    fn value(&self) -> Fraction {
        let part = product(self.left, self.taken);
        match part.checked_rem(self.units.into()) {
            Some(0) => Fraction { part: part.checked_div(self.units.into()).unwrap_or(0), whole: 1 },
            _ => Fraction { part, whole: self.units.into() },
        }
    }

    /// The taken units at their new price, and the others at the old one. If the exact price is a fraction, the taken
    /// units get the nearest minor unit, but at least their discount.
    ///
    /// Unless taking uses units up, used units are taken first.
    fn parts(&self, uses_units: bool) -> [Run; 2] {
        let value = self.value().round(Ratio::ALL, Rounding::HalfAwayFromZero).max(self.off);
        let used = if uses_units { self.taken } else { self.used.min(self.taken) };
        let used_before = self.used.saturating_add(self.paid);
        let taken = Run { line: self.line, units: self.taken, left: value.saturating_sub(self.off), used };
        let others = Run {
            line: self.line,
            units: self.units.saturating_sub(self.taken),
            left: self.left.saturating_sub(value),
            used: if uses_units { used_before } else { used_before.saturating_sub(used) },
        };
        [taken, others]
    }
}

/// An exact figure that is not negative.
///
/// At most one run of a line is picked in part, because units are taken in the order of their price. Its size, below
/// 2²⁰, is then the only denominator, and all products fit 128 bits.
#[derive(Clone, Copy, Debug)]
struct Fraction {
    part: i128,
    whole: i128,
}

impl Fraction {
    const ZERO: Self = Self { part: 0, whole: 1 };

    fn plus(self, other: Self) -> Self {
        if self.whole == other.whole {
            return Self { part: self.part.saturating_add(other.part), whole: self.whole };
        }
        let part = self.part.saturating_mul(other.whole).saturating_add(other.part.saturating_mul(self.whole));
        Self { part, whole: self.whole.saturating_mul(other.whole) }
    }

    /// The figure less an amount, at least zero.
    fn minus(self, amount: i128) -> Self {
        Self { part: self.part.saturating_sub(amount.saturating_mul(self.whole)).max(0), whole: self.whole }
    }

    fn at_most(self, amount: i128) -> Self {
        if self.part > amount.saturating_mul(self.whole) { Self { part: amount, whole: 1 } } else { self }
    }

    /// The figure rounded up.
    fn ceil(self) -> i64 {
        let above = self.part.saturating_add(self.whole).saturating_sub(1);
        above.checked_div(self.whole).and_then(|figure| i64::try_from(figure).ok()).unwrap_or(i64::MAX)
    }

    /// A share of the figure, rounded.
    fn round(self, ratio: Ratio, rounding: Rounding) -> i64 {
        let part = self.part.saturating_mul(ratio.part().into());
        let whole = self.whole.saturating_mul(ratio.whole().into());
        round(part, whole, rounding).unwrap_or(i64::MAX)
    }
}

#[derive(Clone, Copy)]
struct Ground<'a> {
    cart: &'a Cart<'a>,
    candidate: &'a Candidate<'a>,
    remains: &'a Remains,
}

impl<'a> Ground<'a> {
    fn rounding(self) -> Rounding {
        self.cart.request.rounding
    }

    fn meant(self, items: &Items) -> &'a [bool] {
        self.cart.meant(self.candidate, items.filter.as_ref())
    }

    /// The lines whose units can be bought, and those whose units can be discounted.
    fn buy_and_get(self, definition: &BuyGet) -> [&'a [bool]; 2] {
        [&definition.buy.filter, &definition.get.filter].map(|filter| self.cart.meant(self.candidate, filter.as_ref()))
    }
}

impl Offer {
    pub(super) fn new(lines: usize) -> Self {
        let mut offer = Self::default();
        offer.row.resize(lines, 0);
        offer
    }

    pub(super) fn has_picks(&self) -> bool {
        !self.picks.is_empty()
    }

    pub(super) fn picks(&self) -> &[Pick] {
        &self.picks
    }

    /// The runs of the units of a pick after the offer.
    pub(super) fn parts(&self, pick: &Pick) -> [Run; 2] {
        pick.parts(self.uses_units)
    }

    /// Computes what a candidate would take off the remainder, whether or not its conditions hold.
    pub(super) fn work_out(&mut self, cart: &Cart<'_>, candidate: &Candidate<'_>, remains: &Remains) {
        let ground = Ground { cart, candidate, remains };
        self.picks.clear();
        self.total = 0;
        self.uses_units = matches!(candidate.definition().effect, Effect::BuyGet(_));
        match &candidate.definition().effect {
            Effect::PercentOff { percent, target, max_amount } => {
                let most = most(candidate, *max_amount);
                self.percent_off(ground, percent.ratio(), target, most);
            }
            Effect::AmountOff { amount, target } => self.amount_off(ground, amount.minor(), target),
            Effect::FixedPrice { amount, target } => self.fixed_price(ground, amount.minor(), target),
            Effect::FreeShipping => self.total = remains.fee().min(candidate.budget_left),
            Effect::BuyGet(buy_get) => self.buy_get(ground, buy_get),
            Effect::TieredPercent { tiers, max_amount } => {
                let most = most(candidate, *max_amount);
                let ratio = tier_reached(tiers, remains.total()).map_or(Ratio::NONE, |tier| tier.percent.ratio());
                self.percent_off(ground, ratio, &Target::Order, most);
            }
        }
    }

    fn percent_off(&mut self, ground: Ground<'_>, ratio: Ratio, target: &Target, most: i64) {
        match target {
            Target::Order => {
                let figure = ratio.of(ground.remains.total(), ground.rounding()).unwrap_or(i64::MAX);
                self.off_order(ground, figure.min(most));
            }
            Target::Items(items @ Items { max_quantity: None, .. }) => {
                self.percent_of_lines(ground, ratio, ground.meant(items), most);
            }
            Target::Items(items) => {
                self.pick_items(ground, items);
                self.round_units(ground, ratio, most, Pick::value);
            }
            Target::Shipping => {
                let figure = ratio.of(ground.remains.fee(), ground.rounding()).unwrap_or(i64::MAX);
                self.total = figure.min(most);
            }
        }
    }

    fn amount_off(&mut self, ground: Ground<'_>, amount: i64, target: &AmountTarget) {
        let amount_in_all = amount.min(ground.candidate.budget_left);
        match target {
            AmountTarget::Order => self.off_order(ground, amount_in_all),
            AmountTarget::Across(items @ Items { max_quantity: None, .. }) => {
                self.off_lines(ground, ground.meant(items), amount_in_all);
            }
            AmountTarget::Across(items) => {
                self.pick_items(ground, items);
                let value = self.value_of_picks().round(Ratio::ALL, ground.rounding());
                self.off_units(amount_in_all.min(value));
            }
            AmountTarget::Each(items) => {
                self.pick_items(ground, items);
                self.round_units(ground, Ratio::ALL, ground.candidate.budget_left, |pick| {
                    pick.value().at_most(product(amount, pick.taken))
                });
            }
            AmountTarget::Shipping => self.total = amount_in_all.min(ground.remains.fee()),
        }
    }

    fn fixed_price(&mut self, ground: Ground<'_>, amount: i64, target: &PriceTarget) {
        let most = ground.candidate.budget_left;
        match target {
            PriceTarget::Order => {
                self.off_order(ground, ground.remains.total().saturating_sub(amount).clamp(0, most));
            }
            PriceTarget::Each(items) => {
                self.pick_items(ground, items);
                self.round_units(ground, Ratio::ALL, most, |pick| pick.value().minus(product(amount, pick.taken)));
            }
            PriceTarget::Bundle { filter, quantity } => {
                self.gather(ground, ground.cart.meant(ground.candidate, filter.as_ref()).iter().copied());
                if self.take_dearest(quantity.get()) {
                    let above = self.value_of_picks().minus(amount.into()).round(Ratio::ALL, ground.rounding());
                    self.off_units(above.min(most));
                }
            }
        }
    }

    /// Whole applications only: as many as there are units to pay and units to discount. No unit is both, and units
    /// that were either before are excluded. Units to pay are first those that cannot be discounted, then the dearest.
    /// The discounted units are the cheapest.
    fn buy_get(&mut self, ground: Ground<'_>, definition: &BuyGet) {
        let [buy, get] = ground.buy_and_get(definition);
        let applications = self.gather_applications(ground, definition);
        if applications == 0 {
            return self.picks.clear();
        }
        let may = |lines: &[bool], pick: &Pick| lines.get(pick.line).copied().unwrap_or(false);
        self.sort_cheapest();
        let to_pay = applications.saturating_mul(definition.buy.quantity.get());
        let to_pay = self.pay_dearest(to_pay, |pick| may(buy, pick) && !may(get, pick));
        self.pay_dearest(to_pay, |pick| may(buy, pick) && may(get, pick));
        let to_get = applications.saturating_mul(definition.get.quantity.get());
        self.take_cheapest(to_get, |pick| if may(get, pick) { pick.unused() } else { 0 });
        self.round_units(ground, definition.get.percent.ratio(), ground.candidate.budget_left, Pick::value);
    }

    /// Raises a reward for units bought to its upper bound, whatever units others have used: the maximum number of
    /// applications, of the dearest units. Other offers stay as they are.
    pub(super) fn raise_reward(&mut self, cart: &Cart<'_>, candidate: &Candidate<'_>, remains: &Remains) {
        let Effect::BuyGet(definition) = &candidate.definition().effect else { return };
        let ground = Ground { cart, candidate, remains };
        let applications = self.gather_applications(ground, definition);
        let [_, get] = ground.buy_and_get(definition);
        self.gather(ground, get.iter().copied());
        self.take_dearest(applications.saturating_mul(definition.get.quantity.get()));
        self.round_units(ground, definition.get.percent.ratio(), ground.candidate.budget_left, Pick::value);
    }

    /// Lists the units that can be bought or given, and returns the maximum number of applications.
    fn gather_applications(&mut self, ground: Ground<'_>, definition: &BuyGet) -> i64 {
        let [buy, get] = ground.buy_and_get(definition);
        self.gather(ground, buy.iter().zip(get).map(|(buy, get)| *buy || *get));
        let (mut only_buy, mut only_get, mut both) = (0_i64, 0_i64, 0_i64);
        for pick in &self.picks {
            let units = match (buy.get(pick.line), get.get(pick.line)) {
                (Some(true), Some(true)) => &mut both,
                (Some(true), _) => &mut only_buy,
                _ => &mut only_get,
            };
            *units = units.saturating_add(pick.unused());
        }
        let (to_pay, to_get) = (definition.buy.quantity.get(), definition.get.quantity.get());
        let times = |units: i64, each: i64| units.checked_div(each).unwrap_or(0);
        times(only_buy.saturating_add(both), to_pay)
            .min(times(only_get.saturating_add(both), to_get))
            .min(times(only_buy.saturating_add(only_get).saturating_add(both), to_pay.saturating_add(to_get)))
            .min(definition.max_applications.map_or(i64::MAX, Quantity::get))
    }

    /// An amount off all lines, at most their remainder.
    fn off_order(&mut self, ground: Ground<'_>, amount: i64) {
        let total = ground.remains.total();
        self.total = amount.min(total);
        self.splitter.split(self.total, total, ground.remains.lines().iter().copied(), &mut self.row);
    }

    /// An amount off some lines, at most their remainder.
    fn off_lines(&mut self, ground: Ground<'_>, meant: &[bool], amount: i64) {
        let total = ground.remains.on(meant);
        self.total = amount.min(total);
        self.splitter.split(self.total, total, ground.remains.masked(meant), &mut self.row);
    }

    /// A share of each line, rounded per line.
    fn percent_of_lines(&mut self, ground: Ground<'_>, ratio: Ratio, meant: &[bool], most: i64) {
        let rounding = ground.rounding();
        let mut total = 0_i64;
        for (share, left) in self.row.iter_mut().zip(ground.remains.masked(meant)) {
            *share = ratio.of(left, rounding).unwrap_or(0);
            total = total.saturating_add(*share);
        }
        self.total = total;
        if total > most {
            self.off_lines(ground, meant, most);
        }
    }
}

/// Picking units.
impl Offer {
    fn pick_items(&mut self, ground: Ground<'_>, items: &Items) {
        self.gather(ground, ground.meant(items).iter().copied());
        if let Some(most) = items.max_quantity {
            self.sort_cheapest();
            self.take_cheapest(most.get(), |pick| pick.units);
        } else {
            self.picks.iter_mut().for_each(|pick| pick.taken = pick.units);
        }
    }

    /// Lists the runs of the matching lines.
    fn gather(&mut self, ground: Ground<'_>, meant: impl Iterator<Item = bool>) {
        self.picks.clear();
        for (line, (left, _)) in ground.remains.lines().iter().zip(meant).enumerate().filter(|(_, (_, meant))| *meant) {
            match ground.remains.runs_of(line) {
                [] => self.picks.push(Pick::of(Run { line, units: ground.cart.units(line), left: *left, used: 0 })),
                runs => self.picks.extend(runs.iter().copied().map(Pick::of)),
            }
        }
    }

    /// Sorts the indices of picks by the price of a unit, ties by index.
    fn sort_cheapest(&mut self) {
        let picks = &self.picks;
        let price = |one: &usize, other: &usize| match (picks.get(*one), picks.get(*other)) {
            (Some(one), Some(other)) => product(one.left, other.units).cmp(&product(other.left, one.units)),
            _ => Ordering::Equal,
        };
        self.cheapest.clear();
        self.cheapest.extend(0..picks.len());
        self.cheapest.sort_unstable_by(|one, other| price(one, other).then(one.cmp(other)));
    }

    /// Takes the cheapest units, at most `most` of every pick.
    fn take_cheapest(&mut self, mut units: i64, most: impl Fn(&Pick) -> i64) {
        for place in &self.cheapest {
            if let Some(pick) = self.picks.get_mut(*place) {
                pick.taken = most(pick).min(units);
                units = units.saturating_sub(pick.taken);
            }
        }
    }

    /// Takes the dearest units, if there are enough.
    fn take_dearest(&mut self, mut units: i64) -> bool {
        self.sort_cheapest();
        for place in self.cheapest.iter().rev() {
            if let Some(pick) = self.picks.get_mut(*place) {
                pick.taken = pick.units.min(units);
                units = units.saturating_sub(pick.taken);
            }
        }
        if units > 0 {
            self.picks.clear();
        }
        units == 0
    }

    /// Sets aside the dearest unused units of some picks, to be paid, and returns how many are missing.
    fn pay_dearest(&mut self, mut units: i64, may: impl Fn(&Pick) -> bool) -> i64 {
        for place in self.cheapest.iter().rev() {
            if let Some(pick) = self.picks.get_mut(*place).filter(|pick| may(pick)) {
                pick.paid = pick.unused().min(units);
                units = units.saturating_sub(pick.paid);
            }
        }
        units
    }

    fn value_of_picks(&self) -> Fraction {
        self.picks.iter().map(Pick::value).fold(Fraction::ZERO, Fraction::plus)
    }

    /// Takes a share of a figure per pick, rounded per line: each pick gets what its figure adds to the rounded sum of
    /// the line.
    fn round_units(&mut self, ground: Ground<'_>, ratio: Ratio, most: i64, figure: impl Fn(&Pick) -> Fraction) {
        self.row.fill(0);
        self.total = 0;
        for picks in self.picks.chunk_by_mut(|one, other| one.line == other.line) {
            let (mut exact, mut settled) = (Fraction::ZERO, 0_i64);
            for pick in picks.iter_mut() {
                exact = exact.plus(figure(pick));
                let sum = exact.round(ratio, ground.rounding());
                pick.off = sum.saturating_sub(settled);
                settled = sum;
            }
            if let Some(share) = picks.first().and_then(|pick| self.row.get_mut(pick.line)) {
                *share = settled;
            }
            self.total = self.total.saturating_add(settled);
        }
        if self.total > most {
            self.off_units(most);
        }
    }

    /// An amount off the picked units, at most their price, split over their lines by price.
    fn off_units(&mut self, amount: i64) {
        let denominator = self.picks.iter().map(|pick| pick.value().whole).max().unwrap_or(1);
        let exact = self.weigh_lines(denominator);
        let total = exact.or_else(|| self.weigh_lines(1)).unwrap_or(0);
        // For amounts so large that fractions of a minor unit do not fit, whole minor units are the weights.
        self.total = if exact.is_some() { amount } else { amount.min(total) };
        self.splitter.split(self.total, total, self.weights.iter().copied(), &mut self.row);
        self.spread();
    }

    /// Weighs every line by the price of its picked units, in fractions of a minor unit. Returns the sum; `None` on
    /// overflow.
    fn weigh_lines(&mut self, denominator: i128) -> Option<i64> {
        self.weights.clear();
        self.weights.resize(self.row.len(), 0);
        let mut total = 0_i64;
        for pick in &self.picks {
            let value = pick.value();
            let weight = value.part.checked_mul(denominator)?.checked_div(value.whole)?;
            let weight = i64::try_from(weight).ok()?;
            total = total.checked_add(weight)?;
            if let Some(line) = self.weights.get_mut(pick.line) {
                *line = line.saturating_add(weight);
            }
        }
        Some(total)
    }

    /// Splits the discount of every line over its picks by price. No pick gets more than its price.
    fn spread(&mut self) {
        for picks in self.picks.chunk_by_mut(|one, other| one.line == other.line) {
            let share = picks.first().and_then(|pick| self.row.get(pick.line)).copied().unwrap_or(0);
            let sum = picks.iter().map(|pick| pick.value().ceil()).fold(0, i64::saturating_add);
            let (mut weight, mut settled) = (0_i64, 0_i64);
            for pick in picks {
                weight = weight.saturating_add(pick.value().ceil());
                let so_far = round(product(share, weight), sum.into(), Rounding::Down).unwrap_or(0);
                pick.off = so_far.saturating_sub(settled);
                settled = so_far;
            }
        }
    }

    /// Splits an offer on whole lines over the runs of lines that have some.
    pub(super) fn spread_over_runs(&mut self, remains: &Remains) {
        if self.has_picks() {
            return;
        }
        for line in 0..self.row.len() {
            let runs = remains.runs_of(line).iter();
            self.picks.extend(runs.map(|run| Pick { taken: run.units, ..Pick::of(*run) }));
        }
        self.spread();
    }
}

/// The maximum discount of a percentage: its own maximum, and the budget.
fn most(candidate: &Candidate<'_>, max_amount: Option<Money>) -> i64 {
    max_amount.map_or(i64::MAX, Money::minor).min(candidate.budget_left)
}

fn tier_reached(tiers: &[Tier], spend: i64) -> Option<&Tier> {
    tiers.iter().rev().find(|tier| tier.min_spend.minor() <= spend)
}
