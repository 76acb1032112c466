//! Customers.

use chrono::{DateTime, Utc};
use commerce_core::customer::{Customer, CustomerDetails, Groups};
use commerce_core::ids::UserId;
use commerce_core::metadata::Metadata;
use commerce_core::problem::{Findings, Read};
use commerce_core::text::BoundedString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::leaf::all;
use super::metadata::MetadataDto;

/// What the shop knows of a user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Customer)]
pub(crate) struct CustomerShape<'a> {
    /// The id of the user: the `sub` of their tokens.
    id: &'a UserId,
    /// The segments that promotions may ask for, where no users service is set.
    #[schema(value_type = Vec<String>)]
    groups: &'a Groups,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_number: Option<&'a BoundedString<32>>,
    metadata: &'a Metadata,
    version: u64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl<'a> From<&'a Customer> for CustomerShape<'a> {
    fn from(customer: &'a Customer) -> Self {
        let CustomerDetails { groups, tax_number, metadata } = &customer.details;
        Self {
            id: &customer.id,
            groups,
            tax_number: tax_number.as_ref(),
            metadata,
            version: customer.version,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
        }
    }
}

/// What the shop shall know of a customer, as a whole.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCustomer {
    /// At most 100, each of at most 64 characters.
    #[serde(default)]
    groups: Vec<String>,
    #[schema(max_length = 32)]
    tax_number: Option<String>,
    metadata: Option<MetadataDto>,
}

impl NewCustomer {
    /// The details.
    pub(crate) fn read(self, f: &mut Findings) -> Read<CustomerDetails> {
        let groups = f.field("groups", |f| f.list(self.groups, |group, f| f.parse("", &group)));
        all!(CustomerDetails {
            groups: groups.and_then(|groups| f.coded("groups", "out_of_range", Groups::new(groups))),
            tax_number: f.parse_option("tax_number", self.tax_number),
            metadata: MetadataDto::read(self.metadata, f),
        })
    }
}
