//! Lifecycles.

use std::collections::BTreeSet;

use commerce_core::actor::Role;
use commerce_core::order::{
    Lifecycle, LifecycleDraft, PaymentEffect, Phase, PromotionEffect, StockEffect, Transition, Trigger, Window,
    WindowStart,
};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// One of the built-in lifecycles.
pub fn built_in() -> impl Strategy<Value = Lifecycle> {
    select(Lifecycle::BUILT_IN.to_vec()).prop_map(|name| Lifecycle::built_in(name).expect("it is built in"))
}

/// A built-in lifecycle with some changes. Most are invalid.
pub fn draft() -> impl Strategy<Value = LifecycleDraft> {
    (built_in(), vec(change(), 0..=4)).prop_map(|(lifecycle, changes)| {
        let mut draft = LifecycleDraft::from(lifecycle);
        for change in changes {
            change.make(&mut draft);
        }
        draft
    })
}

/// A valid lifecycle, usually not a built-in one.
pub fn custom() -> impl Strategy<Value = Lifecycle> {
    draft().prop_filter_map("an invalid lifecycle", |draft| Lifecycle::try_from(draft).ok())
}

#[derive(Clone, Debug)]
enum Change {
    Drop(Index),
    Add(Index, Index, Trigger, StockEffect, PaymentEffect),
    Stock(Index, StockEffect),
    Payment(Index, PaymentEffect),
    Trigger(Index, Trigger),
    Target(Index, Index),
    Phase(Index, Phase),
    Roles(Index, BTreeSet<Role>, bool),
    DropState(Index),
}

impl Change {
    fn make(&self, draft: &mut LifecycleDraft) {
        let states: Vec<_> = draft.states.iter().map(|state| state.name.clone()).collect();
        let (ways, count) = (&mut draft.transitions, draft.states.len());
        if ways.is_empty() || count == 0 {
            return;
        }
        let way = |index: &Index| index.index(ways.len());
        match self {
            Self::Drop(index) => drop(ways.remove(way(index))),
            Self::Add(from, to, trigger, stock, payment) => {
                let roles = [Role::Customer, Role::Support, Role::Admin, Role::Service, Role::System].into();
                let (from, to) = (from.get(&states).clone(), to.get(&states).clone());
                let (trigger, stock, payment) = (*trigger, *stock, *payment);
                ways.push(Transition {
                    from,
                    to,
                    trigger,
                    roles,
                    window: None,
                    stock,
                    payment,
                    promotions: PromotionEffect::None,
                });
            }
            Self::Stock(index, stock) => index.get_mut(ways).stock = *stock,
            Self::Payment(index, payment) => index.get_mut(ways).payment = *payment,
            Self::Trigger(index, trigger) => index.get_mut(ways).trigger = *trigger,
            Self::Target(index, state) => index.get_mut(ways).to = state.get(&states).clone(),
            Self::Roles(index, roles, is_limited) => {
                let way = index.get_mut(ways);
                way.roles.clone_from(roles);
                way.window = is_limited.then_some(Window { since: WindowStart::Placed, seconds: 86_400 });
            }
            Self::Phase(index, phase) => index.get_mut(&mut draft.states).phase = *phase,
            Self::DropState(index) => drop(draft.states.remove(index.index(count))),
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let stock = || {
        use StockEffect::{Confirm, Fulfil, None, Release, Restock};
        select(vec![None, Confirm, Release, Fulfil, Restock])
    };
    let payment = || select(vec![PaymentEffect::None, PaymentEffect::Refund]);
    let trigger = || {
        use Trigger::{Advance, Cancel, Expiry, Pay, PaymentFailure, Place, Return};
        select(vec![Advance, Cancel, Pay, PaymentFailure, Expiry, Return, Place])
    };
    let index = any::<Index>;
    let role = select(vec![Role::Customer, Role::Support, Role::Admin, Role::Service, Role::System]);
    prop_oneof![
        2 => index().prop_map(Change::Drop),
        6 => (index(), index(), trigger(), stock(), payment()).prop_map(|(a, b, c, d, e)| Change::Add(a, b, c, d, e)),
        1 => (index(), stock()).prop_map(|(way, stock)| Change::Stock(way, stock)),
        1 => (index(), payment()).prop_map(|(way, payment)| Change::Payment(way, payment)),
        1 => (index(), trigger()).prop_map(|(way, trigger)| Change::Trigger(way, trigger)),
        2 => (index(), index()).prop_map(|(way, state)| Change::Target(way, state)),
        1 => (index(), btree_set(role, 0..=2), any::<bool>()).prop_map(|(way, roles, limit)| Change::Roles(way, roles, limit)),
        1 => (index(), select(Phase::ALL.to_vec())).prop_map(|(state, phase)| Change::Phase(state, phase)),
        1 => index().prop_map(Change::DropState),
    ]
}
