//! Documents, their keys, and claims.

use std::borrow::Cow;

use commerce_core::document::{Claim, Document, DocumentId, DocumentKind};
use commerce_core::ids::OrderId;

use super::event::{ORDER, order_stream};
use super::{CowStr, counter, micros};
use crate::fault::{Answer, Fault};
use crate::schema::own_tables;

/// A document in the shared table.
#[derive(Debug)]
pub(crate) struct DocumentRow<'a> {
    pub(crate) kind: &'static str,
    pub(crate) id: &'a str,
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) search: CowStr<'a>,
    pub(crate) body: &'a str,
}

macro_rules! own_rows {
    ([$($table:ident $row:ident $kind:ident;)*]) => {$(
        use crate::schema::$table;

        /// A document in a table of its own.
        #[derive(Debug)]
        pub(crate) struct $row<'a> {
            pub(crate) id: &'a str,
            pub(crate) version: i64,
            pub(crate) created_at: i64,
            pub(crate) search: CowStr<'a>,
            pub(crate) body: &'a str,
        }

        impl<'a> From<DocumentRow<'a>> for $row<'a> {
            fn from(DocumentRow { id, version, created_at, search, body, .. }: DocumentRow<'a>) -> Self {
                Self { id, version, created_at, search, body }
            }
        }

        diesel_bulk::rows! { $table: $row<'a> (id) { version, created_at, search, body } }
    )*};
}
own_tables!(own_rows);

/// A key by which lists find a document or an order.
#[derive(Debug)]
pub(crate) struct DocumentKeyRow<'a> {
    pub(crate) kind: &'static str,
    pub(crate) id: CowStr<'a>,
    pub(crate) lookup: &'a str,
}

/// A claim and its owner.
#[derive(Debug)]
pub(crate) struct ClaimRow<'a> {
    pub(crate) kind: &'static str,
    pub(crate) claim: &'a str,
    pub(crate) owner: &'a str,
}

impl<'a> DocumentRow<'a> {
    pub(crate) fn of(id: &'a DocumentId, document: &Document, body: &'a str) -> Self {
        Self {
            kind: id.kind.name(),
            id: &id.id,
            version: counter(document.version()),
            created_at: micros(document.created_at()),
            search: Cow::Owned(document.search()),
            body,
        }
    }
}

pub(crate) fn read_document<T: TryFrom<Document>>(kind: DocumentKind, body: &str) -> Answer<T> {
    let document = Document::from_text(kind, body).map_err(Fault::Stored)?;
    document.try_into().map_err(|_| Fault::Corrupt("documents.kind"))
}

impl<'a> DocumentKeyRow<'a> {
    pub(crate) fn all(id: &'a DocumentId, keys: &'a [String]) -> impl Iterator<Item = Self> {
        keys.iter().map(|key| Self::of(id, key))
    }

    pub(crate) fn of(id: &'a DocumentId, key: &'a str) -> Self {
        Self { kind: id.kind.name(), id: Cow::Borrowed(&id.id), lookup: key }
    }

    pub(crate) fn of_order(id: OrderId, keys: &'a [String]) -> impl Iterator<Item = Self> {
        keys.iter().map(move |key| Self { kind: ORDER, id: Cow::Owned(order_stream(id)), lookup: key })
    }
}

impl<'a> ClaimRow<'a> {
    pub(crate) fn of(claim: &'a Claim, owner: &'a str) -> Self {
        Self { kind: claim.kind.name(), claim: &claim.key, owner }
    }
}
