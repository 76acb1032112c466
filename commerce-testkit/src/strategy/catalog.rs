//! Categories, products and offers.

use std::collections::BTreeMap;

use commerce_core::catalog::{Category, Offer, Product, Variant};
use commerce_core::ids::CategoryId;
use commerce_core::money::Currency;
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::instant;
use super::money::{currency, price_in};
use super::text::{metadata, text, text_id};

/// A category with or without a parent.
pub fn category() -> impl Strategy<Value = Category> {
    (text_id(), text(), option::of(text_id()), instant()).prop_map(|(id, name, parent, at)| Category {
        id,
        name,
        parent,
        version: 1,
        created_at: at,
        updated_at: at,
    })
}

/// A variant with a price in a currency.
pub fn variant(currency: Currency) -> impl Strategy<Value = Variant> {
    (text_id(), option::of(text()), price_in(currency), option::of(text()), metadata()).prop_map(
        |(sku, name, price, tax_category, metadata)| {
            let mut variant = Variant::new(sku, price);
            (variant.name, variant.tax_category, variant.metadata) = (name, tax_category, metadata);
            variant
        },
    )
}

/// A valid product at version 1.
pub fn product() -> impl Strategy<Value = Product> {
    currency().prop_flat_map(product_in)
}

/// A valid product in a currency, at version 1.
pub fn product_in(currency: Currency) -> impl Strategy<Value = Product> {
    let count = prop_oneof![5 => 1..=3_usize, 1 => 1..=20_usize];
    let variants = count.prop_flat_map(move |count| vec(variant(currency), count)).prop_map(|variants| {
        let by_sku: BTreeMap<_, _> = variants.into_iter().map(|variant| (variant.sku.clone(), variant)).collect();
        by_sku.into_values().collect::<Vec<_>>()
    });
    let named = (text_id(), text(), option::of(text()));
    let categories = btree_set(text_id::<CategoryId>(), 0..=3);
    (named, categories, any::<bool>(), (variants, metadata()), instant()).prop_map(
        |((id, name, description), categories, active, (variants, metadata), at)| Product {
            id,
            name,
            description,
            categories: categories.into_iter().collect(),
            active,
            variants,
            metadata,
            version: 1,
            created_at: at,
            updated_at: at,
        },
    )
}

/// An offer with a price in a currency.
pub fn offer(currency: Currency) -> impl Strategy<Value = Offer> {
    product_in(currency)
        .prop_map(|product| Offer::of(&product, product.variants.first().expect("at least one variant")))
}
