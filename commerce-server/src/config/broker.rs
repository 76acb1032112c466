//! What sections of targets and sources share: the URL of a broker, and which settings a kind uses.

use std::path::Path;

use super::Secret;

/// The URL of a broker, or that in a file.
pub(super) fn url(url: Option<&str>, file: Option<&Path>) -> Result<String, String> {
    match (url, file) {
        (Some(url), _) => Ok(url.to_owned()),
        (None, Some(file)) => Secret::read(file).map(|url| url.reveal().to_owned()).map_err(|error| error.to_string()),
        (None, None) => Ok(String::new()),
    }
}

/// A setting: its name, whether it is there, and the kinds that use it.
pub(super) type Setting<'a, K> = (&'static str, bool, &'a [K]);

/// Refuses a section without what its kind needs, or with what its kind does not use.
pub(super) fn check<K: PartialEq>(
    kind: &K,
    noun: &str,
    needed: &[Setting<'_, K>],
    optional: &[Setting<'_, K>],
) -> Result<(), String> {
    let is_used = |kinds: &[K]| kinds.contains(kind);
    if let Some((missing, ..)) = needed.iter().find(|(_, is_set, kinds)| is_used(kinds) && !is_set) {
        return Err(format!("{missing} is missing"));
    }
    match needed.iter().chain(optional).find(|(_, is_set, kinds)| *is_set && !is_used(kinds)) {
        Some((unused, ..)) => Err(format!("this kind of {noun} does not use {unused}")),
        None => Ok(()),
    }
}

/// Why a broker cannot be used that was not built in.
#[cfg(not(all(feature = "kafka", feature = "nats", feature = "rabbitmq", feature = "redis")))]
pub(super) fn absent(broker: &str, feature: &str) -> String {
    format!("this commerce was built without {broker}: build it with --features {feature}")
}
