//! Verifying a lifecycle.
//!
//! The verifier follows the stock and the money of an order along every path. A *standing* is a state together with
//! both. A lifecycle that loses money or goods is refused. An end counts only if it can be reached at any later time, so not through
//! a transition that nobody may take, or that is only open to customers within a window.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use thiserror::Error;

use super::{LifecycleDraft, PaymentEffect, Phase, Status, StockEffect, Transition, Trigger};
use crate::actor::Role;
use crate::permission::Permission;

/// The maximum number of states, and of transitions, of a lifecycle.
const MAX_PARTS: usize = 200;

/// Why a lifecycle is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum LifecycleError {
    #[error("a lifecycle has 1 to {MAX_PARTS} states and at most {MAX_PARTS} transitions")]
    Size,
    #[error("state {0} is listed twice")]
    DuplicateState(Status),
    #[error("transition {from} → {to}: state {missing} is not listed")]
    UnknownState { from: Status, to: Status, missing: Status },
    /// Two transitions between the same states have the same trigger.
    #[error("transition {from} → {to} occurs twice for one trigger")]
    DuplicateTransition { from: Status, to: Status },
    #[error("the initial state {0} must be in phase draft or awaiting_payment")]
    Initial(Status),
    /// A trigger is not allowed there; `rule` is its condition.
    #[error("transition {from} → {to}: {rule}")]
    Trigger { from: Status, to: Status, rule: &'static str },
    /// No path leads to a state.
    #[error("state {0} cannot be reached")]
    Unreachable(Status),
    /// A transition leaves a state that ends an order.
    #[error("state {0} ends an order, no transition may leave it")]
    LeavesTerminal(Status),
    /// An effect on stock or payment is not possible there; `rule` is its condition.
    #[error("transition {from} → {to}: {rule}")]
    Effect { from: Status, to: Status, rule: &'static str },
    /// No path from the state settles money and goods.
    #[error("an order in {0} can never end: neither fulfilled and paid, nor released and refunded")]
    NeverFinal(Status),
}

pub(super) fn verify(draft: &LifecycleDraft) -> Result<(), LifecycleError> {
    let phases = phases(draft)?;
    draft.transitions.iter().try_for_each(|transition| check_transition(transition, &phases))?;
    check_duplicates(&draft.transitions)?;
    let initial = draft.states.first().ok_or(LifecycleError::Size)?;
    if !matches!(initial.phase, Phase::Draft | Phase::AwaitingPayment) {
        return Err(LifecycleError::Initial(initial.name.clone()));
    }
    let standings = explore(draft, Standing::start(&initial.name))?;
    check_reached(draft, &standings)?;
    check_finality(&standings, &phases)
}

fn phases(draft: &LifecycleDraft) -> Result<BTreeMap<&Status, Phase>, LifecycleError> {
    if draft.states.is_empty() || draft.states.len() > MAX_PARTS || draft.transitions.len() > MAX_PARTS {
        return Err(LifecycleError::Size);
    }
    let mut phases = BTreeMap::new();
    for state in &draft.states {
        if phases.insert(&state.name, state.phase).is_some() {
            return Err(LifecycleError::DuplicateState(state.name.clone()));
        }
    }
    Ok(phases)
}

fn check_transition(transition: &Transition, phases: &BTreeMap<&Status, Phase>) -> Result<(), LifecycleError> {
    let (from, to) = (transition.from.clone(), transition.to.clone());
    let phase_of = |status: &Status| {
        let missing = LifecycleError::UnknownState { from: from.clone(), to: to.clone(), missing: status.clone() };
        phases.get(status).copied().ok_or(missing)
    };
    let (leaving, entering) = (phase_of(&from)?, phase_of(&to)?);
    if leaving.is_undone() || (leaving == Phase::Completed && transition.trigger != Trigger::Return) {
        return Err(LifecycleError::LeavesTerminal(from));
    }
    match trigger_rule(transition, leaving, entering) {
        Some(rule) => Err(LifecycleError::Trigger { from, to, rule }),
        None => Ok(()),
    }
}

/// The condition of the trigger, if it does not hold.
fn trigger_rule(transition: &Transition, leaving: Phase, entering: Phase) -> Option<&'static str> {
    let ends = entering.is_undone();
    let (holds, rule) = match transition.trigger {
        Trigger::Place => (leaving == Phase::Draft && !ends, "place leaves a draft"),
        Trigger::Pay => (leaving != Phase::Draft && !ends, "pay leaves a placed order and does not end it"),
        Trigger::Expiry => {
            let holds = leaving == Phase::AwaitingPayment && entering == Phase::Cancelled;
            (holds, "expiry cancels an order that awaits payment")
        }
        Trigger::PaymentFailure => {
            (leaving == Phase::AwaitingPayment, "payment_failure leaves an order that awaits payment")
        }
        Trigger::Advance => (leaving != Phase::Draft && !ends, "advance leaves a placed order and does not end it"),
        Trigger::Cancel => (leaving != Phase::Draft && entering == Phase::Cancelled, "cancel leads to phase cancelled"),
        Trigger::Return => {
            let from_customer = matches!(leaving, Phase::Shipped | Phase::Delivered | Phase::Completed);
            let undone = transition.stock == StockEffect::Restock && transition.payment == PaymentEffect::Refund;
            let rule = "return leads from shipped, delivered or completed to returned, with restock and refund";
            (from_customer && entering == Phase::Returned && undone, rule)
        }
    };
    if leaving == Phase::Draft && transition.trigger != Trigger::Place {
        return Some("a draft is left by place only");
    }
    (!holds).then_some(rule)
}

