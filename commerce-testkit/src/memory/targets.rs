//! How far targets have confirmed the feed.

use commerce_core::publishing::TargetState;

use super::tables::Tables;

impl Tables {
    pub(super) fn replace_target(&mut self, before: Option<&TargetState>, after: Option<&TargetState>) -> bool {
        let Some(name) = before.or(after).map(|state| &state.name) else { return true };
        if self.targets.get(name).map(|stored| stored.version) != before.map(|before| before.version) {
            return false;
        }
        match after {
            Some(after) => self.targets.insert(name.clone(), after.clone()),
            None => self.targets.remove(name),
        };
        true
    }
}
