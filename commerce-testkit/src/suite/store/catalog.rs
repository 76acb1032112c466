//! Products: their SKUs, lists and searches.

#![expect(missing_docs, reason = "the names of the cases say it")]

use std::collections::BTreeSet;

use commerce_core::catalog::{Category, MAX_CATEGORIES, MAX_VARIANTS, Offer, Product};
use commerce_core::commit::{Refusal, Subject};
use commerce_core::document::{Claim, ClaimKind, DocumentId, DocumentKind};
use commerce_core::ids::Sku;
use commerce_core::money::Money;
use commerce_core::port::ProductFilter;

use super::{Case, Fixture, at_once, first, walk};
use crate::commit_builder::{CURRENCY, parse};

pub async fn a_sku_belongs_to_one_product<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let shop = &case.shop;
    case.accept(shop.create(&shop.product("CUPS", &["MUG", "CUP"]))).await;
    let refusal = case.refused(shop.create(&shop.product("MORE", &["POT", "MUG"]))).await;
    assert_eq!(refusal, sold_by("CUPS"));
    assert_eq!(case.store.product(&parse("MORE")).await.unwrap(), None);
}

fn sold_by(product: &str) -> Refusal {
    Refusal::Claimed { claim: Claim::new(ClaimKind::Sku, &"MUG"), owner: product.to_owned() }
}

pub async fn a_sku_claimed_at_once_goes_to_one_product<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let claim = |n: usize| case.shop.create(&case.shop.product(&format!("P{n}"), &["MUG", &format!("S{n}")]));
    let answers = at_once(&case.store, (0..12).map(claim).collect()).await;
    let winner = answers.iter().position(Option::is_none).expect("one has it");
    let refusal = sold_by(&format!("P{winner}"));
    assert_eq!(answers.into_iter().flatten().collect::<Vec<_>>(), vec![refusal; 11]);
    assert_eq!(found(&case, &all()).await, [format!("P{winner}")]);
}

/// `%`, `_`, `\` and quotes have no special meaning.
pub async fn wildcards_in_a_search_are_plain_characters<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let names =
        [("A", "100% wool"), ("B", "snake_case"), ("C", r"back\slash"), ("D", "O'Neill \"jr\""), ("E", "plain")];
    for (id, name) in names {
        let mut product = case.shop.product(id, &[&format!("SKU-{id}")]);
        product.name = parse(name);
        case.accept(case.shop.create(&product)).await;
    }
    let searches: [(&str, &[&str]); 8] = [
        ("%", &["A"]),
        ("0% W", &["A"]),
        ("_", &["B"]),
        ("\\", &["C"]),
        ("'", &["D"]),
        ("\"JR\"", &["D"]),
        ("sku-", &["A", "B", "C", "D", "E"]),
        ("%' OR 1=1 --", &[]),
    ];
    for (text, expected) in searches {
        let filter = ProductFilter { text: Some(text.into()), ..all() };
        assert_eq!(found(&case, &filter).await, expected, "search for {text}");
    }
}

/// With the maximum of variants and categories, and the longest texts.
pub async fn a_product_comes_back_equal<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let skus: Vec<_> = (0..MAX_VARIANTS).map(|n| format!("SKU-{n}")).rev().collect();
    let mut product = case.shop.product(&"🦀".repeat(64), &skus.iter().map(String::as_str).collect::<Vec<_>>());
    product.name = parse(&"é".repeat(255));
    product.description = Some(parse(&"日".repeat(4000)));
    product.categories = (0..MAX_CATEGORIES).map(|n| parse(&format!("category {n}"))).rev().collect();
    product.active = false;
    product.variants[0].name = Some(parse(&"🦀".repeat(255)));
    product.variants[0].tax_category = Some(parse(&"%".repeat(64)));
    product.variants[1].price = Money::new(i64::MAX, CURRENCY);
    product.variants[2].price = Money::zero(CURRENCY);
    case.accept(case.shop.create(&product)).await;
    assert_eq!(case.store.product(&product.id).await.unwrap().as_ref(), Some(&product));
    assert_eq!(case.store.products(&ProductFilter::default(), &first(2)).await.unwrap().items, [product]);
}

