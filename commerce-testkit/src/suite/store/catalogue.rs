//! Products: who sells what, and how they are found.

use commerce_core::commit::Refusal;
use commerce_core::port::{Page, ProductFilter};

use super::{Case, Fixture};
use crate::shop::parse;

/// A sku that one product sells cannot be sold by another.
pub async fn a_sku_belongs_to_one_product<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let shop = &case.shop;
    case.accept(shop.save_product(&shop.product("CUPS", &["MUG", "CUP"]))).await;
    let refusal = case.refused(shop.save_product(&shop.product("MORE", &["POT", "MUG"]))).await;
    assert_eq!(refusal, Refusal::SkuTaken { sku: parse("MUG"), product: parse("CUPS") });
    assert_eq!(case.handles.catalog.product(&parse("MORE")).await.unwrap(), None);
}

/// `%`, `_`, `\` and quotes in a search stand for themselves.
pub async fn wildcards_in_a_search_are_plain_characters<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let names =
        [("A", "100% wool"), ("B", "snake_case"), ("C", r"back\slash"), ("D", "O'Neill \"jr\""), ("E", "plain")];
    for (id, name) in names {
        let mut product = case.shop.product(id, &[&format!("SKU-{id}")]);
        product.name = parse(name);
        case.accept(case.shop.save_product(&product)).await;
    }
    let searches = [
        ("%", vec!["A"]),
        ("0% W", vec!["A"]),
        ("_", vec!["B"]),
        ("\\", vec!["C"]),
        ("'", vec!["D"]),
        ("\"JR\"", vec!["D"]),
        ("sku-", vec!["A", "B", "C", "D", "E"]),
        ("%' OR 1=1 --", vec![]),
    ];
    for (text, expected) in searches {
        let filter = ProductFilter { text: Some(text.into()), ..ProductFilter::default() };
        let found = case.handles.catalog.products(&filter, &Page { limit: 10, after: None }).await.unwrap();
        let ids: Vec<_> = found.items.iter().map(|product| product.id.as_str()).collect();
        assert_eq!(ids, expected, "search for {text}");
    }
}
