//! The targets of published events.

mod kind;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use commerce_core::event::published_types;
use commerce_core::ids::TargetName;
use commerce_core::port::Publisher;
use commerce_core::publishing::Envelope;
use commerce_core::publishing::names::TypeNames;
use commerce_events::{Start, TargetOptions};
use serde::Deserialize;

use self::kind::Kind;
use super::shop::Checked;
use super::{ConfigError, broker, refused};

/// The targets by their names.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Publish(BTreeMap<Checked<TargetName>, Target>);

/// A publisher, and the options under which events are published to it.
pub(crate) type Publishing = (TargetOptions, Arc<dyn Publisher>);

/// A target. Which kinds use what is in [`kind`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    kind: Kind,
    path: Option<PathBuf>,
    url: Option<String>,
    /// The file with the URL, if that has a password.
    url_file: Option<PathBuf>,
    prefix: Option<String>,
    ca_file: Option<PathBuf>,
    stream: Option<String>,
    channel: Option<String>,
    max_length: Option<u64>,
    exchange: Option<String>,
    queue: Option<String>,
    topic: Option<String>,
    #[serde(default)]
    types: Vec<String>,
    #[serde(default)]
    start: Begin,
    #[serde(default)]
    envelope: EnvelopeName,
    #[serde(default)]
    mode: Mode,
    /// The contract whose names the events have.
    names_of: Option<String>,
    /// Names over those of the contract.
    #[serde(default)]
    names: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Begin {
    #[default]
    End,
    Beginning,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EnvelopeName {
    #[default]
    CloudEvents,
    Plain,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Structured,
    Binary,
}

impl Publish {
    pub(super) fn stand_in(&mut self, directory: &Path) {
        for target in self.0.values_mut() {
            let files = target.path.iter_mut().chain(&mut target.url_file).chain(&mut target.ca_file);
            files.for_each(|path| *path = directory.join(&*path));
        }
    }

    /// Refuses names that would look like those of other targets, types that no event has, and settings that the kind of a target does
    /// not use.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (Checked(name), target) in &self.0 {
            if !name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
                return Err(refused("publish", format!("the name {name} may have letters, digits, - and _ only")));
            }
            target.check().map_err(|problem| refused("publish", format!("{name}: {problem}")))?;
        }
        let mut paths: Vec<_> = self.0.values().filter_map(|target| target.path.as_ref()).collect();
        paths.sort_unstable();
        match paths.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first()) {
            Some(path) => Err(refused("publish", format!("two targets have the file {}", path.display()))),
            None => Ok(()),
        }
    }

    /// The targets, with the options under which events are published to them.
    ///
    /// # Errors
    /// A URL cannot be read or is invalid.
    pub(crate) fn targets(&self) -> Result<Vec<Publishing>, ConfigError> {
        let target = |(Checked(name), target): (&Checked<TargetName>, &Target)| {
            let publishing = target.options(name).and_then(|options| Ok((options, target.publisher()?)));
            publishing.map_err(|problem| refused("publish", format!("{name}: {problem}")))
        };
        self.0.iter().map(target).collect()
    }
}

impl Target {
    fn check(&self) -> Result<(), String> {
        let unknown = |wanted: &&String| !published_types().any(|known| known == wanted.as_str());
        if let Some(unknown) = self.types.iter().find(unknown) {
            return Err(format!("`{unknown:.64}` is not an event type"));
        }
        self.check_settings()?;
        self.envelope()?;
        self.names().map(drop)
    }

    fn options(&self, name: &TargetName) -> Result<TargetOptions, String> {
        let start = match self.start {
            Begin::End => Start::End,
            Begin::Beginning => Start::Beginning,
        };
        let (types, envelope, names) = (self.types.iter().cloned().collect(), self.envelope()?, self.names()?);
        Ok(TargetOptions { types, start, envelope, names, ..TargetOptions::new(name.clone()) })
    }

    fn envelope(&self) -> Result<Envelope, String> {
        match (self.envelope, self.mode) {
            (EnvelopeName::CloudEvents, Mode::Structured) => Ok(Envelope::CloudEvents),
            (EnvelopeName::Plain, Mode::Structured) => Ok(Envelope::Plain),
            (EnvelopeName::Plain, Mode::Binary) => Err("the mode binary is one of CloudEvents".to_owned()),
            (EnvelopeName::CloudEvents, Mode::Binary) if self.kind.has_headers() => Ok(Envelope::CloudEventsBinary),
            (EnvelopeName::CloudEvents, Mode::Binary) => {
                Err("this kind of target has no headers for the mode binary".into())
            }
        }
    }

    fn names(&self) -> Result<TypeNames, String> {
        let preset = self.names_of.as_deref().map(TypeNames::preset).transpose();
        let names = preset.map(Option::unwrap_or_default).and_then(|preset| {
            self.names.iter().try_fold(preset, |names, (event_type, name)| names.with(event_type, name))
        });
        names.map_err(|error| error.to_string())
    }

    fn url(&self) -> Result<String, String> {
        broker::url(self.url.as_deref(), self.url_file.as_deref())
    }
}

/// Without the URL, which may have a password.
impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("kind", &self.kind).field("types", &self.types).finish_non_exhaustive()
    }
}
