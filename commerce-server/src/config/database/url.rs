//! Where a database server is, and who comes.

use std::fmt;

use super::DatabaseRefused;

/// What stands for a password.
const HIDDEN: &str = "***";

/// The URL of a database behind a network. Its password has no way out but [`DatabaseUrl::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Takes a URL in which it is plain where the password ends.
    pub(super) fn new(text: &str) -> Result<Self, DatabaseRefused> {
        let (_, rest) = text.split_once("://").ok_or(DatabaseRefused::NotADatabase)?;
        let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
        if user.contains(['@', '/', '?', '#']) {
            return Err(DatabaseRefused::NotEncoded);
        }
        Ok(Self(text.to_owned()))
    }

    /// The URL itself, with its password.
    #[cfg_attr(not(feature = "_network"), expect(dead_code, reason = "only who connects needs it"))]
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

/// As it may be shown.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
        match place.rsplit_once('@').map(|(user, host)| (user.split_once(':'), host)) {
            Some((Some((user, _)), host)) => write!(f, "{scheme}://{user}:{HIDDEN}@{host}")?,
            _ => write!(f, "{scheme}://{place}")?,
        }
        let parameters = query.into_iter().flat_map(|query| query.split('&'));
        for (number, parameter) in parameters.enumerate() {
            f.write_str(if number == 0 { "?" } else { "&" })?;
            match parameter.split_once('=') {
                Some((name, _)) if is_secret(name) => write!(f, "{name}={HIDDEN}")?,
                _ => f.write_str(parameter)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a parameter may hold a secret. A name that is itself encoded may be anything.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("pass") || name.contains('%')
}

#[cfg(test)]
#[path = "../../../tests/unit/url.rs"]
mod tests;
