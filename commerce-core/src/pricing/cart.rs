//! A prepared request: the candidates, and the lines that match each of their filters.

use alloc::vec::Vec;
use core::ptr;

use super::explanation::Outcome;
use super::request::Request;
use crate::promotion::{Filter, Promotion, PromotionDefinition};

/// The lines of a request, with a table of the lines that match each filter.
pub(super) struct Cart<'r> {
    pub(super) request: &'r Request,
    /// Rows of one cell per line. All cells of the first row are true.
    meant: Vec<bool>,
    /// The filters of the other rows.
    filters: Vec<&'r Filter>,
}

/// A promotion that may apply.
pub(super) struct Candidate<'r> {
    pub(super) promotion: &'r Promotion,
    /// Its index in the explanation.
    pub(super) place: usize,
    pub(super) is_shipping: bool,
    /// The remaining budget, in minor units.
    pub(super) budget_left: i64,
    /// The index of its first filter among those of the cart.
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

    /// The lines that match a filter of a candidate, a cell per line. All match without a filter.
    pub(super) fn meant(&self, candidate: &Candidate<'_>, filter: Option<&Filter>) -> &[bool] {
        let row = filter.map_or(0, |filter| self.row(candidate, filter));
        let width = self.request.lines.len();
        let start = row.saturating_mul(width);
        self.meant.get(start..start.saturating_add(width)).unwrap_or_default()
    }

    /// The row of a filter. Equal filters are distinguished by their address.
    fn row(&self, candidate: &Candidate<'_>, filter: &Filter) -> usize {
        let filters = self.filters.iter().skip(candidate.first_filter);
        let before = filters.take_while(|known| !ptr::eq(**known, filter)).count();
        candidate.first_filter.saturating_add(before).saturating_add(1)
    }

    pub(super) fn units(&self, line: usize) -> i64 {
        self.request.lines.get(line).map_or(0, |line| line.quantity.get())
    }
}

/// Whether a promotion is automatic or its code was given.
pub(super) fn is_asked_for(request: &Request, promotion: &Promotion) -> bool {
    let matches = |code: &str| request.codes.iter().any(|given| request.code_matching.same(given, code));
    promotion.definition().code.as_deref().is_none_or(matches)
}

/// Why a promotion is excluded before its conditions are evaluated; `None` if it is not.
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
