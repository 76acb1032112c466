//! Addresses.

use commerce_core::problem::{Findings, Read};
use std::borrow::Cow;

use commerce_core::address::Address;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;
use utoipa::ToSchema;

use super::leaf::all;

/// A postal address.
#[skip_serializing_none]
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Address)]
pub(crate) struct AddressShape<'a> {
    /// The recipient. Default: the customer.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    name: Option<Cow<'a, str>>,
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    line1: Cow<'a, str>,
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    line2: Option<Cow<'a, str>>,
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    city: Cow<'a, str>,
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    state: Option<Cow<'a, str>>,
    #[schema(value_type = String, min_length = 1, max_length = 20)]
    postal_code: Cow<'a, str>,
    /// ISO 3166-1 alpha-2.
    #[schema(value_type = String, example = "GB", pattern = "^[A-Z]{2}$")]
    country: Cow<'a, str>,
}

impl<'a> From<&'a Address> for AddressShape<'a> {
    fn from(address: &'a Address) -> Self {
        Self {
            name: address.name.as_ref().map(|name| name.as_str().into()),
            line1: address.line1.as_str().into(),
            line2: address.line2.as_ref().map(|line| line.as_str().into()),
            city: address.city.as_str().into(),
            state: address.state.as_ref().map(|state| state.as_str().into()),
            postal_code: address.postal_code.as_str().into(),
            country: address.country.as_str().into(),
        }
    }
}

impl AddressShape<'_> {
    pub(crate) fn read(self, f: &mut Findings) -> Read<Address> {
        all!(
            Address {
                name: f.parse_option("name", self.name),
                line1: f.parse("line1", &self.line1),
                line2: f.parse_option("line2", self.line2),
                city: f.parse("city", &self.city),
                state: f.parse_option("state", self.state),
                postal_code: f.parse("postal_code", &self.postal_code),
                country: f.parse("country", &self.country),
            },
            new(line1, city, postal_code, country),
            set(name, line2, state)
        )
    }
}
