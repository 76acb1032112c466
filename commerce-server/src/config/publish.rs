//! The targets of published events.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use commerce_core::event::published_types;
use commerce_core::ids::TargetName;
use commerce_core::port::Publisher;
use commerce_events::{FileTarget, Start, TargetOptions};
use serde::Deserialize;

use super::shop::Checked;
use super::{ConfigError, refused};

/// The targets by their names.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Publish(BTreeMap<Checked<TargetName>, Target>);

/// A target.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    kind: Kind,
    path: PathBuf,
    #[serde(default)]
    types: Vec<String>,
    #[serde(default)]
    start: Begin,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    File,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Begin {
    #[default]
    End,
    Beginning,
}

impl Publish {
    pub(super) fn stand_in(&mut self, directory: &Path) {
        self.0.values_mut().for_each(|target| target.path = directory.join(&target.path));
    }

    /// Refuses names that would look like those of other targets, and types that no event has.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (Checked(name), target) in &self.0 {
            if !name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
                return Err(refused("publish", format!("the name {name} may have letters, digits, - and _ only")));
            }
            let unknown = |wanted: &&String| !published_types().any(|known| known == wanted.as_str());
            if let Some(unknown) = target.types.iter().find(unknown) {
                return Err(refused("publish", format!("{name}: `{unknown:.64}` is not an event type")));
            }
        }
        let mut paths: Vec<_> = self.0.values().map(|target| &target.path).collect();
        paths.sort_unstable();
        match paths.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first()) {
            Some(path) => Err(refused("publish", format!("two targets have the file {}", path.display()))),
            None => Ok(()),
        }
    }

    /// The targets, with the options under which events are published to them.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (TargetOptions, Arc<dyn Publisher>)> {
        self.0.iter().map(|(Checked(name), target)| (target.options(name), target.publisher()))
    }
}

impl Target {
    fn options(&self, name: &TargetName) -> TargetOptions {
        let start = match self.start {
            Begin::End => Start::End,
            Begin::Beginning => Start::Beginning,
        };
        TargetOptions { types: self.types.iter().cloned().collect(), start, ..TargetOptions::new(name.clone()) }
    }

    fn publisher(&self) -> Arc<dyn Publisher> {
        match self.kind {
            Kind::File => Arc::new(FileTarget::new(self.path.clone())),
        }
    }
}
