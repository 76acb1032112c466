//! Metadata: stored, part of the history, found by equality.

use std::fmt::Debug;

use commerce_core::cart::Cart;
use commerce_core::catalog::Product;
use commerce_core::document::{self, Aggregate, DocumentFilter, Versioned};
use commerce_core::metadata::{MAX_KEY, MAX_STRING, Metadata};
use commerce_core::order::{Order, OrderEvent};
use commerce_core::port::{OrderFilter, ProductFilter};
use commerce_core::promotion::{Promotion, PromotionDefinition, PromotionRecord};
use serde_json::{Value, json};

use super::{Case, Fixture, at_once, first};
use crate::commit_builder::{CURRENCY, parse, units};
use crate::quote::percent_off;

/// Keys and values to find.
type Entries<'a> = &'a [(&'a str, &'a str)];

/// On every noun and line, at the limits of keys, strings and numbers, and in events.
pub async fn metadata_comes_back_equal<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 9)]).await;
    let metadata = extreme();
    let mut cart = cart(&case, metadata.clone());
    cart.items = vec![case.shop.cart_item("MUG", units(1))];
    cart.items[0].metadata = metadata.clone();
    comes_back(&case, &cart).await;
    let mut product = product(&case, "MUG", metadata.clone());
    product.variants[0].metadata = metadata.clone();
    comes_back(&case, &product).await;
    comes_back(&case, &promotion(&case, "ten", metadata.clone())).await;
    let mut item = case.shop.item(parse("MUG"), units(1));
    item.metadata = metadata.clone();
    let mut new_order = case.shop.new_order_of(&[item], case.shop.at(1));
    new_order.details.metadata = metadata;
    let order = case.carry_out(case.shop.place(new_order, case.shop.at(1))).await;
    assert_eq!(case.order(&order).await.as_ref(), Some(&order));
    let history = case.store().order_history(order.id).await.unwrap();
    assert_eq!(history[0].event, OrderEvent::Created { order: Box::new(order) });
}

/// By all entries, with their current values. Strings are compared as they are, numbers and booleans as JSON.
pub async fn documents_are_found_by_their_metadata<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let both = of(json!({ "channel": "app", "rank": 1.5, "gift": true }));
    let one = of(json!({ "channel": "app", "rank": 2 }));
    for (n, metadata) in [both.clone(), one.clone(), Metadata::default()].into_iter().enumerate() {
        let name = format!("d{n}");
        let mut cart = cart(&case, metadata.clone());
        cart.user_id = parse(&name);
        case.accept(case.shop.create(&cart)).await;
        case.accept(case.shop.create(&product(&case, &name, metadata.clone()))).await;
        case.accept(case.shop.create(&promotion(&case, &name, metadata))).await;
    }
    let filters: [(Entries<'_>, &[usize]); 7] = [
        (&[("channel", "app")], &[0, 1]),
        (&[("channel", "app"), ("rank", "1.5")], &[0]),
        (&[("gift", "true"), ("rank", "1.5"), ("channel", "app")], &[0]),
        (&[("rank", "2")], &[1]),
        (&[("rank", "2"), ("gift", "true")], &[]),
        (&[("Channel", "app")], &[]),
        (&[("channel", "APP")], &[]),
    ];
    for (entries, expected) in filters {
        let expected: Vec<_> = expected.iter().map(|n| [&both, &one][*n].clone()).collect();
        assert_found(&case, entries, &expected).await;
    }
    let before = product(&case, "d0", both);
    case.accept(case.shop.update(&before, &Product { version: 2, metadata: one, ..before.clone() })).await;
    assert_eq!(products(&case, &keys(&[("rank", "1.5")])).await, []);
    assert_eq!(products(&case, &keys(&[("rank", "2")])).await.len(), 2);
}

/// Also when several changes of a document are written together: an entry is added, dropped and added again.
pub async fn documents_changed_in_a_row_are_found_by_their_last_metadata<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    for (n, ranks) in [[1, 2, 1, 2, 3], [1, 2, 2, 1, 1], [3, 1, 2, 3, 1]].into_iter().enumerate() {
        let id = format!("d{n}");
        let version = |(version, rank): (u64, u64)| Product {
            version,
            ..product(&case, &id, of(json!({ "rank": rank, "channel": n })))
        };
        let versions: Vec<_> = (1..).zip(ranks).map(version).collect();
        let created = [case.shop.create(&versions[0])];
        let updated = versions.windows(2).map(|pair| case.shop.update(&pair[0], &pair[1]));
        let mut commits: Vec<_> = created.into_iter().chain(updated).collect();
        while !commits.is_empty() {
            let answers = at_once(&case.store, commits.clone()).await;
            let mut refused = answers.iter().map(Option::is_some);
            commits.retain(|_| refused.next() == Some(true));
        }
        let last = versions.last().unwrap();
        for rank in 1..=3 {
            let found = products(&case, &keys(&[("rank", &rank.to_string()), ("channel", &n.to_string())])).await;
            assert_eq!(found, if ranks[4] == rank { vec![last.metadata.clone()] } else { vec![] }, "{ranks:?}");
        }
    }
}

