//! A request made ready: which promotions are candidates, and which lines each of their filters means.

use alloc::vec::Vec;
use core::ptr;

use super::explanation::Outcome;
use super::request::Request;
use crate::promotion::{Filter, Promotion, PromotionDefinition};

/// The lines of a request, with a table of which of them every filter means.
pub(super) struct Cart<'r> {
    pub(super) request: &'r Request,
    /// Rows of one cell per line; the first row means all lines.
    meant: Vec<bool>,
    /// The filters of the other rows.
    filters: Vec<&'r Filter>,
}

/// A promotion that may apply.
pub(super) struct Candidate<'r> {
    pub(super) promotion: &'r Promotion,
    /// Its place in the explanation.
    pub(super) place: usize,
    pub(super) is_shipping: bool,
    /// The most its budget still gives, in minor units.
    pub(super) budget_left: i64,
    /// Where its filters start among those of the cart.
    first_filter: usize,
}

impl Candidate<'_> {
    pub(super) fn definition(&self) -> &PromotionDefinition {
        self.promotion.definition()
    }
}

impl<'r> Cart<'r> {
    pub(super) fn of(request: &'r Request) -> Self {
        let mut meant = Vec::with_capacity(request.lines.len().saturating_mul(2));
        meant.resize(request.lines.len(), true);
        Self { request, meant, filters: Vec::new() }
    }

    /// Adds a candidate, and a row for each of its filters.
    pub(super) fn candidate(&mut self, promotion: &'r Promotion, place: usize) -> Candidate<'r> {
        let (definition, first_filter) = (promotion.definition(), self.filters.len());
        let mut add = |filter: &'r Filter| self.filters.push(filter);
        definition.conditions.iter().for_each(|condition| condition.filters(&mut add));
        definition.effect.filters().for_each(add);
        for filter in self.filters.iter().skip(first_filter) {
            self.meant.extend(self.request.lines.iter().map(|line| filter.matches(&line.sku, &line.categories)));
        }
        Candidate {
            promotion,
            place,
            is_shipping: definition.effect.is_shipping(),
            budget_left: definition.limits.budget_left(promotion.usage()).unwrap_or(i64::MAX),
            first_filter,
        }
    }

    /// Which lines a filter of a candidate means, a cell per line; without a filter all are meant.
    pub(super) fn meant(&self, candidate: &Candidate<'_>, filter: Option<&Filter>) -> &[bool] {
        let row = filter.map_or(0, |filter| self.row(candidate, filter));
        let width = self.request.lines.len();
        let start = row.saturating_mul(width);
        self.meant.get(start..start.saturating_add(width)).unwrap_or_default()
    }

    /// The row of a filter, which is told from its equals by where it stands.
    fn row(&self, candidate: &Candidate<'_>, filter: &Filter) -> usize {
        let filters = self.filters.iter().skip(candidate.first_filter);
        let before = filters.take_while(|known| !ptr::eq(**known, filter)).count();
        candidate.first_filter.saturating_add(before).saturating_add(1)
    }

    /// The units of a line.
    pub(super) fn units(&self, line: usize) -> i64 {
        self.request.lines.get(line).map_or(0, |line| line.quantity.get())
    }
}

/// Whether the buyer may ask for a promotion: it is automatic, or its code was given.
pub(super) fn is_asked_for(request: &Request, promotion: &Promotion) -> bool {
    let matches = |code: &str| request.codes.iter().any(|given| request.code_matching.same(given, code));
    promotion.definition().code.as_deref().is_none_or(matches)
}

/// Why a promotion is out before any condition is looked at; `None` if it is not.
pub(super) fn is_out(request: &Request, promotion: &Promotion) -> Option<Outcome> {
    let definition = promotion.definition();
    if let Some(starts_at) = definition.starts_at.filter(|start| request.at < *start) {
        return Some(Outcome::NotStarted { starts_at });
    }
    if let Some(ends_at) = definition.ends_at.filter(|end| request.at >= *end) {
        return Some(Outcome::Expired { ends_at });
    }
    definition.limits.reached(promotion.usage()).map(|limit| Outcome::LimitReached { limit })
}
