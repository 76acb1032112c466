//! Which lifecycle orders follow: a built-in one, or one of the shop's own.

use std::fmt;
use std::path::Path;

use commerce_core::actor::Role;
use commerce_core::order::{Lifecycle, LifecycleDraft, LifecycleError, Transition, Trigger, Window, WindowStart};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::{ConfigError, DurationText, read_toml, refused};

/// A lifecycle as a setting names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LifecycleChoice {
    /// A built-in name, or a file.
    Named(String),
    Inline(Lifecycle),
}

/// For how long customers may cancel and return, in place of what the lifecycle says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Windows {
    /// To cancel, counted from the placing unless the lifecycle counts from elsewhere.
    pub(crate) cancellation: Option<DurationText>,
    /// To return, counted from the delivery unless the lifecycle counts from elsewhere.
    pub(crate) returns: Option<DurationText>,
}

impl LifecycleChoice {
    /// Takes the path of a file from a directory.
    pub(super) fn stand_in(&mut self, directory: &Path) {
        if let Self::Named(name) = self
            && Lifecycle::built_in(name).is_none()
        {
            *name = directory.join(&*name).display().to_string();
        }
    }

    pub(super) fn load(&self) -> Result<Lifecycle, ConfigError> {
        match self {
            Self::Inline(lifecycle) => Ok(lifecycle.clone()),
            Self::Named(name) => Lifecycle::built_in(name).map_or_else(|| read_lifecycle(name), Ok),
        }
    }
}

impl From<String> for LifecycleChoice {
    fn from(name: String) -> Self {
        Self::Named(name)
    }
}

fn read_lifecycle(path: &str) -> Result<Lifecycle, ConfigError> {
    if Path::new(path).exists() {
        return read_toml(Path::new(path));
    }
    let known = Lifecycle::BUILT_IN.join(", ");
    Err(refused("lifecycle", format!("{path} is neither a file nor a built-in lifecycle ({known})")))
}

impl Windows {
    /// A lifecycle with these windows.
    pub(crate) fn apply(self, lifecycle: Lifecycle) -> Result<Lifecycle, LifecycleError> {
        let mut draft = LifecycleDraft::from(lifecycle);
        for transition in &mut draft.transitions {
            self.limit(transition);
        }
        Lifecycle::try_from(draft)
    }

    fn limit(self, transition: &mut Transition) {
        let (span, start) = match transition.trigger {
            Trigger::Cancel => (self.cancellation, WindowStart::Placed),
            Trigger::Return => (self.returns, WindowStart::Delivered),
            Trigger::Place | Trigger::Pay | Trigger::PaymentFailure | Trigger::Expiry | Trigger::Advance => return,
        };
        if let Some(span) = span.filter(|_| transition.roles.contains(&Role::Customer)) {
            let since = transition.window.map_or(start, |window| window.since);
            transition.window = Some(Window { since, seconds: span.whole_seconds() });
        }
    }
}

impl<'de> Deserialize<'de> for LifecycleChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ChoiceVisitor)
    }
}

struct ChoiceVisitor;

impl<'de> Visitor<'de> for ChoiceVisitor {
    type Value = LifecycleChoice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a lifecycle, a file, or a table")
    }

    fn visit_str<E>(self, name: &str) -> Result<LifecycleChoice, E> {
        Ok(LifecycleChoice::Named(name.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LifecycleChoice, A::Error> {
        Lifecycle::deserialize(MapAccessDeserializer::new(map)).map(LifecycleChoice::Inline)
    }
}

#[cfg(test)]
#[path = "../../tests/unit/lifecycle.rs"]
mod tests;
