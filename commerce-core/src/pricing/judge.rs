//! Whether the conditions of a promotion hold, and what is missing if not.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::Datelike;

use super::cart::{Candidate, Cart};
use super::explanation::UnmetCondition;
use super::remains::Remains;
use crate::Quantity;
use crate::money::Money;
use crate::promotion::{Condition, Filter};

impl Cart<'_> {
    /// Whether all conditions of a candidate hold on the remainder.
    pub(super) fn holds_all(&self, candidate: &Candidate<'_>, remains: &Remains) -> bool {
        candidate.definition().conditions.iter().all(|condition| self.holds(candidate, remains, condition))
    }

    fn holds(&self, candidate: &Candidate<'_>, remains: &Remains, condition: &Condition) -> bool {
        let customer = &self.request.customer;
        match condition {
            Condition::MinSpend { amount, filter } => self.spend(candidate, remains, filter.as_ref()) >= amount.minor(),
            Condition::MinQuantity { quantity, filter } => {
                self.units_meant(candidate, filter.as_ref()) >= quantity.get()
            }
            Condition::Contains { filter } => self.meant(candidate, Some(filter)).contains(&true),
            Condition::Segment { any } => any.iter().any(|segment| customer.segments.contains(segment)),
            Condition::FirstOrder => customer.completed_orders == 0,
            Condition::NthOrder { n } => customer.completed_orders.checked_add(1) == Some(*n),
            Condition::ShippingMethod { any } => self.method().is_some_and(|method| any.contains(method)),
            Condition::Weekday { any } => any.contains(&self.request.at.weekday()),
            Condition::All { conditions } => conditions.iter().all(|inner| self.holds(candidate, remains, inner)),
            Condition::Any { conditions } => conditions.iter().any(|inner| self.holds(candidate, remains, inner)),
            Condition::Not { condition } => !self.holds(candidate, remains, condition),
        }
    }

    /// The conditions of a candidate that do not hold. Conditions that must all hold are listed side by side.
    pub(super) fn unmet(&self, candidate: &Candidate<'_>, remains: &Remains) -> Vec<UnmetCondition> {
        let mut unmet = Vec::new();
        self.add_unmet(candidate, remains, &candidate.definition().conditions, &mut unmet);
        unmet
    }

    fn add_unmet(
        &self,
        candidate: &Candidate<'_>,
        remains: &Remains,
        conditions: &[Condition],
        unmet: &mut Vec<UnmetCondition>,
    ) {
        for condition in conditions.iter().filter(|condition| !self.holds(candidate, remains, condition)) {
            if let Condition::All { conditions } = condition {
                self.add_unmet(candidate, remains, conditions, unmet);
            } else {
                unmet.push(self.gap(candidate, remains, condition));
            }
        }
    }

    /// What is missing for a condition that does not hold.
    fn gap(&self, candidate: &Candidate<'_>, remains: &Remains, condition: &Condition) -> UnmetCondition {
        let completed_orders = self.request.customer.completed_orders;
        match condition {
            Condition::MinSpend { amount, filter } => self.missing_spend(candidate, remains, *amount, filter.as_ref()),
            Condition::MinQuantity { quantity, filter } => self.missing_units(candidate, *quantity, filter.as_ref()),
            Condition::Contains { filter } => UnmetCondition::Contains { filter: filter.clone() },
            Condition::Segment { any } => UnmetCondition::Segment { any: any.clone() },
            Condition::FirstOrder => UnmetCondition::FirstOrder { completed_orders },
            Condition::NthOrder { n } => UnmetCondition::NthOrder { n: *n, completed_orders },
            Condition::ShippingMethod { any } => {
                UnmetCondition::ShippingMethod { any: any.clone(), chosen: self.method().cloned() }
            }
            Condition::Weekday { any } => UnmetCondition::Weekday { any: any.clone() },
            Condition::All { conditions } => {
                let mut unmet = Vec::new();
                self.add_unmet(candidate, remains, conditions, &mut unmet);
                UnmetCondition::All { unmet }
            }
            Condition::Any { conditions } => UnmetCondition::Any {
                unmet: conditions.iter().map(|inner| self.gap(candidate, remains, inner)).collect(),
            },
            Condition::Not { condition } => UnmetCondition::Not { condition: Box::new(Condition::clone(condition)) },
        }
    }

    fn missing_spend(
        &self,
        candidate: &Candidate<'_>,
        remains: &Remains,
        required: Money,
        filter: Option<&Filter>,
    ) -> UnmetCondition {
        let missing = required.minor().saturating_sub(self.spend(candidate, remains, filter));
        UnmetCondition::MinSpend {
            required,
            missing: Money::new(missing, required.currency()),
            filter: filter.cloned(),
        }
    }

    fn missing_units(&self, candidate: &Candidate<'_>, required: Quantity, filter: Option<&Filter>) -> UnmetCondition {
        let missing = required.get().saturating_sub(self.units_meant(candidate, filter));
        UnmetCondition::MinQuantity { required, missing, filter: filter.cloned() }
    }

    fn spend(&self, candidate: &Candidate<'_>, remains: &Remains, filter: Option<&Filter>) -> i64 {
        filter.map_or(remains.total(), |filter| remains.on(self.meant(candidate, Some(filter))))
    }

    fn units_meant(&self, candidate: &Candidate<'_>, filter: Option<&Filter>) -> i64 {
        let lines = self.request.lines.iter().zip(self.meant(candidate, filter)).filter(|(_, meant)| **meant);
        lines.map(|(line, _)| line.quantity.get()).fold(0, i64::saturating_add)
    }

    fn method(&self) -> Option<&String> {
        self.request.shipping.as_ref().map(|shipping| &shipping.method)
    }
}
