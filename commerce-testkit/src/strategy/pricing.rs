//! Proptest strategies for pricing: requests, lines, promotions and their parts.
//!
//! Names come from small sets (four SKUs, four categories, three codes), so filters, codes and conditions match about half of
//! the time. All values are valid: [`price`](commerce_core::pricing::price) accepts them. Large strategies are boxed to save
//! stack. Amounts shrink to zero, lists to empty ones.
//!
//! ```
//! use commerce_core::pricing::price;
//! use commerce_testkit::strategy::pricing::request;
//! use proptest::prelude::*;
//!
//! proptest!(|(request in request())| {
//!     let quote = price(&request).expect("a sound request has a price");
//!     prop_assert!(quote.discount.minor() <= quote.subtotal.minor());
//! });
//! ```

use chrono::{DateTime, TimeDelta, Utc, Weekday};
use commerce_core::Quantity;
use commerce_core::money::{Currency, Money, Rounding};
use commerce_core::pricing::{Buyer, Line, Request, Selection, Shipping, Tax, TaxLevel, TaxRate};
use commerce_core::promotion::{
    AmountTarget, BuyGet, Condition, Effect, Filter, Items, Limits, Percent, PriceTarget, Promotion,
    PromotionDefinition, Reward, Target, Tier, Units, Usage,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use rust_decimal::Decimal;

/// The instant of every generated request: noon of 15 January 2026.
pub const AT: DateTime<Utc> = DateTime::from_timestamp(1_768_478_400, 0).expect("a moment of chrono's range");

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const LABELS: [&str; 3] = ["x", "y", "z"];
const CODES: [&str; 3] = ["ONE", "TWO", "THREE"];
/// Rates that give taxes between two minor units.
const RATES: [&str; 5] = ["0", "0.05", "0.07", "0.20", "0.0825"];

/// Parses a name of the sets above.
fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("the name is a good one")
}

/// USD (two decimals), JPY (none) or KWD (three).
pub fn currency() -> impl Strategy<Value = Currency> {
    select(vec![Currency::USD, Currency::JPY, Currency::KWD])
}

/// An amount up to 20000 minor units, often small, often round.
pub fn amount(currency: Currency) -> impl Strategy<Value = Money> {
    let minor =
        prop_oneof![4 => 0..=20_000_i64, 2 => 0..=30_i64, 1 => (0..=20_i64).prop_map(|hundreds| hundreds * 100)];
    minor.prop_map(move |minor| Money::new(minor, currency)).boxed()
}

/// A percentage from 0 to 100 with up to two decimals.
pub fn percent() -> impl Strategy<Value = Percent> {
    let hundredths = prop_oneof![3 => 0..=10_000_i64, 2 => (0..=20_i64).prop_map(|fives| fives * 500)];
    hundredths.prop_map(|hundredths| Percent::new(Decimal::new(hundredths, 2)).expect("from 0 to 100"))
}

/// A small quantity.
pub fn quantity() -> impl Strategy<Value = Quantity> {
    (1..=6_i64).prop_map(|units| Quantity::new(units).expect("from 1 on"))
}

/// A filter by one or two SKUs, categories, or both.
pub fn filter() -> impl Strategy<Value = Filter> {
    let named = || subsequence(NAMES.to_vec(), 1..=2);
    let skus = |skus: Vec<&str>| skus.into_iter().map(name).collect::<Vec<_>>();
    let categories = |categories: Vec<&str>| categories.into_iter().map(name).collect::<Vec<_>>();
    prop_oneof![
        named().prop_map(move |names| Filter::skus(skus(names))),
        named().prop_map(move |names| Filter::categories(categories(names))),
        (named(), named()).prop_map(move |(one, other)| Filter::new(skus(one), categories(other))),
    ]
    .boxed()
}

/// A line. [`lines`] replaces its id.
pub fn line(currency: Currency) -> impl Strategy<Value = Line> {
    let categories = subsequence(NAMES.to_vec(), 0..=2);
    let tax_category = option::of(select(LABELS.to_vec()));
    (select(NAMES.to_vec()), quantity(), amount(currency), categories, tax_category)
        .prop_map(|(sku, quantity, unit_price, categories, tax_category)| Line {
            id: name("line"),
            sku: name(sku),
            quantity,
            unit_price,
            categories: categories.into_iter().map(name).collect(),
            tax_category: tax_category.map(str::to_owned),
        })
        .boxed()
}

