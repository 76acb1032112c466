//! The combination of promotions that costs the customer least.
//!
//! A combination is admissible if each of its promotions, in the usual order and on the remainder of the earlier ones,
//! meets its conditions and gives a discount, and no two are of one group. The search decides the candidates one by
//! one, first with the candidate and then without it, and leaves a branch when no completion of it can win.
//!
//! # Why the search is exact
//! Let `W` be what the customer would pay for the remaining lines, with unrounded tax on top. Each candidate has
//! constants, computed on the *undiscounted* cart, such that it takes at most `min(cap, share × min(W, base) + slack)`
//! off `W`, whatever else applies before it:
//!
//! * `base` is `W` of the candidate's lines, undiscounted. Their remainder is never more.
//! * A percentage of whole lines takes its `share` of them. `slack` covers rounding (at most half a minor unit per
//!   rounded figure) and splitting over lines taxed differently (less than a minor unit per line).
//! * Any other effect takes at most what it takes off the undiscounted cart, times the highest tax on its lines. Each
//!   is monotone: an amount, a cap, a price above a fixed one, and the sum of the k cheapest or dearest units do not
//!   grow if each unit costs the same or less. `cap` includes the rounding, less than a minor unit per line.
//! * A reward for units bought is not monotone beside another one, which may use the cheapest units. If there are
//!   several, each counts as if it discounted the dearest units, as often as the undiscounted cart allows. With fewer
//!   units it is not given more often.
//! * A maximum amount and a budget are caps.
//!
//! The remainder `W − min(cap, share × min(W, base) + slack)` rises with `W` because `share ≤ 1`, and is at most `W`.
//! Applying these steps for *all* undecided candidates in turn therefore gives a lower bound for every subset of them:
//! a subset skips steps, and each skipped step leaves a `W` at least as large for the next. The same holds for the
//! shipping fee. Rounding the tax lowers the sum by less than a minor unit per taxed line. Conditions and groups only
//! exclude completions.
//!
//! A branch is left if this bound is above the best total, or equal to it and no set of the branch wins the tie.
//!
//! # Ties
//! Two sets with equal totals: the winner has the promotion of highest priority that the other does not have.

use alloc::vec;
use alloc::vec::Vec;
use core::cmp::{Ordering, Reverse};

use super::cart::{Candidate, Cart};
use super::offer::Offer;
use super::remains::Remains;
use super::selection::{Verdict, judge};
use super::tax::Levy;
use crate::money::ratio::{Ratio, product};
use crate::money::{Money, Rounding};
use crate::promotion::{Effect, Items, Percent, Target};

/// Up to this number of candidates and [`PROVEN_LINES`] lines, the best combination is always found and proven. On
/// longer carts it nearly always is; only constructed cases exceed the work limit.
pub const PROVEN_CANDIDATES: usize = 16;

/// The maximum number of lines for which [`PROVEN_CANDIDATES`] are always searched completely.
pub const PROVEN_LINES: usize = 100;

/// The work limit of a search, in steps weighed by their size. A search decides each candidate at most once for each
/// decision about those before it, so this is enough for [`PROVEN_CANDIDATES`].
const MAX_WORK: usize = step(PROVEN_LINES, PROVEN_CANDIDATES) << PROVEN_CANDIDATES;

/// The work limit of a search with more candidates. Most end long before; the others rarely gain by more work.
const MAX_WORK_UNPROVEN: usize = MAX_WORK >> 2;

/// The cost of deciding a candidate: a pass over every line and every remaining candidate.
const fn step(lines: usize, candidates: usize) -> usize {
    lines.saturating_add(candidates).div_ceil(16)
}

/// The binary places of the fixed-point figures below.
const PLACES: u32 = 20;

pub(super) struct Choice {
    /// A cell per candidate.
    pub(super) chosen: Vec<bool>,
    pub(super) proven: bool,
}

/// The upper bound of what a candidate takes off, in 2⁻²⁰ minor units, tax on top included.
struct Bound {
    share: Ratio,
    slack: i128,
    base: i128,
    cap: i128,
}

