//! Customers.

use commerce_core::customer::{Customer, CustomerDetails, Groups};
use commerce_core::pricing::MAX_SEGMENTS;
use proptest::collection::btree_set;
use proptest::option;
use proptest::prelude::*;

use super::instant;
use super::text::{metadata, text, text_id};

/// A customer, at version 1.
pub fn customer() -> impl Strategy<Value = Customer> {
    let count = prop_oneof![5 => 0..=3_usize, 1 => Just(MAX_SEGMENTS)];
    let groups = count.prop_flat_map(|count| btree_set(text(), 0..=count));
    (text_id(), groups, option::of(text()), metadata(), instant()).prop_map(|(id, groups, tax_number, metadata, at)| {
        let groups = Groups::new(groups).expect("within the limit");
        let mut details = CustomerDetails::default();
        (details.groups, details.tax_number, details.metadata) = (groups, tax_number, metadata);
        Customer::new(&id, None, details, at)
    })
}