/// Lines with unique ids.
pub fn lines(currency: Currency, most: usize) -> impl Strategy<Value = Vec<Line>> {
    vec(line(currency), 0..=most).prop_map(|mut lines| {
        for (place, line) in lines.iter_mut().enumerate() {
            line.id = name(&format!("line-{place}"));
        }
        lines
    })
}

/// A condition, nested up to three levels.
pub fn condition(currency: Currency) -> impl Strategy<Value = Condition> {
    let labels = || subsequence(LABELS.to_vec(), 1..=2).prop_map(|any| any.into_iter().map(str::to_owned).collect());
    let simple = prop_oneof![
        4 => (amount(currency), option::of(filter())).prop_map(|(amount, filter)| Condition::MinSpend { amount, filter }),
        2 => (quantity(), option::of(filter()))
            .prop_map(|(quantity, filter)| Condition::MinQuantity { quantity, filter }),
        1 => filter().prop_map(|filter| Condition::Contains { filter }),
        1 => labels().prop_map(|any| Condition::Segment { any }),
        1 => Just(Condition::FirstOrder),
        1 => (1..=3_u32).prop_map(|n| Condition::NthOrder { n }),
        1 => labels().prop_map(|any| Condition::ShippingMethod { any }),
        1 => subsequence(vec![Weekday::Mon, Weekday::Thu, Weekday::Sun], 1..=2).prop_map(|any| Condition::Weekday { any }),
    ];
    simple
        .prop_recursive(3, 8, 3, |inner| {
            prop_oneof![
                vec(inner.clone(), 1..=3).prop_map(|conditions| Condition::All { conditions }),
                vec(inner.clone(), 1..=3).prop_map(|conditions| Condition::Any { conditions }),
                inner.prop_map(|condition| Condition::Not { condition: Box::new(condition) }),
            ]
        })
        .boxed()
}

fn items() -> impl Strategy<Value = Items> {
    (option::of(filter()), option::of(quantity())).prop_map(|(filter, max_quantity)| Items { filter, max_quantity })
}

/// Any effect.
pub fn effect(currency: Currency) -> BoxedStrategy<Effect> {
    let cap = || option::weighted(0.2, amount(currency));
    let target = prop_oneof![Just(Target::Order), items().prop_map(Target::Items), Just(Target::Shipping)];
    let amount_target = prop_oneof![
        2 => Just(AmountTarget::Order),
        2 => items().prop_map(AmountTarget::Across),
        3 => items().prop_map(AmountTarget::Each),
        1 => Just(AmountTarget::Shipping),
    ];
    let bundle = (option::of(filter()), quantity());
    let price_target = prop_oneof![
        Just(PriceTarget::Order),
        items().prop_map(PriceTarget::Each),
        bundle.prop_map(|(filter, quantity)| PriceTarget::Bundle { filter, quantity }),
    ];
    prop_oneof![
        4 => (percent(), target, cap())
            .prop_map(|(percent, target, max_amount)| Effect::PercentOff { percent, target, max_amount }),
        4 => (amount(currency), amount_target).prop_map(|(amount, target)| Effect::AmountOff { amount, target }),
        3 => (amount(currency), price_target).prop_map(|(amount, target)| Effect::FixedPrice { amount, target }),
        1 => Just(Effect::FreeShipping),
        3 => buy_get().prop_map(Effect::BuyGet),
        1 => (tiers(currency), cap()).prop_map(|(tiers, max_amount)| Effect::TieredPercent { tiers, max_amount }),
    ]
    .boxed()
}

fn buy_get() -> impl Strategy<Value = BuyGet> {
    let units = (option::of(filter()), quantity());
    let reward = (option::of(filter()), quantity(), percent());
    (units, reward, option::of(quantity())).prop_map(|((bought, pay), (given, quantity, percent), max_applications)| {
        BuyGet {
            buy: Units { filter: bought, quantity: pay },
            get: Reward { filter: given, quantity, percent },
            max_applications,
        }
    })
}