impl Bound {
    /// The least that can remain of `weight` after the candidate.
    fn after(&self, weight: i128) -> i128 {
        let (part, whole) = (i128::from(self.share.part()), i128::from(self.share.whole()));
        let taken = weight.min(self.base).checked_mul(part).and_then(|parts| parts.checked_div(whole));
        let taken = taken.unwrap_or(weight); // a figure too large to say: it may take all
        weight.saturating_sub(taken.saturating_add(self.slack).min(self.cap)).max(0)
    }
}

pub(super) struct Search<'s> {
    cart: &'s Cart<'s>,
    candidates: &'s [Candidate<'s>],
    levy: &'s Levy,
    offer: &'s mut Offer,
    bounds: Vec<Bound>,
    /// A minor unit of each line with tax on top, in 2⁻²⁰ minor units, rounded down.
    weights: Vec<i64>,
    /// The same for the fee.
    fee_weight: i64,
    /// Candidates from the highest priority to the lowest.
    by_priority: Vec<usize>,
    /// The remainder after each promotion of the present set.
    levels: Vec<Remains>,
    present: Vec<bool>,
    best: Vec<bool>,
    best_total: i64,
    work_left: usize,
    has_answer: bool,
    /// Whether several rewards for units bought may take units from each other.
    has_rival_rewards: bool,
}

