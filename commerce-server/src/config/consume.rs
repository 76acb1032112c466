//! The systems whose events are taken.

mod kind;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use commerce_core::inbox::{Envelope, IncomingType, Source, SourceName};
use commerce_core::port::{InboxVerifier, Subscription};
use commerce_webhooks::{Incoming, IncomingSecrets};
use serde::Deserialize;

use self::kind::Kind;
use super::shop::Checked;
use super::{ConfigError, Secret, refused};

/// The sources by their names.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Consume(BTreeMap<Checked<SourceName>, Section>);

/// A source. Which kinds use what is in [`kind`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    kind: Kind,
    #[serde(default)]
    envelope: Envelope,
    /// Our types, by the names of the source.
    types: BTreeMap<String, Checked<TypeName>>,
    secret_file: Option<PathBuf>,
    url: Option<String>,
    /// The file with the URL, if that has a password.
    url_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    stream: Option<String>,
    durable: Option<String>,
    subject: Option<String>,
    group: Option<String>,
    field: Option<String>,
    queue: Option<String>,
}

/// A queue of a broker, and the source that its messages are of.
pub(crate) type Consuming = (SourceName, Arc<dyn Subscription>);

/// The name of a type of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct TypeName(IncomingType);

#[derive(Debug)]
struct UnknownType;

impl fmt::Display for UnknownType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = IncomingType::ALL.iter().map(|kind| kind.name()).collect();
        write!(f, "a type must be one of {}", known.join(", "))
    }
}

impl FromStr for TypeName {
    type Err = UnknownType;

    fn from_str(name: &str) -> Result<Self, UnknownType> {
        IncomingType::named(name).map(Self).ok_or(UnknownType)
    }
}

impl Consume {
    pub(super) fn stand_in(&mut self, directory: &Path) {
        for section in self.0.values_mut() {
            let files = section.secret_file.iter_mut().chain(&mut section.url_file).chain(&mut section.ca_file);
            files.for_each(|path| *path = directory.join(&*path));
        }
    }

    /// Refuses a source without types, and settings that the kind of a source needs or does not use.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (Checked(name), section) in &self.0 {
            section.check().map_err(|problem| refused("consume", format!("{name}: {problem}")))?;
        }
        Ok(())
    }

    /// What may come from the sources.
    pub(super) fn sources(&self) -> BTreeMap<SourceName, Source> {
        self.0.iter().map(|(Checked(name), section)| (name.clone(), section.source())).collect()
    }

    /// What believes the webhooks of the sources.
    ///
    /// # Errors
    /// A secret cannot be read or used.
    pub(crate) fn verifier(&self) -> Result<Arc<dyn InboxVerifier>, ConfigError> {
        let secrets = |(Checked(name), section): (&Checked<SourceName>, &Section)| {
            let file = section.secret_file.as_ref()?;
            let read = || {
                let secrets = IncomingSecrets::parse(Secret::read(file)?.reveal());
                secrets.map_err(|error| refused("consume", format!("{name}: secret_file: {error}")))
            };
            Some(read().map(|secrets| (name.clone(), secrets)))
        };
        Ok(Arc::new(Incoming::new(self.0.iter().filter_map(secrets).collect::<Result<_, _>>()?)))
    }

    /// The queues of brokers, not yet connected.
    ///
    /// # Errors
    /// A URL cannot be read or is invalid, or the broker was not built in.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub(crate) fn queues(&self) -> Result<Vec<Consuming>, ConfigError> {
        let queue = |(Checked(name), section): (&Checked<SourceName>, &Section)| {
            let queue = section.queue().map_err(|problem| refused("consume", format!("{name}: {problem}")));
            queue.map(|queue| queue.map(|queue| (name.clone(), queue))).transpose()
        };
        self.0.iter().filter_map(queue).collect()
    }
}

impl Section {
    fn check(&self) -> Result<(), String> {
        if self.types.is_empty() {
            return Err("types is empty, so nothing would be taken".to_owned());
        }
        self.check_settings()
    }

    fn source(&self) -> Source {
        let types = self.types.iter().map(|(name, Checked(TypeName(kind)))| (name.clone(), *kind));
        Source { envelope: self.envelope, types: types.collect() }
    }
}

/// Without the URL, which may have a password.
impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Section").field("kind", &self.kind).field("types", &self.types).finish_non_exhaustive()
    }
}
