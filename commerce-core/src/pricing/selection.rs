//! Which promotions apply, and the outcomes of the others.

use alloc::vec::Vec;
use core::cmp::Reverse;

use super::best::{Choice, Search};
use super::cart::{Candidate, Cart, is_asked_for, is_out};
use super::explanation::{AppliedTo, NoEffect, Outcome, PromotionOutcome};
use super::offer::Offer;
use super::remains::Remains;
use super::request::{Request, Selection};
use super::tax::Levy;
use crate::ids::PromotionId;
use crate::money::Money;
use crate::promotion::{Effect, PriceTarget};

/// The result of a candidate on the present remainder.
pub(super) enum Verdict {
    /// A condition does not hold.
    NotMet,
    /// It would give no discount.
    NoEffect,
    /// The discount; the offer has its parts.
    Gives(i64),
}

/// Promotions being applied to a cart.
pub(super) struct Session<'r> {
    cart: Cart<'r>,
    /// In the order of application: lines before shipping, higher priority first, then the order of the list.
    candidates: Vec<Candidate<'r>>,
    offer: Offer,
    remains: Remains,
    /// Indices of the candidates that gave a discount.
    applied: Vec<usize>,
    turns: usize,
    pub(super) explanation: Vec<PromotionOutcome>,
    pub(super) shares: Vec<i64>,
    pub(super) proven_best: Option<bool>,
}

impl<'r> Session<'r> {
    /// Finds the candidates. `None` on overflow.
    pub(super) fn new(request: &'r Request) -> Option<Self> {
        let mut cart = Cart::of(request);
        let remains = Remains::undiscounted(&cart)?;
        let mut candidates: Vec<Candidate<'r>> = Vec::with_capacity(request.promotions.len());
        let mut explanation = Vec::with_capacity(request.promotions.len());
        for promotion in request.promotions.iter().filter(|promotion| is_asked_for(request, promotion)) {
            let out = is_out(request, promotion);
            if out.is_none() {
                candidates.push(cart.candidate(promotion, explanation.len()));
            }
            explanation.push(PromotionOutcome {
                promotion_id: promotion.id().clone(),
                code: promotion.definition().code.clone(),
                outcome: out.unwrap_or(Outcome::NoEffect { reason: NoEffect::NothingToTakeOff }),
            });
        }
        candidates.sort_by_key(|candidate| (candidate.is_shipping, Reverse(candidate.definition().priority)));
        let shares = Vec::with_capacity(candidates.len().saturating_mul(request.lines.len()));
        let offer = Offer::new(request.lines.len());
        Some(Self {
            cart,
            candidates,
            offer,
            remains,
            applied: Vec::new(),
            turns: 0,
            explanation,
            shares,
            proven_best: None,
        })
    }

    pub(super) const fn remains(&self) -> &Remains {
        &self.remains
    }

    /// Applies the candidates by the selection.
    pub(super) fn select(&mut self, levy: &Levy) {
        let best = self.cart.request.selection == Selection::Best;
        self.proven_best = best.then_some(true);
        if let Some(winner) = self.exclusive_winner() {
            self.apply_alone(winner);
        } else if best {
            self.apply_best(levy);
        } else {
            self.apply_in_order();
        }
    }

    /// The exclusive promotion that applies alone: of those that would discount the undiscounted cart, the one of
    /// highest priority, on lines or on shipping.
    fn exclusive_winner(&mut self) -> Option<usize> {
        let mut winner: Option<(Reverse<i32>, usize, usize)> = None;
        for index in 0..self.candidates.len() {
            let Some(candidate) = self.candidates.get(index).filter(|candidate| candidate.definition().exclusive)
            else {
                continue;
            };
            let rank = (Reverse(candidate.definition().priority), candidate.place, index);
            let gives = matches!(judge(&self.cart, candidate, &self.remains, &mut self.offer), Verdict::Gives(_));
            if gives && winner.is_none_or(|winner| rank < winner) {
                winner = Some(rank);
            }
        }
        winner.map(|(_, _, index)| index)
    }

    fn apply_alone(&mut self, winner: usize) {
        let others: Vec<usize> = (0..self.candidates.len()).filter(|index| *index != winner).collect();
        self.try_to_apply(winner);
        self.explain_losers(&others);
    }

    fn apply_in_order(&mut self) {
        let mut passed_over = Vec::new();
        for index in 0..self.candidates.len() {
            if self.is_passed_over(index) {
                passed_over.push(index);
            } else {
                self.try_to_apply(index);
            }
        }
        self.explain_losers(&passed_over);
    }

    fn apply_best(&mut self, levy: &Levy) {
        let search = Search::new(&self.cart, &self.candidates, levy, &mut self.offer, &self.remains);
        let Choice { chosen, proven } = search.run();
        self.proven_best = Some(proven);
        let mut others = Vec::new();
        for (index, chosen) in chosen.into_iter().enumerate() {
            if chosen {
                self.try_to_apply(index);
            } else {
                others.push(index);
            }
        }
        self.explain_losers(&others);
    }

    /// Whether a candidate is excluded: it is exclusive, or another of its group has applied.
    fn is_passed_over(&self, index: usize) -> bool {
        let candidate = self.candidates.get(index);
        candidate
            .is_some_and(|candidate| candidate.definition().exclusive || self.winners_over(candidate).next().is_some())
    }