fn tiers(currency: Currency) -> impl Strategy<Value = Vec<Tier>> {
    vec((amount(currency), percent()), 1..=4).prop_map(|tiers| {
        let mut tiers: Vec<Tier> = tiers.into_iter().map(|(min_spend, percent)| Tier { min_spend, percent }).collect();
        tiers.sort_by_key(|tier| tier.min_spend.minor());
        tiers.dedup_by_key(|tier| tier.min_spend.minor());
        tiers
    })
}

/// A promotion with an effect, and sometimes with a code, dates, limits or a group. Not exclusive.
pub fn promotion_of(currency: Currency, effect: BoxedStrategy<Effect>) -> impl Strategy<Value = Promotion> {
    let hours = || option::weighted(0.1, -48..=48_i64);
    let place = (
        option::weighted(0.3, select(CODES.to_vec())),
        -2..=2_i32,
        option::weighted(0.2, select(LABELS.to_vec())),
        hours(),
        hours(),
    );
    let limits =
        (option::weighted(0.1, 0..=3_u64), option::weighted(0.1, 0..=3_u64), option::weighted(0.1, amount(currency)));
    let usage = (0..=2_u64, 0..=2_u64, option::weighted(0.2, amount(currency)));
    let conditions = prop_oneof![3 => Just(0..=0_usize), 2 => Just(1..=2_usize)]
        .prop_flat_map(move |count| vec(condition(currency), count));
    (place, limits, usage, conditions, effect)
        .prop_filter_map(
            "contradictory conditions or dates",
            move |((code, priority, group, starts_in, ends_in), limits, usage, conditions, effect)| {
                let (max_uses, max_uses_per_customer, budget) = limits;
                let (used, used_by_customer, budget_used) = usage;
                let instant = |hours: i64| AT + TimeDelta::hours(hours);
                let definition = PromotionDefinition {
                    code: code.map(str::to_owned),
                    priority,
                    group: group.map(str::to_owned),
                    starts_at: starts_in.map(instant),
                    ends_at: ends_in.map(instant),
                    limits: Limits { max_uses, max_uses_per_customer, budget },
                    conditions,
                    ..PromotionDefinition::new(name("promotion"), effect)
                };
                let promotion = Promotion::new(currency, definition).ok()?;
                Some(promotion.with_usage(Usage { used, used_by_customer, budget_used }))
            },
        )
        .boxed()
}

/// Any promotion that is not exclusive.
pub fn promotion(currency: Currency) -> impl Strategy<Value = Promotion> {
    promotion_of(currency, effect(currency))
}

/// A promotion with another id.
///
/// # Panics
/// If the id is invalid.
pub fn named(promotion: &Promotion, id: &str) -> Promotion {
    with_terms(promotion, |definition| definition.id = name(id))
}

/// A promotion with a changed definition.
///
/// # Panics
/// If the new definition is invalid.
pub fn with_terms(promotion: &Promotion, change: impl FnOnce(&mut PromotionDefinition)) -> Promotion {
    let mut definition = promotion.definition().clone();
    change(&mut definition);
    let changed = Promotion::new(promotion.currency(), definition).expect("the terms are still good");
    changed.with_usage(*promotion.usage())
}

/// Promotions with unique ids.
pub fn promotions(currency: Currency, most: usize) -> impl Strategy<Value = Vec<Promotion>> {
    vec(promotion(currency), 0..=most).prop_map(|promotions| {
        promotions
            .iter()
            .enumerate()
            .map(|(place, promotion)| named(promotion, &format!("promotion-{place}")))
            .collect()
    })
}

/// Taxes of up to three categories. One of them may have two rates.
pub fn tax() -> impl Strategy<Value = Tax> {
    let rate = (select(LABELS.to_vec()), select(RATES.to_vec()))
        .prop_map(|(category, rate)| TaxRate { tax_category: category.to_owned(), rate: name(rate) });
    (any::<bool>(), vec(rate, 0..=4)).prop_map(|(prices_include_tax, rates)| Tax { prices_include_tax, rates })
}

