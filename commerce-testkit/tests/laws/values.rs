//! What the strategies make is what the core takes, and comes back from JSON as it was.

use std::fmt::Debug;

use commerce_core::cart::Cart;
use commerce_core::catalog::{Category, Product};
use commerce_core::customer::{Customer, CustomerDetails};
use commerce_core::document::Aggregate;
use commerce_core::ids::{OrderId, OrderNumber, Sku};
use commerce_core::text::BoundedString;
use commerce_testkit::strategy::{cart, catalog, customer, lifecycle, order, text};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value, "{json}");
}

proptest! {
    #[test]
    fn texts_and_ids(
        text in text::text::<200>(),
        sku in text::text_id::<Sku>(),
        id in text::uuid_id::<OrderId>(),
        number in text::order_number(),
        address in text::address(),
    ) {
        comes_back(&text);
        comes_back(&sku);
        comes_back(&id);
        comes_back(&number);
        comes_back(&address);
        prop_assert_eq!(number.as_str().to_lowercase().parse::<OrderNumber>(), Ok(number));
        prop_assert_eq!(text.as_str().parse::<BoundedString<200>>().unwrap(), text);
    }

    #[test]
    fn products_and_categories(product in catalog::product(), category in catalog::category()) {
        comes_back::<Product>(&product);
        comes_back::<Category>(&category);
        prop_assert_eq!(product.check(product.variants[0].price.currency()), Ok(()));
    }

    /// CUS-1, CUS-2.
    #[test]
    fn customers(customer in customer::customer()) {
        comes_back::<Customer>(&customer);
        let deleted = customer.deleted(customer.updated_at);
        comes_back::<Customer>(&deleted);
        prop_assert_eq!((&deleted.details, deleted.keys()), (&CustomerDetails::default(), vec![]));
        let anew = Customer::new(&customer.id, Some(&deleted), customer.details.clone(), customer.updated_at);
        prop_assert_eq!(anew, Customer { version: 3, ..customer });
    }

    /// CRT-1.
    #[test]
    fn carts(cart in cart::cart()) {
        comes_back::<Cart>(&cart);
        let mut skus: Vec<_> = cart.items.iter().map(|item| &item.sku).collect();
        skus.sort();
        skus.dedup();
        prop_assert_eq!(skus.len(), cart.items.len());
    }

    #[test]
    fn new_orders_and_lifecycles(new_order in order::new_order(1), lifecycle in lifecycle::built_in()) {
        comes_back(&new_order.quote);
        comes_back(&lifecycle);
    }
}
