//! Metadata in requests. It is returned as it is stored.

use std::borrow::Cow;
use std::fmt;

use commerce_core::metadata::{Metadata, MetadataPatch};
use commerce_core::problem::{Findings, Read};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::json::Members;

const DESCRIPTION: &str = "Up to 50 entries for the purposes of callers: strings of up to 500 bytes, numbers and booleans. \
                           Numbers are whole ones of 64 bits or have up to 15 digits. In a merge patch, null removes an entry.";

/// The entries of metadata in a document.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct MetadataDto(Members<Entry>);

/// A value of metadata. The content of arrays and objects, which no metadata has, is not read.
#[derive(Clone, Debug, Default)]
struct Entry(Value);

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self(Value::Null))
    }
}

macro_rules! visit {
    ($($method:ident($type:ty))*) => {$(
        fn $method<E>(self, value: $type) -> Result<Self, E> {
            Ok(Self(value.into()))
        }
    )*};
}

impl<'de> Visitor<'de> for Entry {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a number, true or false")
    }

    visit! { visit_bool(bool) visit_i64(i64) visit_u64(u64) visit_f64(f64) visit_str(&str) visit_string(String) }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self(Value::Array(Vec::new())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self(Value::Object(Map::new())))
    }
}

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
        Self(Members(metadata.iter().map(|(key, value)| (key.to_owned(), Entry(value.clone()))).collect()))
    }
}

impl Serialize for MetadataDto {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.0.iter().map(|(key, entry)| (key, &entry.0)))
    }
}