    /// The applied promotions of a candidate's group.
    fn winners_over<'s>(&'s self, candidate: &'s Candidate<'_>) -> impl Iterator<Item = &'s Candidate<'r>> {
        let group = candidate.definition().group.as_deref();
        let applied = self.applied.iter().filter_map(|index| self.candidates.get(*index));
        applied.filter(move |other| group.is_some() && other.definition().group.as_deref() == group)
    }

    /// Applies a candidate to the remainder, if it can, and records its outcome.
    fn try_to_apply(&mut self, index: usize) {
        let Some(candidate) = self.candidates.get(index) else { return };
        let (place, is_shipping) = (candidate.place, candidate.is_shipping);
        let outcome = match judge(&self.cart, candidate, &self.remains, &mut self.offer) {
            Verdict::NotMet => Outcome::ConditionsNotMet { unmet: self.cart.unmet(candidate, &self.remains) },
            Verdict::NoEffect => Outcome::NoEffect { reason: no_effect(&self.cart, candidate, &self.remains) },
            Verdict::Gives(amount) => {
                self.applied.push(index);
                let off = self.take_off(is_shipping);
                Outcome::Applied { amount: self.money(amount), off }
            }
        };
        self.explain(place, outcome);
    }

    /// Takes the present offer off the remainder and records its shares.
    fn take_off(&mut self, is_shipping: bool) -> AppliedTo {
        if is_shipping {
            self.remains.take_off_fee(&self.offer);
            return AppliedTo::Shipping;
        }
        self.remains.take_off_lines(&mut self.offer);
        self.shares.extend_from_slice(&self.offer.row);
        let turn = self.turns;
        self.turns = turn.saturating_add(1);
        AppliedTo::Lines { turn }
    }

    /// Records the outcomes of excluded candidates. Each is judged alone on the undiscounted cart: if it fails there,
    /// that is its reason, otherwise it was superseded.
    fn explain_losers(&mut self, losers: &[usize]) {
        if losers.is_empty() {
            return;
        }
        let Some(undiscounted) = Remains::undiscounted(&self.cart) else { return };
        for index in losers {
            let Some(candidate) = self.candidates.get(*index) else { continue };
            let outcome = match judge(&self.cart, candidate, &undiscounted, &mut self.offer) {
                Verdict::NotMet => Outcome::ConditionsNotMet { unmet: self.cart.unmet(candidate, &undiscounted) },
                Verdict::NoEffect => Outcome::NoEffect { reason: no_effect(&self.cart, candidate, &undiscounted) },
                Verdict::Gives(amount) => self.beaten(candidate, amount),
            };
            let place = candidate.place;
            self.explain(place, outcome);
        }
    }

    /// Superseded by the applied promotion of its group, or otherwise by all applied ones.
    fn beaten(&self, candidate: &Candidate<'_>, amount: i64) -> Outcome {
        let mut winners: Vec<&Candidate<'_>> = self.winners_over(candidate).collect();
        if winners.is_empty() {
            winners = self.applied.iter().filter_map(|index| self.candidates.get(*index)).collect();
        }
        let given = winners.iter().map(|winner| self.given(winner)).fold(0, i64::saturating_add);
        let by: Vec<PromotionId> = winners.into_iter().map(|winner| winner.promotion.id().clone()).collect();
        let by_amount = self.money(given.saturating_sub(amount));
        Outcome::Superseded { by, would_save: self.money(amount), by_amount }
    }

    fn given(&self, candidate: &Candidate<'_>) -> i64 {
        match self.explanation.get(candidate.place).map(|explained| &explained.outcome) {
            Some(Outcome::Applied { amount, .. }) => amount.minor(),
            _ => 0,
        }
    }

    fn explain(&mut self, place: usize, outcome: Outcome) {
        if let Some(explained) = self.explanation.get_mut(place) {
            explained.outcome = outcome;
        }
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.cart.request.currency)
    }
}

/// Judges a candidate on the remainder. If it applies, the offer has its discount.
pub(super) fn judge(cart: &Cart<'_>, candidate: &Candidate<'_>, remains: &Remains, offer: &mut Offer) -> Verdict {
    if !cart.holds_all(candidate, remains) {
        return Verdict::NotMet;
    }
    offer.work_out(cart, candidate, remains);
    if offer.total == 0 { Verdict::NoEffect } else { Verdict::Gives(offer.total) }
}

/// Why a candidate whose conditions hold gives no discount.
fn no_effect(cart: &Cart<'_>, candidate: &Candidate<'_>, remains: &Remains) -> NoEffect {
    let effect = &candidate.definition().effect;
    let meant = cart.meant(candidate, effect.filter());
    let (matches, left) = if candidate.is_shipping {
        (cart.request.shipping.is_some(), remains.fee())
    } else {
        (meant.contains(&true), remains.on(meant))
    };
    if !matches {
        NoEffect::NothingMatches
    } else if left == 0 {
        NoEffect::NothingLeft
    } else if matches!(effect, Effect::BuyGet(_) | Effect::FixedPrice { target: PriceTarget::Bundle { .. }, .. }) {
        NoEffect::TooFewUnits
    } else {
        NoEffect::NothingToTakeOff
    }
}
