//! Documents of kinds of low volume, what they are found by, and the claims of all documents and orders.

use std::borrow::Cow;

use commerce_core::document::{Claim, Document, DocumentId, DocumentKind};
use diesel::prelude::*;

use super::{CowStr, counter, micros};
use crate::fault::{Answer, Fault};
use crate::schema::documents;

/// A document.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = documents)]
pub(crate) struct DocumentRow<'a> {
    pub(crate) kind: CowStr<'a>,
    pub(crate) id: CowStr<'a>,
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) body: CowStr<'a>,
}

/// A key that a document is found by.
#[derive(Debug)]
pub(crate) struct DocumentKeyRow<'a> {
    pub(crate) kind: CowStr<'a>,
    pub(crate) id: CowStr<'a>,
    pub(crate) lookup: CowStr<'a>,
}

/// A claim with who holds it.
#[derive(Debug)]
pub(crate) struct ClaimRow<'a> {
    pub(crate) kind: CowStr<'a>,
    pub(crate) claim: CowStr<'a>,
    pub(crate) owner: CowStr<'a>,
}

impl<'a> DocumentRow<'a> {
    pub(crate) fn of(id: &'a DocumentId, document: &Document, body: &'a str) -> Self {
        Self {
            kind: Cow::Borrowed(id.kind.name()),
            id: Cow::Borrowed(&id.id),
            version: counter(document.version()),
            created_at: micros(document.created_at()),
            body: Cow::Borrowed(body),
        }
    }

    pub(crate) fn into_document(self, kind: DocumentKind) -> Answer<Document> {
        let value = serde_json::from_str(&self.body).map_err(|_| Fault::Corrupt("documents.body"))?;
        Document::from_stored(kind, value).map_err(Fault::Stored)
    }
}

impl<'a> DocumentKeyRow<'a> {
    pub(crate) fn all(id: &'a DocumentId, document: &Document) -> impl Iterator<Item = Self> {
        document.keys().into_iter().map(move |lookup| Self {
            kind: Cow::Borrowed(id.kind.name()),
            id: Cow::Borrowed(&id.id),
            lookup: Cow::Owned(lookup),
        })
    }
}

impl<'a> ClaimRow<'a> {
    pub(crate) fn of(claim: &'a Claim, owner: &'a str) -> Self {
        Self { kind: Cow::Borrowed(claim.kind.name()), claim: Cow::Borrowed(&claim.key), owner: Cow::Borrowed(owner) }
    }
}
