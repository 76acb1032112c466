//! The TLS parameters of a URL.

use std::path::PathBuf;

use super::DatabaseError;

/// The TLS parameters of a URL, and the URL without them.
pub(crate) struct Security {
    pub(crate) url: String,
    /// Whether the URL asks for TLS. `None` if the parameter is absent.
    pub(crate) wanted: Option<bool>,
    /// The file with the certificates that are trusted.
    pub(crate) roots: Option<PathBuf>,
}

impl Security {
    /// Takes the two named parameters out of a URL. `is_wanted` parses the first.
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
