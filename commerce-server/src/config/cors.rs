//! The settings of requests from pages of other origins.

use commerce_http::cors::{Cors, CorsSettings};
use serde::Deserialize;

use super::{ConfigError, DurationText, refused};

/// How long browsers keep the answer to a preflight.
const MAX_AGE: DurationText = DurationText::seconds(600);

/// Which pages of other origins may call the API.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CorsSection {
    origins: Vec<String>,
    methods: Option<Vec<String>>,
    headers: Option<Vec<String>>,
    max_age: Option<DurationText>,
    credentials: bool,
}

impl CorsSection {
    /// The checked settings.
    ///
    /// # Errors
    /// A setting is not what it should be.
    pub(crate) fn cors(&self) -> Result<Cors, ConfigError> {
        let Self { origins, methods, headers, credentials, .. } = self;
        let settings = CorsSettings {
            origins: origins.clone(),
            methods: methods.clone(),
            headers: headers.clone(),
            credentials: *credentials,
        };
        let max_age = self.max_age.unwrap_or(MAX_AGE).whole_seconds();
        Cors::new(&settings, max_age).map_err(|error| refused("cors", error.to_string()))
    }
}
