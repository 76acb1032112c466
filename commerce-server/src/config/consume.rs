//! The systems whose events are taken.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use commerce_core::inbox::{Envelope, IncomingType, Source, SourceName};
use commerce_core::port::InboxVerifier;
use commerce_webhooks::{Incoming, IncomingSecrets};
use serde::Deserialize;

use super::shop::Checked;
use super::{ConfigError, Secret, refused};

/// The sources by their names.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Consume(BTreeMap<Checked<SourceName>, Section>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    kind: Kind,
    #[serde(default)]
    envelope: Envelope,
    /// Our types, by the names of the source.
    types: BTreeMap<String, Checked<TypeName>>,
    /// Of webhooks.
    secret_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Webhook,
}

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
        let files = self.0.values_mut().filter_map(|section| section.secret_file.as_mut());
        files.for_each(|path| *path = directory.join(&*path));
    }

    /// Refuses a source without types or without a secret.
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
}

impl Section {
    fn check(&self) -> Result<(), &'static str> {
        if self.types.is_empty() {
            return Err("types is empty, so nothing would be taken");
        }
        if self.kind == Kind::Webhook && self.secret_file.is_none() {
            return Err("secret_file is missing");
        }
        Ok(())
    }

    fn source(&self) -> Source {
        let types = self.types.iter().map(|(name, Checked(TypeName(kind)))| (name.clone(), *kind));
        Source { envelope: self.envelope, types: types.collect() }
    }
}