/// Removed variants and categories are gone from the product and from the offers.
pub async fn a_changed_product_replaces_the_old_one<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let mut product = case.shop.product("P", &["A", "B", "C"]);
    product.description = Some(parse("Old"));
    product.categories = vec![parse("old"), parse("both")];
    case.accept(case.shop.create(&product)).await;
    let before = product.clone();
    product.variants.remove(1);
    product.variants.reverse();
    product.variants[0].price = Money::new(1, CURRENCY);
    product.description = None;
    product.categories = vec![parse("both"), parse("new")];
    product.version = 2;
    product.updated_at = case.shop.at(9);
    case.accept(case.shop.update(&before, &product)).await;
    assert_eq!(case.store.product(&product.id).await.unwrap().as_ref(), Some(&product));
    assert_eq!(found(&case, &ProductFilter { categories: vec![parse("old")], ..all() }).await, [""; 0]);
    let offers = case.store.offers(&["A", "B", "C"].map(parse)).await.unwrap();
    assert_eq!(offers.iter().map(|offer| offer.sku.as_str()).collect::<BTreeSet<_>>(), BTreeSet::from(["A", "C"]));
}

/// Two people edit one product. The second change is refused.
pub async fn a_stale_product_is_refused<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let mut product = case.shop.product("P", &["A"]);
    case.accept(case.shop.create(&product)).await;
    let (again, before) = (case.shop.create(&product), product.clone());
    product.version = 2;
    case.accept(case.shop.update(&before, &product)).await;
    let subject = Subject::Document(DocumentId::new(DocumentKind::Product, &"P"));
    let conflict = |expected| Refusal::VersionConflict { subject: subject.clone(), expected, actual: 2 };
    assert_eq!(case.refused(case.shop.update(&before, &product)).await, conflict(1));
    assert_eq!(case.refused(again).await, conflict(0));
    assert_eq!(case.store.product(&product.id).await.unwrap(), Some(product));
}

pub async fn a_dropped_sku_is_free_for_another_product<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let before = case.shop.product("P", &["A", "B"]);
    case.accept(case.shop.create(&before)).await;
    let smaller = Product { version: 2, ..case.shop.product("P", &["B"]) };
    case.accept(case.shop.update(&before, &smaller)).await;
    case.accept(case.shop.create(&case.shop.product("Q", &["A"]))).await;
    let offers = case.store.offers(&[parse("A")]).await.unwrap();
    assert_eq!(offers.iter().map(|offer| offer.product_id.as_str()).collect::<Vec<_>>(), ["Q"]);
}

/// Unknown SKUs have no offer. Repeated SKUs have one.
pub async fn offers_are_of_the_skus_that_exist<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let mut product = case.shop.product("P", &["A", "a", "B"]);
    product.variants[0].name = Some(parse("red, large"));
    product.variants[0].tax_category = Some(parse("books"));
    product.categories = vec![parse("x"), parse("y")];
    product.active = false;
    case.accept(case.shop.create(&product)).await;
    let mut offers = case.store.offers(&["a", "A", "none", "A"].map(parse)).await.unwrap();
    offers.sort_by(|left, right| left.sku.cmp(&right.sku));
    let expected = [0, 1].map(|n| Offer::of(&product, &product.variants[n]));
    assert_eq!(offers, expected);
    assert_eq!(case.store.offers(&[]).await.unwrap(), []);
    let many: Vec<Sku> = (0..1000).map(|n| parse(&format!("none {n}"))).chain([parse("B")]).collect();
    assert_eq!(case.store.offers(&many).await.unwrap().len(), 1);
}

/// Products of the same instant are sorted by id, in pages of every size.
pub async fn products_come_newest_first_then_by_id<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    for (id, seconds) in [("b", 5), ("B", 5), ("a", 5), ("old", 1), ("é", 5), ("new", 9)] {
        let mut product = case.shop.product(id, &[&format!("SKU {id}")]);
        product.created_at = case.shop.at(seconds);
        case.accept(case.shop.create(&product)).await;
    }
    for limit in [1, 2, 6] {
        let list = async |page| case.store.products(&all(), &page).await;
        let products = walk(limit, list, async || ()).await;
        assert_eq!(names(&products), ["new", "B", "a", "b", "é", "old"]);
    }
}

