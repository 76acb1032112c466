//! Customers.

use chrono::{DateTime, Utc};
use commerce_core::customer::{Customer, CustomerDetails, Groups};
use commerce_core::ids::UserId;
use commerce_core::metadata::Metadata;
use commerce_core::problem::{Findings, Read};
use commerce_core::text::BoundedString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::leaf::all;
use super::metadata::MetadataDto;
use super::shape::shape;

shape! {
    /// What the shop knows about a user.
    #[schema(as = Customer)]
    pub(crate) struct CustomerShape<'a> from customer: &'a Customer {
        /// The id of the user: the `sub` of their tokens.
        id: &'a UserId = &customer.id,
        /// The segments for promotions, if there is no users service.
        #[schema(value_type = Vec<String>)]
        groups: &'a Groups = &customer.details.groups,
        tax_number: Option<&'a BoundedString<32>> = customer.details.tax_number.as_ref(),
        metadata: &'a Metadata = &customer.details.metadata,
        version: u64 = customer.version,
        created_at: DateTime<Utc> = customer.created_at,
        updated_at: DateTime<Utc> = customer.updated_at,
    }
}

/// The new facts about a customer. They replace the old ones.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCustomer {
    #[serde(default)]
    #[schema(value_type = Vec<String>, required = false, max_items = 100)]
    groups: Vec<String>,
    #[schema(min_length = 1, max_length = 32)]
    tax_number: Option<String>,
    metadata: Option<MetadataDto>,
}

impl NewCustomer {
    pub(crate) fn read(self, f: &mut Findings) -> Read<CustomerDetails> {
        let groups = f.field("groups", |f| f.list(self.groups, |group, f| f.parse("", &group)));
        all!(
            CustomerDetails {
                groups: groups.and_then(|groups| f.coded("groups", "out_of_range", Groups::new(groups))),
                tax_number: f.parse_option("tax_number", self.tax_number),
                metadata: MetadataDto::read(self.metadata, f),
            },
            default(),
            set(groups, tax_number, metadata)
        )
    }
}
