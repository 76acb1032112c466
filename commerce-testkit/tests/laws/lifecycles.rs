//! Lifecycles: the built-in ones are sound, faulty ones are refused with the reason.

use commerce_core::actor::Role;
use commerce_core::order::{
    Lifecycle, LifecycleDraft, LifecycleError, PaymentEffect, Phase, PromotionEffect, State, Status, StockEffect,
    Transition, Trigger,
};
use commerce_testkit::strategy::lifecycle::draft;
use proptest::prelude::*;

fn status(name: &str) -> Status {
    name.parse().unwrap()
}

fn standard() -> LifecycleDraft {
    Lifecycle::standard().into()
}

fn way(from: &str, to: &str, trigger: Trigger) -> Transition {
    let (from, to) = (status(from), status(to));
    let (stock, payment) = (StockEffect::None, PaymentEffect::None);
    Transition {
        from,
        to,
        trigger,
        roles: [Role::Admin].into(),
        window: None,
        stock,
        payment,
        promotions: PromotionEffect::None,
    }
}

fn with(way: Transition) -> LifecycleDraft {
    let mut draft = standard();
    draft.transitions.push(way);
    draft
}

fn changed(from: &str, to: &str, trigger: Trigger, change: impl Fn(&mut Transition)) -> LifecycleDraft {
    let mut draft = standard();
    let is_it = |way: &&mut Transition| (way.from.as_str(), way.to.as_str(), way.trigger) == (from, to, trigger);
    change(draft.transitions.iter_mut().find(is_it).expect("the standard lifecycle has it"));
    draft
}

fn without(drop: impl Fn(&Transition) -> bool) -> LifecycleDraft {
    let mut draft = standard();
    draft.transitions.retain(|way| !drop(way));
    draft
}

