//! JSON merge patches (RFC 7396).

use alloc::string::String;

use serde_json::map::Entry;
use serde_json::{Map, Value};

/// Removes null members of objects, because null means absent in a merge patch. Lists are replaced as a whole and stay
/// as they are.
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
#[path = "../../tests/unit/patch.rs"]
mod tests;
