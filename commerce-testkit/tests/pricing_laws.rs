//! The laws of pricing, on random requests. `PROPTEST_CASES` sets how many of them each law is held to.

#![allow(clippy::expect_used, reason = "a test says what it expects")]

use commerce_core::Quantity;
use commerce_core::money::{Currency, Money};
use commerce_core::pricing::{
    Line, PROVEN_CANDIDATES, PricingError, Quote, Request, Selection, Tax, TaxLevel, TaxRate, price,
};
use commerce_core::promotion::{BuyGet, Condition, Effect, Items, Percent, Promotion, PromotionDefinition, Target};
use commerce_testkit::invariants::{check_quote, check_signs, check_sums};
use commerce_testkit::strategy::pricing::{
    AT, currency, effect, extreme_request, filter, line, lines, named, percent, promotion_of, quantity, request,
    request_of, request_with_exclusives, rounding, tax, with_terms,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use rust_decimal::Decimal;

fn quote(request: &Request) -> Quote {
    price(request).expect("a sound request of ordinary amounts has a price")
}

fn best(request: &Request) -> Quote {
    quote(&Request { selection: Selection::Best, ..request.clone() })
}

/// What a set of promotions costs, and which are in it, from the highest priority to the lowest.
type Candidate = (i64, Vec<bool>);

/// The best set by trying all of them. A subset whose promotions do not all apply prices like the subset of those that
/// do, so taking every subset by priority covers exactly the admissible sets.
fn best_by_trying_all(request: &Request) -> Candidate {
    let count = request.promotions.len();
    let mut by_priority: Vec<usize> = (0..count).collect();
    by_priority.sort_by_key(|place| std::cmp::Reverse(request.promotions[*place].definition().priority));
    let price_of = |subset: u32| {
        let kept = (0..count).filter(|place| subset & (1 << place) != 0);
        let promotions = kept.map(|place| request.promotions[place].clone()).collect();
        let quote = quote(&Request { promotions, ..request.clone() });
        let has = |place: &usize| quote.applied().any(|one| one.promotion_id == request.promotions[*place].id());
        (quote.total.minor(), by_priority.iter().map(has).collect::<Vec<bool>>())
    };
    let sets = (0..1_u32 << count).map(price_of);
    // The lowest total; among equal ones, having a promotion of higher priority comes before not having it.
    sets.min_by_key(|(total, set)| (*total, set.iter().map(|has| !has).collect::<Vec<_>>())).expect("the empty set")
}

fn set_of(request: &Request, quote: &Quote) -> Vec<bool> {
    let mut promotions: Vec<&Promotion> = request.promotions.iter().collect();
    promotions.sort_by_key(|promotion| std::cmp::Reverse(promotion.definition().priority));
    let has = |promotion: &&Promotion| quote.applied().any(|one| one.promotion_id == promotion.id());
    promotions.iter().map(has).collect()
}

/// Whether every figure of an effect is rounded for the cart as a whole, and not per line.
fn is_rounded_once(effect: &Effect) -> bool {
    match effect {
        Effect::PercentOff { target, .. } => !matches!(target, Target::Items(_)),
        Effect::BuyGet(BuyGet { get, .. }) => get.percent.decimal() == Decimal::ONE_HUNDRED,
        Effect::AmountOff { .. } | Effect::FixedPrice { .. } | Effect::FreeShipping | Effect::TieredPercent { .. } => {
            true
        }
    }
}

/// Whether an effect is rounded once, or takes the same share of every unit.
fn is_free_of_picks(effect: &Effect) -> bool {
    let whole_lines =
        matches!(effect, Effect::PercentOff { target: Target::Items(Items { max_quantity: None, .. }), .. });
    whole_lines || is_rounded_once(effect)
}

/// Both cost the same, to the minor unit, or else to a minor unit per line.
fn check_same_total(one: &Request, other: &Request, exactly: bool) -> TestCaseResult {
    let most = if exactly { 0 } else { i64::try_from(other.lines.len()).expect("a small number") };
    let (one, other) = (quote(one).total.minor(), quote(other).total.minor());
    prop_assert!((one - other).abs() <= most, "{} and {}", one, other);
    Ok(())
}

/// Takes `units` off the line at a place, into a line of their own at the end.
fn split_line(request: &Request, place: usize, units: i64) -> Option<Request> {
    let mut split = request.clone();
    let line = split.lines.get_mut(place)?;
    let rest = Quantity::new(line.quantity.get() - units).ok()?;
    let other = Line { id: "other".parse().ok()?, quantity: Quantity::new(units).ok()?, ..line.clone() };
    line.quantity = rest;
    split.lines.push(other);
    Some(split)
}

/// A lone promotion of an effect, on some lines without tax.
fn lone() -> impl Strategy<Value = Request> {
    (currency(), rounding()).prop_flat_map(|(currency, rounding)| {
        (lines(currency, 6), promotion_of(currency, effect(currency))).prop_map(move |(lines, promotion)| Request {
            codes: promotion.definition().code.iter().cloned().collect(),
            promotions: vec![promotion],
            rounding,
            ..Request::new(currency, AT, lines)
        })
    })
}

fn with_percent(promotion: &Promotion, new: Percent) -> Promotion {
    with_terms(promotion, |definition| match &mut definition.effect {
        Effect::PercentOff { percent, .. } => *percent = new,
        Effect::BuyGet(BuyGet { get, .. }) => get.percent = new,
        Effect::TieredPercent { tiers, .. } => tiers.iter_mut().for_each(|tier| tier.percent = new),
        Effect::AmountOff { .. } | Effect::FixedPrice { .. } | Effect::FreeShipping => {}
    })
}

proptest! {
    #[test]
    fn parts_add_up_nothing_is_negative_and_the_explanation_is_complete(request in request()) {
        check_quote(&request, &quote(&request))?;
        check_quote(&request, &best(&request))?;
    }

    #[test]
    fn exclusive_promotions_apply_alone(request in request_with_exclusives()) {
        let quote = quote(&request);
        check_quote(&request, &quote)?;
        let is_exclusive = |id| request.promotions.iter().any(|one| one.id() == id && one.definition().exclusive);
        if quote.applied().any(|one| is_exclusive(one.promotion_id)) {
            prop_assert_eq!(quote.applied().count(), 1);
        }
        prop_assert_eq!(best(&request).total.minor() <= quote.total.minor(), true);
    }

    #[test]
    fn at_most_one_promotion_of_a_group_applies(request in request()) {
        for quote in [quote(&request), best(&request)] {
            let promotion = |id| request.promotions.iter().find(|one| one.id() == id);
            let group = |id| promotion(id).and_then(|one| one.definition().group.clone());
            let mut groups: Vec<String> = quote.applied().filter_map(|one| group(one.promotion_id)).collect();
            let all = groups.len();
            groups.sort_unstable();
            groups.dedup();
            prop_assert_eq!(groups.len(), all);
        }
    }

    /// Untaxed, and unless some units of a price are picked and others are not while each line is rounded: which of equal
    /// units the first ones are then decides what is rounded together. (With several promotions a tie between fractions
    /// may move a minor unit to another line, where the next promotion, or the tax, may meet it.)
    #[test]
    fn the_order_of_lines_does_not_matter_to_a_lone_promotion(request in lone(), by in 0..6_usize) {
        let mut turned = request.clone();
        turned.lines.rotate_left(by.min(request.lines.len()));
        check_same_total(&request, &turned, is_free_of_picks(&request.promotions[0].definition().effect))?;
        turned.lines.reverse();
        check_same_total(&request, &turned, is_free_of_picks(&request.promotions[0].definition().effect))?;
    }

    #[test]
    fn names_do_not_matter(request in request()) {
        let mut renamed = request.clone();
        let count = renamed.promotions.len();
        for (place, promotion) in renamed.promotions.iter_mut().enumerate() {
            *promotion = named(promotion, &format!("other-{}", count - place));
        }
        for (one, other) in [(quote(&request), quote(&renamed)), (best(&request), best(&renamed))] {
            prop_assert_eq!(one.lines, other.lines);
            prop_assert_eq!(one.total, other.total);
        }
    }

    /// Untaxed, a lone promotion takes the same off a line split in two, unless it is rounded per line: a percentage of
    /// items, and units got at a part of their price. These may differ by a minor unit per line.
    #[test]
    fn splitting_a_line_in_two_changes_nothing(request in lone(), place in 0..6_usize, units in 1..6_i64) {
        let Some(split) = split_line(&request, place, units) else { return Ok(()) };
        check_same_total(&request, &split, is_rounded_once(&request.promotions[0].definition().effect))?;
    }

    /// True of a promotion that nothing comes after: without tax on top, the total is what remains.
    #[test]
    fn raising_a_lone_percentage_never_raises_the_total(request in lone(), one in percent(), other in percent(), tax in tax()) {
        let tax = Tax { prices_include_tax: true, ..tax };
        let with = |percent| {
            let promotions = vec![with_percent(&request.promotions[0], percent)];
            quote(&Request { promotions, tax: tax.clone(), ..request.clone() }).total.minor()
        };
        let (lower, higher) = if one.decimal() <= other.decimal() { (one, other) } else { (other, one) };
        prop_assert!(with(higher) <= with(lower));
    }

    #[test]
    fn an_inapplicable_promotion_changes_nothing(request in request(), place in 0..7_usize) {
        let mut extended = request.clone();
        let of_nobody = Condition::Segment { any: vec!["nobody".to_owned()] };
        let place = place.min(request.promotions.len());
        if let Some(copy) = request.promotions.first() {
            let inapplicable = with_terms(copy, |definition| {
                definition.conditions.push(of_nobody);
                definition.code = None;
            });
            extended.promotions.insert(place, named(&inapplicable, "inapplicable"));
        }
        for (before, after) in [(quote(&request), quote(&extended)), (best(&request), best(&extended))] {
            prop_assert_eq!(&before.lines, &after.lines);
            prop_assert_eq!(before.total, after.total);
            let others = after.explanation.iter().filter(|one| one.promotion_id.as_str() != "inapplicable");
            prop_assert!(before.explanation.iter().eq(others));
        }
    }

    #[test]
    fn the_best_is_never_worse_than_the_priorities(request in request_of(6, 20)) {
        let (best, plain) = (best(&request), quote(&request));
        prop_assert!(best.total.minor() <= plain.total.minor(), "{} and {}", best.total, plain.total);
        if request.promotions.len() <= PROVEN_CANDIDATES {
            prop_assert_eq!(best.proven_best, Some(true));
        }
        prop_assert_eq!(plain.proven_best, None);
    }

    #[test]
    fn tax_by_order_differs_by_less_than_a_unit_per_line(request in request()) {
        let at = |tax_level| quote(&Request { tax_level, ..request.clone() }).tax.minor();
        let parts = i64::try_from(request.lines.len() + 1).expect("a small number");
        prop_assert!((at(TaxLevel::Line) - at(TaxLevel::Order)).abs() <= parts);
    }

    #[test]
    fn quotes_and_promotions_survive_being_stored(request in request()) {
        for quote in [quote(&request), best(&request)] {
            let text = serde_json::to_string(&quote).expect("a quote is written");
            let read: Quote = serde_json::from_str(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(&read, &quote);
        }
        for promotion in &request.promotions {
            let text = serde_json::to_string(promotion).expect("a promotion is written");
            let read: Promotion = serde_json::from_str(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(&read.with_usage(*promotion.usage()), promotion);
        }
    }

    #[test]
    fn amounts_at_the_limits_have_a_price_or_an_error(request in extreme_request()) {
        match price(&request) {
            Ok(quote) => check_quote(&request, &quote)?,
            Err(error) => prop_assert_eq!(error, PricingError::Overflow),
        }
    }
}

/// Trying every subset takes a while.
const PART: u32 = 8;

proptest! {
    #![proptest_config(ProptestConfig::with_cases((ProptestConfig::default().cases / PART).max(1)))]

    #[test]
    fn the_best_is_that_of_trying_every_subset(request in request_of(5, 8)) {
        let found = best(&request);
        prop_assert_eq!((found.total.minor(), set_of(&request, &found)), best_by_trying_all(&request));
    }

    /// Small amounts make every rounded unit count.
    #[test]
    fn the_best_of_small_amounts_is_that_of_trying_every_subset(request in request_of(4, 10), divisor in 2..200_i64) {
        let mut request = request;
        for line in &mut request.lines {
            line.unit_price = Money::new(line.unit_price.minor() / divisor, request.currency);
        }
        let found = best(&request);
        prop_assert_eq!((found.total.minor(), set_of(&request, &found)), best_by_trying_all(&request));
    }

    /// Percentages of a few minor units: what is rounded here is as much as what is taken, so that a set of fewer
    /// promotions may well cost less.
    #[test]
    fn the_best_of_percentages_of_next_to_nothing_is_that_of_trying_every_subset(
        request in request_of(4, 0),
        effects in vec((percent(), 0..3_usize, option::of(filter()), option::weighted(0.3, quantity())), 2..=6),
    ) {
        let mut request = request;
        let currency = request.currency;
        for line in &mut request.lines {
            line.unit_price = Money::new(line.unit_price.minor() % 20, currency);
        }
        let promotion = |(place, (percent, kind, filter, max_quantity)): (usize, (Percent, usize, _, _))| {
            let target = if kind == 0 { Target::Order } else { Target::Items(Items { filter, max_quantity }) };
            let effect = Effect::PercentOff { percent, target, max_amount: None };
            let definition = PromotionDefinition::new(format!("p{place}").parse().expect("an id"), effect);
            Promotion::new(currency, definition).expect("a good definition")
        };
        request.promotions = effects.into_iter().enumerate().map(promotion).collect();
        let found = best(&request);
        prop_assert_eq!((found.total.minor(), set_of(&request, &found)), best_by_trying_all(&request));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases((ProptestConfig::default().cases / PART / PART).max(1)))]

    #[test]
    fn a_full_request_is_priced(line in line(Currency::USD), request in request_of(1, 6)) {
        let currency = Currency::USD;
        let lines = vec![line; 500];
        let promotions = request.promotions.iter().filter(|one| one.currency() == currency).cycle().take(200).cloned();
        let full = Request { promotions: promotions.collect(), ..Request::new(currency, AT, lines) };
        let quote = quote(&full);
        check_sums(&full, &quote)?;
        check_signs(&quote)?;
    }
}

/// Stackable percentages of everything, which is what `best` meets most.
#[test]
fn the_best_of_many_stackable_promotions_is_all_of_them() {
    let currency = Currency::USD;
    let promotion = |place: usize| {
        let percent = Percent::new(Decimal::from(3 + place)).expect("a percentage");
        let effect = Effect::PercentOff { percent, target: Target::Order, max_amount: None };
        let definition = PromotionDefinition::new(format!("p{place}").parse().expect("an id"), effect);
        Promotion::new(currency, definition).expect("a good definition")
    };
    let line = Line {
        id: "line".parse().expect("an id"),
        sku: "a".parse().expect("a sku"),
        quantity: Quantity::ONE,
        unit_price: Money::new(100_000, currency),
        categories: Vec::new(),
        tax_category: Some("x".to_owned()),
    };
    let tax = Tax {
        prices_include_tax: false,
        rates: vec![TaxRate { tax_category: "x".to_owned(), rate: Decimal::new(20, 2) }],
    };
    let request =
        Request { promotions: (0..16).map(promotion).collect(), tax, ..Request::new(currency, AT, vec![line]) };
    let quote = best(&request);
    assert_eq!((quote.applied().count(), quote.proven_best), (16, Some(true)));
}