/// New products neither hide nor repeat another.
pub async fn products_are_paged_while_products_are_made<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let make = async |n: i64| {
        let mut product = case.shop.product(&format!("P{n:02}"), &[&format!("SKU {n}")]);
        product.created_at = case.shop.at(n / 2);
        case.accept(case.shop.create(&product)).await;
    };
    for n in 0..10 {
        make(n).await;
    }
    let mut next = 20;
    let list = async |page| case.store.products(&all(), &page).await;
    let products = walk(3, list, async || {
        make(next).await;
        next += 1;
    })
    .await;
    assert_eq!(names(&products), ["P08", "P09", "P06", "P07", "P04", "P05", "P02", "P03", "P00", "P01"]);
}

/// By category (any of several, each product once), by activity, and by both.
pub async fn products_are_filtered<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    for (id, categories, active) in [("A", vec!["x"], true), ("B", vec!["y", "x", "y"], false), ("C", vec![], true)] {
        let mut product = case.shop.product(id, &[&format!("SKU {id}")]);
        product.categories = categories.into_iter().map(parse).collect();
        product.active = active;
        case.accept(case.shop.create(&product)).await;
    }
    let either = vec![parse("y"), parse("x")];
    let filters: [(ProductFilter, &[&str]); 6] = [
        (all(), &["A", "B", "C"]),
        (ProductFilter { categories: either.clone(), ..all() }, &["A", "B"]),
        (ProductFilter { categories: vec![parse("y")], ..all() }, &["B"]),
        (ProductFilter { active: Some(true), ..all() }, &["A", "C"]),
        (ProductFilter { active: Some(false), ..all() }, &["B"]),
        (ProductFilter { categories: either, active: Some(true), text: Some("sku".into()), ..all() }, &["A"]),
    ];
    for (filter, expected) in filters {
        assert_eq!(found(&case, &filter).await, expected, "{filter:?}");
    }
}

/// The text may be anywhere in them. The case of ASCII letters is ignored.
pub async fn a_search_looks_at_names_ids_and_skus<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    for (id, name, skus) in [("Tea-1", "Earl Grey", ["EG-50", "EG-100"]), ("Cup-2", "Großer Becher", ["GB-1", "TEA"])]
    {
        let mut product = case.shop.product(id, &skus);
        product.name = parse(name);
        case.accept(case.shop.create(&product)).await;
    }
    let searches: [(&str, &[&str]); 7] = [
        ("TEA", &["Cup-2", "Tea-1"]),
        ("earl g", &["Tea-1"]),
        ("eG-1", &["Tea-1"]),
        ("großer", &["Cup-2"]),
        ("GROSSER", &[]),
        ("e", &["Cup-2", "Tea-1"]),
        ("eg-50 eg", &[]),
    ];
    for (text, expected) in searches {
        let filter = ProductFilter { text: Some(text.into()), ..all() };
        assert_eq!(found(&case, &filter).await, expected, "search for {text}");
    }
}

/// Ids are sorted by their bytes.
pub async fn categories_come_by_id_and_can_be_renamed<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let category = |id, name, parent| case.shop.category(id, name, parent);
    let mut commit = case.shop.commit(case.shop.at(1));
    let mugs = category("b", "Mugs", Some("a"));
    for category in [mugs.clone(), category("a", "Cups", None), category("B", "Tea", None)] {
        commit.change(None, category);
    }
    case.accept(commit).await;
    let renamed = Category { name: parse("Big mugs"), parent: Some(parse("B")), version: 2, ..mugs.clone() };
    case.accept(case.shop.update(&mugs, &renamed)).await;
    let expected = [category("B", "Tea", None), category("a", "Cups", None), renamed];
    assert_eq!(case.store.categories().await.unwrap(), expected);
}

fn all() -> ProductFilter {
    ProductFilter::default()
}

fn names(products: &[Product]) -> Vec<&str> {
    products.iter().map(|product| product.id.as_str()).collect()
}

async fn found(case: &Case, filter: &ProductFilter) -> Vec<String> {
    let products = walk(2, async |page| case.store.products(filter, &page).await, async || ()).await;
    names(&products).into_iter().map(str::to_owned).collect()
}
