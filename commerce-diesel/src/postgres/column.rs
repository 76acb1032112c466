//! A column of many rows as one array, in the form in which it is sent.

use std::io::Write;

use diesel::pg::Pg;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Array;

use crate::db_uuid::DbUuid;
use crate::key::{Kind, Part};
use crate::rows::CowStr;

/// An array of one dimension.
///
/// The bytes are PostgreSQL's own binary form: dimensions, whether there are nulls, the type of the elements, length and lower
/// bound, then each element behind its length.
#[derive(Clone, Debug)]
pub(crate) struct Column(Vec<u8>);

/// A value that stands in a column.
pub(crate) trait Element {
    /// PostgreSQL's number of the type.
    const OID: u32;

    /// The size, or none for NULL.
    fn size(&self) -> Option<usize>;

    /// Appends the value.
    fn put(&self, bytes: &mut Vec<u8>);
}

const BOOL: u32 = 16;
const BIGINT: u32 = 20;
const TEXT: u32 = 25;
const UUID: u32 = 2950;

impl Column {
    /// Gathers a column.
    pub(crate) fn of<'e, E: Element + 'e>(elements: impl ExactSizeIterator<Item = &'e E>) -> Self {
        let mut column = Self::with(E::OID, elements.len());
        for element in elements {
            column.push(element);
        }
        column
    }

    /// Gathers one column of keys.
    pub(crate) fn of_parts<'p>(kind: Kind, parts: impl ExactSizeIterator<Item = Part<'p>>) -> Self {
        let oid = match kind {
            Kind::Text => TEXT,
            Kind::Id => UUID,
        };
        let mut column = Self::with(oid, parts.len());
        for part in parts {
            match part {
                Part::Text(text) => column.push(&text),
                Part::Id(id) => column.push(&id),
            }
        }
        column
    }

    fn with(oid: u32, count: usize) -> Self {
        let mut bytes = Vec::with_capacity(count.saturating_mul(20).saturating_add(20));
        let dimensions = i32::from(count > 0);
        bytes.extend(dimensions.to_be_bytes());
        bytes.extend(1_i32.to_be_bytes()); // there may be nulls
        bytes.extend(oid.to_be_bytes());
        if count > 0 {
            bytes.extend(length(count).to_be_bytes());
            bytes.extend(1_i32.to_be_bytes());
        }
        Self(bytes)
    }

    fn push(&mut self, element: &impl Element) {
        self.0.extend(element.size().map_or(-1, length).to_be_bytes());
        element.put(&mut self.0);
    }
}

/// A length as PostgreSQL has it. What is too long for it is refused there.
fn length(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

impl<T> ToSql<Array<T>, Pg> for Column {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&self.0)?;
        Ok(IsNull::No)
    }
}

impl Element for i64 {
    const OID: u32 = BIGINT;

    fn size(&self) -> Option<usize> {
        Some(8)
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_be_bytes());
    }
}

impl Element for bool {
    const OID: u32 = BOOL;

    fn size(&self) -> Option<usize> {
        Some(1)
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(*self));
    }
}

impl Element for DbUuid {
    const OID: u32 = UUID;

    fn size(&self) -> Option<usize> {
        Some(16)
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.0.as_bytes());
    }
}

impl Element for &str {
    const OID: u32 = TEXT;

    fn size(&self) -> Option<usize> {
        Some(self.len())
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.as_bytes());
    }
}

impl Element for CowStr<'_> {
    const OID: u32 = TEXT;

    fn size(&self) -> Option<usize> {
        Some(self.len())
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.as_bytes());
    }
}

impl<E: Element> Element for Option<E> {
    const OID: u32 = E::OID;

    fn size(&self) -> Option<usize> {
        self.as_ref().and_then(Element::size)
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        if let Some(element) = self {
            element.put(bytes);
        }
    }
}