fn shipping(currency: Currency) -> impl Strategy<Value = Shipping> {
    (select(LABELS.to_vec()), amount(currency), option::of(select(LABELS.to_vec()))).prop_map(
        |(method, amount, tax_category)| Shipping {
            method: method.to_owned(),
            amount,
            tax_category: tax_category.map(str::to_owned),
        },
    )
}

/// Any rounding.
pub fn rounding() -> impl Strategy<Value = Rounding> {
    select(vec![Rounding::HalfAwayFromZero, Rounding::HalfEven, Rounding::Down])
}

/// A request with up to six lines and six promotions, selected by priority.
pub fn request() -> impl Strategy<Value = Request> {
    request_of(6, 6)
}

/// A request with up to that many lines and promotions, selected by priority.
pub fn request_of(lines_at_most: usize, promotions_at_most: usize) -> impl Strategy<Value = Request> {
    currency()
        .prop_flat_map(move |currency| {
            let cart = (lines(currency, lines_at_most), option::of(shipping(currency)), tax());
            let buyer = (subsequence(CODES.to_vec(), 0..=3), subsequence(LABELS.to_vec(), 0..=2), 0..=2_u32);
            let rules = (select(vec![TaxLevel::Line, TaxLevel::Order]), rounding());
            (cart, buyer, rules, promotions(currency, promotions_at_most)).prop_map(
                move |(
                    (lines, shipping, tax),
                    (codes, segments, completed_orders),
                    (tax_level, rounding),
                    promotions,
                )| {
                    Request {
                        codes: codes.into_iter().map(str::to_owned).collect(),
                        customer: Buyer {
                            segments: segments.into_iter().map(str::to_owned).collect(),
                            completed_orders,
                        },
                        shipping,
                        tax,
                        promotions,
                        tax_level,
                        rounding,
                        ..Request::new(currency, AT, lines)
                    }
                },
            )
        })
        .boxed()
}

/// A request with at least one exclusive promotion.
pub fn request_with_exclusives() -> impl Strategy<Value = Request> {
    let request = request().prop_filter("needs a promotion", |request| !request.promotions.is_empty());
    (request, vec(any::<Index>(), 1..=3)).prop_map(|(mut request, chosen)| {
        for index in chosen {
            let promotion = index.get(&request.promotions);
            let exclusive = with_terms(promotion, |definition| definition.exclusive = true);
            let place = index.index(request.promotions.len());
            if let Some(slot) = request.promotions.get_mut(place) {
                *slot = exclusive;
            }
        }
        request
    })
}

/// A request with amounts up to the largest possible. Its price may overflow, which is an error and never a panic.
pub fn extreme_request() -> impl Strategy<Value = Request> {
    let huge = prop_oneof![Just(i64::MAX), Just(i64::MAX - 1), Just(i64::MAX / 2), 0..=i64::MAX, Just(1), Just(0)];
    let units = prop_oneof![Just(1_i64), Just(Quantity::MAX), 1..=Quantity::MAX];
    let selection = select(vec![Selection::Priority, Selection::Best]);
    (request_of(5, 5), vec((huge, units), 6), selection).prop_map(|(mut request, sizes, selection)| {
        let currency = request.currency;
        for (line, (price, units)) in request.lines.iter_mut().zip(&sizes) {
            line.unit_price = Money::new(*price, currency);
            line.quantity = Quantity::new(*units).expect("within the limits");
        }
        if let (Some(shipping), Some((fee, _))) = (&mut request.shipping, sizes.last()) {
            shipping.amount = Money::new(*fee, currency);
        }
        request.promotions =
            request.promotions.iter().zip(&sizes).map(|(promotion, (size, _))| enlarged(promotion, *size)).collect();
        Request { selection, ..request }
    })
}

/// A promotion with amounts of this size.
fn enlarged(promotion: &Promotion, size: i64) -> Promotion {
    let money = Money::new(size, promotion.currency());
    with_terms(promotion, |definition| match &mut definition.effect {
        Effect::AmountOff { amount, .. } | Effect::FixedPrice { amount, .. } => *amount = money,
        Effect::PercentOff { max_amount, .. } | Effect::TieredPercent { max_amount, .. } => *max_amount = Some(money),
        Effect::FreeShipping | Effect::BuyGet(_) => {}
    })
}