impl<'s> Search<'s> {
    pub(super) fn new(
        cart: &'s Cart<'_>,
        candidates: &'s [Candidate<'_>],
        levy: &'s Levy,
        offer: &'s mut Offer,
        undiscounted: &Remains,
    ) -> Self {
        let mut weights = weights(cart, levy);
        let fee_weight = weights.pop().unwrap_or(1 << PLACES);
        let mut by_priority: Vec<usize> = (0..candidates.len()).collect();
        let rank = |index: &usize| candidates.get(*index).map(|one| (Reverse(one.definition().priority), one.place));
        by_priority.sort_by_key(rank);
        let rewards = candidates.iter().filter(|one| matches!(one.definition().effect, Effect::BuyGet(_))).count();
        let mut start = Remains::default();
        start.copy_from(undiscounted);
        let mut search = Self {
            cart,
            candidates,
            levy,
            offer,
            bounds: Vec::with_capacity(candidates.len()),
            weights,
            fee_weight,
            by_priority,
            levels: vec![start],
            present: vec![false; candidates.len()],
            best: vec![false; candidates.len()],
            best_total: i64::MAX,
            work_left: if candidates.len() > PROVEN_CANDIDATES { MAX_WORK_UNPROVEN } else { MAX_WORK },
            has_answer: false,
            has_rival_rewards: rewards > 1,
        };
        for candidate in candidates {
            let bound = search.bound(candidate, undiscounted);
            search.bounds.push(bound);
        }
        search
    }

    /// Searches. A set whose total overflows is no answer. Without any answer, nothing is chosen.
    pub(super) fn run(mut self) -> Choice {
        self.visit(0, 0);
        Choice { chosen: self.best, proven: self.work_left > 0 }
    }

    /// Decides the candidates from `index` on, on the remainder at `level`. The first completed set is that of the
    /// priorities, so the best one is never worse.
    fn visit(&mut self, mut index: usize, level: usize) {
        while index < self.candidates.len() && self.can_still_win(index, level) {
            if !self.may_work() {
                return;
            }
            if self.include(index, level) {
                self.set_present(index, true);
                self.visit(index.saturating_add(1), level.saturating_add(1));
                self.set_present(index, false);
            }
            index = index.saturating_add(1);
        }
        if index == self.candidates.len() {
            self.complete(level);
        }
    }

    /// Writes the remainder after a candidate to the next level, if the candidate can apply.
    fn include(&mut self, index: usize, level: usize) -> bool {
        let next = level.saturating_add(1);
        if self.levels.len() <= next {
            self.levels.push(Remains::default());
        }
        let (cart, candidates) = (self.cart, self.candidates);
        let (Some(candidate), Some((done, rest))) = (candidates.get(index), self.levels.split_at_mut_checked(next))
        else {
            return false;
        };
        let (Some(remains), Some(after)) = (done.last(), rest.first_mut()) else { return false };
        let is_barred = candidate.definition().exclusive || is_group_taken(candidates, &self.present, candidate);
        if is_barred || !matches!(judge(cart, candidate, remains, self.offer), Verdict::Gives(_)) {
            return false;
        }
        after.copy_from(remains);
        if candidate.is_shipping {
            after.take_off_fee(self.offer);
        } else {
            after.take_off_lines(self.offer);
        }
        true
    }

    /// Compares a complete set with the best one.
    fn complete(&mut self, level: usize) {
        self.has_answer = true;
        let Some(total) = self.levels.get(level).and_then(|remains| self.levy.total(remains)) else { return };
        let wins = match total.cmp(&self.best_total) {
            Ordering::Less => true,
            Ordering::Equal => self.wins_tie(|index| self.is_present(index)),
            Ordering::Greater => false,
        };
        if wins {
            self.best_total = total;
            self.best.clone_from(&self.present);
        }
    }

    /// Whether a set has the promotion of highest priority in which it differs from the best set.
    fn wins_tie(&self, has: impl Fn(usize) -> bool) -> bool {
        let differs = |index: &&usize| has(**index) != self.best.get(**index).copied().unwrap_or(false);
        self.by_priority.iter().find(differs).is_some_and(|index| has(*index))
    }

    /// Whether a completion of the present set, decided up to `index`, can be the best.
    fn can_still_win(&self, index: usize, level: usize) -> bool {
        let Some(remains) = self.levels.get(level) else { return false };
        match self.least_total(index, remains).cmp(&self.best_total.into()) {
            Ordering::Less => true,
            Ordering::Equal => self.wins_tie(|other| other >= index || self.is_present(other)),
            Ordering::Greater => false,
        }
    }

    /// The lower bound of the module's docs.
    fn least_total(&self, index: usize, remains: &Remains) -> i128 {
        let (mut lines, mut fee) = self.weigh(remains);
        for (bound, candidate) in self.bounds.iter().zip(self.candidates).skip(index) {
            let weight = if candidate.is_shipping { &mut fee } else { &mut lines };
            *weight = bound.after(*weight);
        }
        let taxed = self.levy.on_top().map_or(0, |ratios| ratios.iter().filter(|ratio| !ratio.is_none()).count());
        let tax_rounding = i128::try_from(taxed).unwrap_or(i128::MAX).saturating_mul(1 << PLACES);
        let least = lines.saturating_add(fee).saturating_sub(tax_rounding);
        least.saturating_add((1 << PLACES) - 1) >> PLACES
    }

    /// A lower bound of what the customer would pay for the lines and for the fee, close to it.
    fn weigh(&self, remains: &Remains) -> (i128, i128) {
        let lines = self.weights.iter().zip(remains.lines()).map(|(weight, left)| product(*weight, *left));
        (lines.fold(0, i128::saturating_add), product(self.fee_weight, remains.fee()))
    }

    fn bound(&mut self, candidate: &Candidate<'_>, undiscounted: &Remains) -> Bound {
        let effect = &candidate.definition().effect;
        let meant = self.cart.meant(candidate, effect.filter());
        let ground = Ground::of(self, meant, undiscounted, candidate.is_shipping);
        let (share, slack) = match share_of_lines(effect) {
            Some(share) if is_rounded_per_line(effect) => (share, ground.rounding_per_line()),
            Some(share) => (share, ground.rounding_once()),
            None => (Ratio::ALL, 0),
        };
        Bound { share, slack, base: ground.base, cap: self.cap(candidate, &ground, undiscounted) }
    }

    /// The maximum discount of a candidate apart from its share.
    fn cap(&mut self, candidate: &Candidate<'_>, ground: &Ground, undiscounted: &Remains) -> i128 {
        let most = if let Effect::TieredPercent { max_amount, .. } = candidate.definition().effect {
            max_amount.map_or(i64::MAX, Money::minor) // a higher tier than on the undiscounted cart may apply
        } else {
            self.offer.work_out(self.cart, candidate, undiscounted);
            if self.has_rival_rewards {
                self.offer.raise_reward(self.cart, candidate, undiscounted);
            }
            self.offer.total.saturating_add(ground.lines)
        };
        ground.heaviest.saturating_mul(most.min(candidate.budget_left).into())
    }

    fn is_present(&self, index: usize) -> bool {
        self.present.get(index).copied().unwrap_or(false)
    }

    fn set_present(&mut self, index: usize, is_present: bool) {
        if let Some(cell) = self.present.get_mut(index) {
            *cell = is_present;
        }
    }

    /// Counts a step. False if the work limit is reached. The path to the first set is always completed.
    fn may_work(&mut self) -> bool {
        let step = step(self.cart.request.lines.len(), self.candidates.len());
        self.work_left = self.work_left.saturating_sub(step);
        self.work_left > 0 || !self.has_answer
    }
}