/// The faulty draft is refused with this error, but for the words of a rule.
#[track_caller]
fn check(given: LifecycleDraft, then: &LifecycleError) {
    let error = Lifecycle::try_from(given).expect_err("the draft is faulty");
    assert_eq!(blank(error.clone()), blank(then.clone()), "{error}");
    assert!(error.to_string().len() > 20, "it says what is wrong: {error}");
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only these two carry words")]
fn blank(error: LifecycleError) -> LifecycleError {
    match error {
        LifecycleError::Trigger { from, to, .. } => LifecycleError::Trigger { from, to, rule: "" },
        LifecycleError::Effect { from, to, .. } => LifecycleError::Effect { from, to, rule: "" },
        other => other,
    }
}

fn trigger_error(from: &str, to: &str) -> LifecycleError {
    LifecycleError::Trigger { from: status(from), to: status(to), rule: "" }
}

fn effect_error(from: &str, to: &str) -> LifecycleError {
    LifecycleError::Effect { from: status(from), to: status(to), rule: "" }
}

#[test]
fn the_built_in_ones_are_sound() {
    for name in Lifecycle::BUILT_IN {
        let lifecycle = Lifecycle::built_in(name).unwrap_or_else(|| panic!("{name} is refused"));
        assert_eq!(lifecycle.name().as_str(), name);
        let draft = LifecycleDraft::from(lifecycle.clone());
        assert_eq!(Lifecycle::try_from(draft), Ok(lifecycle));
    }
    assert_eq!(Lifecycle::built_in("nobody's"), None);
}

#[test]
fn the_standard_one_allows_what_it_says() {
    let standard = Lifecycle::standard();
    let ways = |from: &str| standard.from(&status(from)).map(|way| way.to.to_string()).collect::<Vec<_>>();
    assert_eq!(ways("pending"), ["paid", "cancelled", "cancelled"]);
    assert_eq!(ways("paid"), ["shipped", "cancelled"]);
    assert_eq!(ways("shipped"), ["delivered", "cancelled"]);
    assert_eq!(ways("delivered"), ["completed", "returned"]);
    assert_eq!(ways("completed"), ["returned"]);
    assert_eq!(ways("cancelled"), [""; 0]);
    assert_eq!(ways("returned"), [""; 0]);
}

#[test]
fn a_lifecycle_has_states_and_not_too_many() {
    check(LifecycleDraft { states: Vec::new(), ..standard() }, &LifecycleError::Size);
    let mut large = standard();
    large.states.extend((0..200).map(|n| State { name: status(&format!("s{n}")), phase: Phase::Paid }));
    check(large, &LifecycleError::Size);
    let mut busy = standard();
    busy.transitions = std::iter::repeat_n(busy.transitions, 30).flatten().collect();
    check(busy, &LifecycleError::Size);
}

#[test]
fn names_are_listed_once() {
    let mut twice = standard();
    twice.states.push(twice.states[1].clone());
    check(twice, &LifecycleError::DuplicateState(status("paid")));
    let nowhere = with(way("paid", "lost", Trigger::Advance));
    let missing = |from: &str, to: &str, missing: &str| LifecycleError::UnknownState {
        from: status(from),
        to: status(to),
        missing: status(missing),
    };
    check(nowhere, &missing("paid", "lost", "lost"));
    check(with(way("lost", "paid", Trigger::Advance)), &missing("lost", "paid", "lost"));
    let again = with(way("shipped", "delivered", Trigger::Advance));
    check(again, &LifecycleError::DuplicateTransition { from: status("shipped"), to: status("delivered") });
}

#[test]
fn an_order_starts_as_a_draft_or_awaiting_payment() {
    let mut draft = standard();
    draft.states.rotate_left(1);
    check(draft, &LifecycleError::Initial(status("paid")));
}

#[test]
fn triggers_stand_where_they_make_sense() {
    let faults = [
        ("pending", "paid", Trigger::Place),
        ("pending", "cancelled", Trigger::Pay),
        ("paid", "cancelled", Trigger::Expiry),
        ("pending", "shipped", Trigger::Expiry),
        ("paid", "cancelled", Trigger::PaymentFailure),
        ("paid", "returned", Trigger::Advance),
        ("delivered", "cancelled", Trigger::Advance),
        ("paid", "shipped", Trigger::Cancel),
        ("paid", "returned", Trigger::Return),
        ("delivered", "completed", Trigger::Return),
    ];
    for (from, to, trigger) in faults {
        check(with(way(from, to, trigger)), &trigger_error(from, to));
    }
    let without_refund = changed("delivered", "returned", Trigger::Return, |way| way.payment = PaymentEffect::None);
    check(without_refund, &trigger_error("delivered", "returned"));
    let mut draft = LifecycleDraft::from(Lifecycle::built_in("placed").unwrap());
    draft.transitions.push(way("draft", "paid", Trigger::Pay));
    check(draft, &trigger_error("draft", "paid"));
}

#[test]
fn nothing_leaves_an_end() {
    for end in ["cancelled", "returned", "completed"] {
        check(with(way(end, "paid", Trigger::Advance)), &LifecycleError::LeavesTerminal(status(end)));
    }
}

#[test]
fn every_state_can_be_reached() {
    let mut draft = standard();
    draft.states.push(State { name: status("packed"), phase: Phase::InFulfilment });
    check(draft, &LifecycleError::Unreachable(status("packed")));
    let unpaid = without(|way| way.trigger == Trigger::Pay);
    check(unpaid, &LifecycleError::Unreachable(status("paid")));
}

#[test]
fn effects_fit_what_went_before() {
    use StockEffect::{Confirm, Fulfil, None, Release, Restock};
    let faults = [
        ("pending", "paid", Trigger::Pay, None),
        ("pending", "paid", Trigger::Pay, Release),
        ("paid", "shipped", Trigger::Advance, Confirm),
        ("paid", "shipped", Trigger::Advance, Restock),
        ("shipped", "delivered", Trigger::Advance, Fulfil),
        ("shipped", "delivered", Trigger::Advance, Release),
        ("pending", "cancelled", Trigger::Cancel, Fulfil),
    ];
    for (from, to, trigger, stock) in faults {
        let result = Lifecycle::try_from(changed(from, to, trigger, |way| way.stock = stock));
        let error = result.expect_err("the effect does not fit");
        assert!(matches!(error, LifecycleError::Effect { .. }), "{from} → {to} {stock:?}: {error}");
    }
    let refund_unpaid = changed("pending", "cancelled", Trigger::Cancel, |way| way.payment = PaymentEffect::Refund);
    check(refund_unpaid, &effect_error("pending", "cancelled"));
    let refunding_pay = changed("pending", "paid", Trigger::Pay, |way| way.payment = PaymentEffect::Refund);
    check(refunding_pay, &effect_error("pending", "paid"));
}

#[test]
fn every_order_can_end_with_goods_and_money_settled() {
    let keeps_money = changed("paid", "cancelled", Trigger::Cancel, |way| way.payment = PaymentEffect::None);
    check(keeps_money, &LifecycleError::NeverFinal(status("cancelled")));
    let keeps_goods = changed("pending", "cancelled", Trigger::Expiry, |way| way.stock = StockEffect::None);
    check(keeps_goods, &LifecycleError::NeverFinal(status("cancelled")));
    let nobody_ships = changed("paid", "shipped", Trigger::Advance, |way| way.roles.clear());
    assert!(Lifecycle::try_from(nobody_ships.clone()).is_ok(), "it can be cancelled");
    let mut stuck = nobody_ships;
    stuck.transitions.retain(|way| (way.from.as_str(), way.trigger) != ("paid", Trigger::Cancel));
    check(stuck, &LifecycleError::NeverFinal(status("paid")));
    let never_ships = changed("paid", "shipped", Trigger::Advance, |way| way.stock = StockEffect::None);
    assert!(Lifecycle::try_from(never_ships).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever somebody writes, it is verified or refused; what is verified stays so when written and read.
    #[test]
    fn a_draft_is_verified_or_refused(draft in draft()) {
        match Lifecycle::try_from(draft.clone()) {
            Ok(lifecycle) => {
                prop_assert_eq!(LifecycleDraft::from(lifecycle.clone()), draft);
                let json = serde_json::to_string(&lifecycle).unwrap();
                prop_assert_eq!(serde_json::from_str::<Lifecycle>(&json).unwrap(), lifecycle);
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
