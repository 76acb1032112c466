//! Metadata in requests. It is returned as it is stored.

use std::borrow::Cow;

use commerce_core::metadata::{Metadata, MetadataPatch};
use commerce_core::problem::{Findings, Read};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::scalar::Scalar;
use crate::json::Members;

const DESCRIPTION: &str = "Up to 50 entries for the purposes of callers: strings of up to 500 bytes, numbers and booleans. \
                           Numbers are whole ones of 64 bits or have up to 15 digits. In a merge patch, null removes an entry.";

/// The entries of metadata in a document.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct MetadataDto(Members<Scalar>);

impl PartialSchema for MetadataDto {
    fn schema() -> RefOr<Schema> {
        let key = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[A-Za-z0-9_.-]{1,40}$")).build();
        let types = SchemaType::Array(vec![Type::String, Type::Number, Type::Boolean, Type::Null]);
        let value: Schema = ObjectBuilder::new().schema_type(types).max_length(Some(500)).build().into();
        ObjectBuilder::new()
            .description(Some(DESCRIPTION))
            .schema_type(Type::Object)
            .property_names(Some(key))
            .additional_properties(Some(value))
            .max_properties(Some(50))
            .examples([json!({ "channel": "app", "gift": true })])
            .into()
    }
}

impl ToSchema for MetadataDto {
    fn name() -> Cow<'static, str> {
        "Metadata".into()
    }
}

impl MetadataDto {
    pub(super) fn into_domain(self, findings: &mut Findings) -> Read<Metadata> {
        Metadata::read(self.entries(), findings)
    }

    /// The entries. Empty if they are absent.
    pub(crate) fn read(given: Option<Self>, findings: &mut Findings) -> Read<Metadata> {
        findings.field("metadata", |findings| given.unwrap_or_default().into_domain(findings))
    }

    /// The change of a merge patch.
    pub(crate) fn read_patch(given: Option<Self>, findings: &mut Findings) -> Read<MetadataPatch> {
        findings.field("metadata", |findings| MetadataPatch::read(given.unwrap_or_default().entries(), findings))
    }

    fn entries(self) -> Vec<(String, Value)> {
        self.0.0.into_iter().map(|(key, entry)| (key, entry.0)).collect()
    }
}

impl From<&Metadata> for MetadataDto {
    fn from(metadata: &Metadata) -> Self {
        Self(Members(metadata.iter().map(|(key, value)| (key.to_owned(), Scalar(value.clone()))).collect()))
    }
}

impl Serialize for MetadataDto {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.0.iter().map(|(key, entry)| (key, &entry.0)))
    }
}