/// The percentage that an effect takes of whole lines or of the fee; the highest of its tiers.
fn share_of_lines(effect: &Effect) -> Option<Ratio> {
    let percent = match effect {
        Effect::PercentOff { percent, target, .. } => {
            let is_whole = !matches!(target, Target::Items(Items { max_quantity: Some(_), .. }));
            is_whole.then_some(*percent)
        }
        Effect::TieredPercent { tiers, .. } => {
            tiers.iter().map(|tier| tier.percent).max_by_key(|percent| percent.decimal())
        }
        Effect::AmountOff { .. } | Effect::FixedPrice { .. } | Effect::FreeShipping | Effect::BuyGet(_) => None,
    };
    percent.map(Percent::ratio)
}

fn is_rounded_per_line(effect: &Effect) -> bool {
    matches!(effect, Effect::PercentOff { target: Target::Items(_), .. })
}

/// The undiscounted lines of a candidate, in the terms of a [`Bound`].
struct Ground {
    base: i128,
    /// The largest and the smallest factor of tax on top.
    heaviest: i128,
    lightest: i128,
    lines: i64,
}

impl Ground {
    fn of(search: &Search<'_>, meant: &[bool], undiscounted: &Remains, is_shipping: bool) -> Self {
        if is_shipping {
            let weight = i128::from(search.fee_weight).saturating_add(1);
            let base = weight.saturating_mul(undiscounted.fee().into());
            return Self { base, heaviest: weight, lightest: weight, lines: 1 };
        }
        let mut ground = Self { base: 0, heaviest: 0, lightest: i128::MAX, lines: 0 };
        let lines = search.weights.iter().zip(undiscounted.lines()).zip(meant).filter(|(_, meant)| **meant);
        for ((weight, left), _) in lines {
            let weight = i128::from(*weight).saturating_add(1);
            ground.base = ground.base.saturating_add(weight.saturating_mul((*left).into()));
            ground.heaviest = ground.heaviest.max(weight);
            ground.lightest = ground.lightest.min(weight);
            ground.lines = ground.lines.saturating_add(1);
        }
        ground
    }

    /// The slack of one rounded figure, split over lines that may be taxed differently.
    fn rounding_once(&self) -> i128 {
        let uneven = self.heaviest.saturating_sub(self.lightest).max(0).saturating_mul(self.lines.into());
        self.heaviest.saturating_add(uneven).saturating_add(1)
    }

    /// The slack of a figure rounded on every line.
    fn rounding_per_line(&self) -> i128 {
        self.heaviest.saturating_mul(self.lines.into()).saturating_add(1)
    }
}

/// A minor unit of each line with tax on top, and last of the fee.
fn weights(cart: &Cart<'_>, levy: &Levy) -> Vec<i64> {
    let untaxed = 1_i64 << PLACES;
    match levy.on_top() {
        None => vec![untaxed; cart.request.lines.len().saturating_add(1)],
        Some(ratios) => {
            let tax = |ratio: &Ratio| ratio.of(untaxed, Rounding::Down).unwrap_or(0);
            ratios.iter().map(|ratio| untaxed.saturating_add(tax(ratio))).collect()
        }
    }
}

fn is_group_taken(candidates: &[Candidate<'_>], present: &[bool], candidate: &Candidate<'_>) -> bool {
    let group = candidate.definition().group.as_deref();
    let mut others = candidates.iter().zip(present).filter(|(_, present)| **present);
    group.is_some() && others.any(|(other, _)| other.definition().group.as_deref() == group)
}
