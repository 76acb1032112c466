//! What a URL says of TLS.

use std::path::PathBuf;

use super::DatabaseError;

/// What a URL says of TLS, taken out of it.
pub(crate) struct Security {
    pub(crate) url: String,
    /// Whether it asks for TLS, if it says so.
    pub(crate) wanted: Option<bool>,
    /// The file of the certificates that vouch for the server.
    pub(crate) roots: Option<PathBuf>,
}

impl Security {
    /// Takes the parameters that ask for TLS and name the certificates; `is_wanted` knows the words of the first.
    pub(crate) fn take(
        url: &str,
        [mode, roots]: [&str; 2],
        is_wanted: impl Fn(&str) -> Option<bool>,
    ) -> Result<Self, DatabaseError> {
        let (front, query) = url.split_once('?').unwrap_or((url, ""));
        let mut security = Self { url: front.to_owned(), wanted: None, roots: None };
        let mut between = '?';
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some((name, word)) if name == mode => {
                    let unknown = || DatabaseError::Url(format!("{mode} cannot be {word}"));
                    security.wanted = Some(is_wanted(word).ok_or_else(unknown)?);
                }
                Some((name, path)) if name == roots => security.roots = Some(PathBuf::from(path)),
                _ => {
                    security.url.push(between);
                    security.url.push_str(parameter);
                    between = '&';
                }
            }
        }
        Ok(security)
    }
}
