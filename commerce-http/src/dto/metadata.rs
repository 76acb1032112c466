//! Metadata, as it is given. It is shown as it is stored.

use commerce_core::metadata::{Metadata, MetadataPatch};
use commerce_core::problem::{Findings, Read};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use utoipa::ToSchema;

use crate::json::Members;

/// At most 50 entries that callers attach for purposes of their own: strings of at most 500 bytes, numbers and booleans, under keys of 1 to 40 of
/// the characters `A-Z a-z 0-9 _ . -`. A number is a whole one of 64 bits or has at most 15 digits. In a merge patch, null removes an
/// entry.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = Metadata, value_type = HashMap<String, Value>, example = json!({ "channel": "app", "gift": true }))]
pub struct MetadataDto(Members<Value>);

impl MetadataDto {
    pub(super) fn into_domain(self, findings: &mut Findings) -> Read<Metadata> {
        Metadata::read(self.0.0, findings)
    }

    /// The entries of a request; none if it has none.
    pub(crate) fn read(given: Option<Self>, findings: &mut Findings) -> Read<Metadata> {
        findings.field("metadata", |findings| given.unwrap_or_default().into_domain(findings))
    }

    /// The change that a merge patch says.
    pub(crate) fn read_patch(given: Option<Self>, findings: &mut Findings) -> Read<MetadataPatch> {
        findings.field("metadata", |findings| MetadataPatch::read(given.unwrap_or_default().0.0, findings))
    }
}

impl From<&Metadata> for MetadataDto {
    fn from(metadata: &Metadata) -> Self {
        Self(Members(metadata.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect()))
    }
}

impl Serialize for MetadataDto {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.0.iter().map(|(key, value)| (key, value)))
    }
}
