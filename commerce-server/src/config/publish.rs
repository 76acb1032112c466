//! The targets of published events.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use commerce_core::event::published_types;
use commerce_core::ids::TargetName;
use commerce_core::port::Publisher;
use commerce_events::{FileTarget, Start, TargetOptions};
#[cfg(feature = "nats")]
use commerce_events::{NatsConfig, NatsTarget};
#[cfg(feature = "redis")]
use commerce_events::{RedisConfig, RedisTarget};
use serde::Deserialize;

use super::shop::Checked;
use super::{ConfigError, Secret, refused};

/// What the subjects of NATS begin with, and the key of a Redis stream.
#[cfg(any(feature = "nats", feature = "redis"))]
const COMMERCE: &str = "commerce";

/// The targets by their names.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Publish(BTreeMap<Checked<TargetName>, Target>);

/// A publisher, and the options under which events are published to it.
pub(crate) type Publishing = (TargetOptions, Arc<dyn Publisher>);

/// A target.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    kind: Kind,
    /// Of a file.
    path: Option<PathBuf>,
    /// Of a broker.
    url: Option<String>,
    /// The file with the URL, if that has a password.
    url_file: Option<PathBuf>,
    /// Of NATS.
    prefix: Option<String>,
    /// Of NATS.
    ca_file: Option<PathBuf>,
    /// Of Redis.
    stream: Option<String>,
    /// Of Redis.
    channel: Option<String>,
    /// Of Redis.
    max_length: Option<u64>,
    #[serde(default)]
    types: Vec<String>,
    #[serde(default)]
    start: Begin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    File,
    Nats,
    Redis,
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
            let publisher = target.publisher().map_err(|problem| refused("publish", format!("{name}: {problem}")))?;
            Ok((target.options(name), publisher))
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
        let is = |kind| self.kind == kind;
        let has_url = self.url.is_some() || self.url_file.is_some();
        let settings = [("path", self.path.is_some(), is(Kind::File)), ("url or url_file", has_url, !is(Kind::File))];
        if let Some((missing, ..)) = settings.into_iter().find(|(_, is_set, is_needed)| *is_needed && !is_set) {
            return Err(format!("{missing} is missing"));
        }
        let only = [
            ("prefix", self.prefix.is_some(), is(Kind::Nats)),
            ("ca_file", self.ca_file.is_some(), is(Kind::Nats)),
            ("stream", self.stream.is_some(), is(Kind::Redis)),
            ("channel", self.channel.is_some(), is(Kind::Redis)),
            ("max_length", self.max_length.is_some(), is(Kind::Redis)),
        ];
        match settings.into_iter().chain(only).find(|(_, is_set, is_used)| *is_set && !is_used) {
            Some((unused, ..)) => Err(format!("this kind of target does not use {unused}")),
            None if self.url.is_some() && self.url_file.is_some() => Err("url and url_file exclude each other".into()),
            None => Ok(()),
        }
    }

    fn options(&self, name: &TargetName) -> TargetOptions {
        let start = match self.start {
            Begin::End => Start::End,
            Begin::Beginning => Start::Beginning,
        };
        TargetOptions { types: self.types.iter().cloned().collect(), start, ..TargetOptions::new(name.clone()) }
    }

    fn publisher(&self) -> Result<Arc<dyn Publisher>, String> {
        match self.kind {
            Kind::File => Ok(Arc::new(FileTarget::new(self.path.clone().unwrap_or_default()))),
            Kind::Nats => self.nats(),
            Kind::Redis => self.redis(),
        }
    }

    #[cfg(feature = "nats")]
    fn nats(&self) -> Result<Arc<dyn Publisher>, String> {
        let prefix = self.prefix.clone().unwrap_or_else(|| COMMERCE.to_owned());
        Ok(Arc::new(NatsTarget::new(NatsConfig { url: self.url()?, prefix, ca_file: self.ca_file.clone() })))
    }

    #[cfg(not(feature = "nats"))]
    fn nats(&self) -> Result<Arc<dyn Publisher>, String> {
        self.url().and(Err("this commerce was built without NATS: build it with --features nats".into()))
    }

    #[cfg(feature = "redis")]
    fn redis(&self) -> Result<Arc<dyn Publisher>, String> {
        let stream = self.stream.clone().unwrap_or_else(|| COMMERCE.to_owned());
        let (channel, max_length) = (self.channel.clone(), self.max_length);
        let target = RedisTarget::new(RedisConfig { url: self.url()?, stream, channel, max_length });
        Ok(Arc::new(target.map_err(|error| error.to_string())?))
    }

    #[cfg(not(feature = "redis"))]
    fn redis(&self) -> Result<Arc<dyn Publisher>, String> {
        self.url().and(Err("this commerce was built without Redis: build it with --features redis".into()))
    }

    fn url(&self) -> Result<String, String> {
        match (&self.url, &self.url_file) {
            (Some(url), _) => Ok(url.clone()),
            (None, Some(file)) => {
                Secret::read(file).map(|url| url.reveal().to_owned()).map_err(|error| error.to_string())
            }
            (None, None) => Ok(String::new()),
        }
    }
}

/// Without the URL, which may have a password.
impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("kind", &self.kind).field("types", &self.types).finish_non_exhaustive()
    }
}