/// Together with other filters, and in every state.
pub async fn orders_are_found_by_their_metadata<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 9)]).await;
    let mut orders = Vec::new();
    for (n, entries) in
        [json!({ "channel": "app", "till": 7 }), json!({ "channel": "app" }), json!({})].into_iter().enumerate()
    {
        let at = case.shop.at(i64::try_from(n).unwrap());
        let mut new_order = case.shop.new_order(&[("MUG", 1)], at);
        new_order.details.metadata = of(entries);
        orders.push(case.carry_out(case.shop.place(new_order, at)).await);
    }
    orders[0] = case.pay(&orders[0], case.shop.at(9)).await;
    let (channel, till) = (("channel", "app"), ("till", "7"));
    let filters: [(OrderFilter, &[usize]); 4] = [
        (OrderFilter { keys: keys(&[channel]), ..OrderFilter::default() }, &[1, 0]),
        (OrderFilter { keys: keys(&[channel, till]), ..OrderFilter::default() }, &[0]),
        (OrderFilter { keys: keys(&[channel]), status: Some(parse("paid")), ..OrderFilter::default() }, &[0]),
        (OrderFilter { keys: keys(&[channel, ("till", "8")]), ..OrderFilter::default() }, &[]),
    ];
    for (filter, expected) in filters {
        let found = case.store().orders(&filter, &first(9)).await.unwrap().items;
        let expected: Vec<Order> = expected.iter().map(|n| orders[*n].clone()).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

/// The key and the string have the maximum length.
pub async fn the_longest_entry_is_found<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let (key, text) = ("k".repeat(MAX_KEY), "日".repeat(MAX_STRING / 3));
    let metadata = Metadata::new([(key.clone(), text.clone().into())]).unwrap();
    case.accept(case.shop.create(&product(&case, "MUG", metadata.clone()))).await;
    assert_eq!(products(&case, &keys(&[(&key, &text)])).await, [metadata]);
    assert_eq!(products(&case, &keys(&[(&key, &format!("{text}!"))])).await, []);
    assert_eq!(products(&case, &keys(&[(&key, &format!("{text} "))])).await, []);
}

async fn comes_back<T: Aggregate + Clone + Debug>(case: &Case, value: &T) {
    case.accept(case.shop.create(value)).await;
    let document: document::Document = value.clone().into();
    let id = document.id();
    assert_eq!(case.store().document(&id).await.unwrap().as_ref(), Some(&document));
    let history = case.document_history(&id).await;
    assert_eq!(document::replay(id.kind, &history), Ok(document));
}

async fn assert_found(case: &Case, entries: Entries<'_>, expected: &[Metadata]) {
    let keys = keys(entries);
    assert_eq!(products(case, &keys).await, expected, "products by {entries:?}");
    let filter = DocumentFilter::all_of(keys);
    let carts = case.store().documents(Cart::KIND, &filter, &first(9)).await.unwrap().items;
    let carts: Vec<_> = carts.into_iter().map(|cart| Cart::try_from(cart).unwrap().metadata).collect();
    assert_eq!(carts, expected, "carts by {entries:?}");
    let promotions = case.store().promotions(&filter, &first(9)).await.unwrap().items;
    let promotions: Vec<_> =
        promotions.into_iter().map(|kept| kept.record.promotion.definition().metadata.clone()).collect();
    assert_eq!(promotions, expected, "promotions by {entries:?}");
}

async fn products(case: &Case, keys: &[String]) -> Vec<Metadata> {
    let filter = ProductFilter { keys: keys.to_vec(), ..ProductFilter::default() };
    let found = case.store().products(&filter, &first(9)).await.unwrap().items;
    found.into_iter().map(|product| product.metadata).collect()
}

fn keys(entries: Entries<'_>) -> Vec<String> {
    entries.iter().map(|(key, value)| Metadata::lookup_key(key, value)).collect()
}

fn cart(case: &Case, metadata: Metadata) -> Cart {
    let mut cart = case.shop.cart(parse("user-1"), case.shop.at(1));
    cart.metadata = metadata;
    cart
}

fn product(case: &Case, id: &str, metadata: Metadata) -> Product {
    Product { metadata, ..case.shop.product(id, &[id]) }
}

fn promotion(case: &Case, id: &str, metadata: Metadata) -> PromotionRecord {
    let definition = PromotionDefinition { metadata, ..percent_off(id, 1000) };
    PromotionRecord::new(Promotion::new(CURRENCY, definition).unwrap(), case.shop.at(1))
}

fn of(entries: Value) -> Metadata {
    Metadata::new(serde_json::from_value::<serde_json::Map<String, Value>>(entries).unwrap()).unwrap()
}

fn extreme() -> Metadata {
    of(json!({
        "k".repeat(MAX_KEY): "🦀".repeat(MAX_STRING / 4),
        "A-Z_a.z": "line\nbreak\t'\"\\%_",
        "empty": "",
        "least": i64::MIN,
        "most": i64::MAX,
        "fraction": 1_234.567_890_123_45,
        "small": -0.000_000_000_000_01,
        "yes": true,
        "no": false,
    }))
}
