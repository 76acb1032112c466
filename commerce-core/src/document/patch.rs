//! JSON merge patches (RFC 7396): what changed from one object to another.

use alloc::string::String;

use serde_json::map::Entry;
use serde_json::{Map, Value};

/// Removes the members of objects that are null: in a merge patch null means absent. Lists are replaced as a whole, so what
/// stands in them stays.
pub(super) fn drop_nulls(value: &mut Value) {
    if let Value::Object(members) = value {
        members.retain(|_, member| !member.is_null());
        members.values_mut().for_each(drop_nulls);
    }
}

/// The merge patch that turns one value without null members into another.
pub(super) fn diff(before: &Value, after: &Value) -> Value {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => Value::Object(diff_members(before, after)),
        _ => after.clone(),
    }
}

fn diff_members(before: &Map<String, Value>, after: &Map<String, Value>) -> Map<String, Value> {
    let gone = before.keys().filter(|name| !after.contains_key(*name)).map(|name| (name.clone(), Value::Null));
    let changed = after.iter().filter_map(|(name, value)| match before.get(name) {
        Some(old) if old == value => None,
        Some(old) => Some((name.clone(), diff(old, value))),
        None => Some((name.clone(), value.clone())),
    });
    gone.chain(changed).collect()
}

/// Applies a merge patch.
pub(super) fn apply(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, change) in patch {
        if change.is_null() {
            members.remove(name);
            continue;
        }
        match members.entry(name.clone()) {
            Entry::Occupied(mut old) => apply(old.get_mut(), change),
            Entry::Vacant(new) => apply(new.insert(Value::Null), change),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{apply, diff, drop_nulls};

    fn values() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(json!(null)), any::<bool>().prop_map(Value::from), (0..4_i64).prop_map(Value::from)];
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
}