fn check_duplicates(transitions: &[Transition]) -> Result<(), LifecycleError> {
    let mut seen = BTreeSet::new();
    transitions.iter().try_for_each(|t| {
        if seen.insert((&t.from, &t.to, t.trigger)) {
            return Ok(());
        }
        Err(LifecycleError::DuplicateTransition { from: t.from.clone(), to: t.to.clone() })
    })
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum GoodsState {
    Held,
    Confirmed,
    Gone,
    Back,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum MoneyState {
    Owed,
    Paid,
    Refunded,
}

/// A state with the goods and the money of the order on one path to it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Standing<'a> {
    status: &'a Status,
    goods: GoodsState,
    money: MoneyState,
}

impl<'a> Standing<'a> {
    const fn start(status: &'a Status) -> Self {
        Self { status, goods: GoodsState::Held, money: MoneyState::Owed }
    }

    fn follow(self, transition: &'a Transition) -> Result<Self, &'static str> {
        let goods = match (transition.stock, self.goods) {
            (StockEffect::None, goods) => goods,
            (StockEffect::Confirm, GoodsState::Held) => GoodsState::Confirmed,
            (StockEffect::Release, GoodsState::Held | GoodsState::Confirmed)
            | (StockEffect::Restock, GoodsState::Gone) => GoodsState::Back,
            (StockEffect::Fulfil, GoodsState::Confirmed) => GoodsState::Gone,
            (StockEffect::Confirm, _) => return Err("confirm needs stock that is held and not confirmed yet"),
            (StockEffect::Release, _) => return Err("release needs stock that is held or confirmed"),
            (StockEffect::Fulfil, _) => return Err("fulfil needs confirmed stock"),
            (StockEffect::Restock, _) => return Err("restock needs goods that have left"),
        };
        let money = match (transition.trigger, transition.payment, self.money) {
            (Trigger::Pay, PaymentEffect::None, MoneyState::Owed) => MoneyState::Paid,
            (Trigger::Pay, ..) => return Err("pay needs an order that is not paid yet, and refunds nothing"),
            (_, PaymentEffect::None, money) => money,
            (_, PaymentEffect::Refund, MoneyState::Paid) => MoneyState::Refunded,
            (_, PaymentEffect::Refund, _) => return Err("refund needs a paid order"),
        };
        if transition.trigger == Trigger::Pay && goods == GoodsState::Held {
            return Err("pay must confirm the stock, or a paid order could lose it");
        }
        Ok(Self { status: &transition.to, goods, money })
    }

    /// Neither money nor goods are owed.
    const fn is_final(self) -> bool {
        matches!(
            (self.goods, self.money),
            (GoodsState::Gone, MoneyState::Paid | MoneyState::Refunded)
                | (GoodsState::Back, MoneyState::Owed | MoneyState::Refunded)
        )
    }
}

/// A way out of a standing.
struct Way<'a> {
    to: Standing<'a>,
    /// Whether it can be taken at any later time.
    is_lasting: bool,
}

type Ways<'a> = BTreeMap<Standing<'a>, Vec<Way<'a>>>;

fn explore<'a>(draft: &'a LifecycleDraft, start: Standing<'a>) -> Result<Ways<'a>, LifecycleError> {
    let mut ways = Ways::new();
    let mut open = Vec::from([start]);
    while let Some(standing) = open.pop() {
        if ways.contains_key(&standing) {
            continue;
        }
        let out = draft.transitions.iter().filter(|transition| transition.from == *standing.status);
        let follow = |t| standing.follow(t).map(|to| Way { to, is_lasting: is_lasting(t) });
        let next = out.map(|t| follow(t).map_err(|rule| effect_error(t, rule))).collect::<Result<Vec<_>, _>>()?;
        open.extend(next.iter().map(|way| way.to));
        ways.insert(standing, next);
    }
    Ok(ways)
}

/// The engine takes some transitions by itself. A window binds customers only.
fn is_lasting(transition: &Transition) -> bool {
    let by_itself = matches!(transition.trigger, Trigger::Place | Trigger::Expiry);
    let waits = |role: &Role| *role != Role::Customer || transition.window.is_none();
    by_itself || transition.roles.iter().any(|role| waits(role) && has_command(*role, transition.trigger))
}

/// Whether a role may give a command that causes a transition, whatever the lifecycle. A requested return does not count: units that
/// were refunded cannot be returned.
fn has_command(role: Role, trigger: Trigger) -> bool {
    let moves = role.may(Permission::MoveOrders);
    match trigger {
        Trigger::Pay => moves || role.may(Permission::RecordPayments),
        Trigger::Cancel => moves || role.may(Permission::AskOfOrders),
        Trigger::Place | Trigger::PaymentFailure | Trigger::Expiry | Trigger::Advance | Trigger::Return => moves,
    }
}

fn effect_error(transition: &Transition, rule: &'static str) -> LifecycleError {
    LifecycleError::Effect { from: transition.from.clone(), to: transition.to.clone(), rule }
}

fn check_reached(draft: &LifecycleDraft, ways: &Ways<'_>) -> Result<(), LifecycleError> {
    let reached: BTreeSet<_> = ways.keys().map(|standing| standing.status).collect();
    match draft.states.iter().find(|state| !reached.contains(&state.name)) {
        Some(state) => Err(LifecycleError::Unreachable(state.name.clone())),
        None => Ok(()),
    }
}

/// Every standing must lead to an end, and every end must be settled. First finds the ends, then what leads to them.
fn check_finality(ways: &Ways<'_>, phases: &BTreeMap<&Status, Phase>) -> Result<(), LifecycleError> {
    let ends = |standing: &Standing<'_>, next: &[Way<'_>]| {
        let over = phases.get(standing.status).is_some_and(|phase| phase.is_over());
        let stays = !next.iter().any(|way| way.is_lasting);
        over && standing.is_final() && (stays || phases.get(standing.status) == Some(&Phase::Completed))
    };
    let leads = |way: &Way<'_>, settling: &BTreeSet<Standing<'_>>| way.is_lasting && settling.contains(&way.to);
    let mut settling: BTreeSet<_> = ways.iter().filter(|(s, next)| ends(s, next)).map(|(s, _)| *s).collect();
    loop {
        let more: Vec<_> = ways
            .iter()
            .filter(|(standing, next)| !settling.contains(*standing) && next.iter().any(|way| leads(way, &settling)))
            .map(|(standing, _)| *standing)
            .collect();
        if more.is_empty() {
            break;
        }
        settling.extend(more);
    }
    match ways.keys().find(|standing| !settling.contains(*standing)) {
        Some(standing) => Err(LifecycleError::NeverFinal(standing.status.clone())),
        None => Ok(()),
    }
}
