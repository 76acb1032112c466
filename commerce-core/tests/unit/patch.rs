//! Laws of merge patches.

use alloc::string::String;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{apply, diff, drop_nulls};

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(json!(null)), any::<bool>().prop_map(Value::from), (0..4_i64).prop_map(Value::from)];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_patch_leads_from_one_object_to_the_other(mut one in values(), mut other in values()) {
        drop_nulls(&mut one);
        drop_nulls(&mut other);
        let (mut one, other) = (json!({ "root": one }), json!({ "root": other }));
        drop_nulls(&mut one);
        let mut expected = other.clone();
        drop_nulls(&mut expected);
        let patch = diff(&one, &expected);
        apply(&mut one, &patch);
        prop_assert_eq!(one, expected);
    }
}

#[test]
fn only_what_changed_is_in_a_patch() {
    let before = json!({ "name": "Mug", "active": true, "size": { "cm": 9 }, "tags": [1, 2] });
    let after = json!({ "name": "Mug", "size": { "cm": 9, "oz": 12 }, "tags": [2] });
    let expected = json!({ "active": null, "size": { "oz": 12 }, "tags": [2] });
    assert_eq!(diff(&before, &after), expected, "{}", String::from("a member that is gone is null"));
}
