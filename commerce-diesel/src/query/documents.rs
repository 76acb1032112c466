//! Documents of any kind: those of carts and products from their tables, the others from the table that they share.

use chrono::{DateTime, Utc};
use commerce_core::document::{Document, DocumentId, DocumentKind};
use commerce_core::port::{Page, PageRequest};
use diesel::prelude::*;

use super::{Answer, Conn, RunQueryDsl, carts, catalog, dialect, listing, one_more};
use crate::rows::document::DocumentRow;
use crate::rows::micros;
use crate::schema::{document_keys, documents};

/// A document.
pub(in super::super) async fn get(conn: &mut Conn, id: &DocumentId) -> Answer<Option<Document>> {
    match id.kind {
        DocumentKind::Cart => match id.id.parse() {
            Ok(cart) => Ok(carts::get(conn, cart).await?.map(Document::Cart)),
            Err(_) => Ok(None),
        },
        DocumentKind::Product => match id.id.parse() {
            Ok(product) => Ok(catalog::product(conn, &product).await?.map(Document::Product)),
            Err(_) => Ok(None),
        },
        kind @ (DocumentKind::Category | DocumentKind::Promotion) => {
            let query = documents::table.filter(documents::kind.eq(kind.name()));
            let query = query.filter(documents::id.eq(id.id.as_str())).select(DocumentRow::as_select());
            let row: Option<DocumentRow<'static>> = query.get_result(conn).await.optional()?;
            row.map(|row| row.into_document(kind)).transpose()
        }
    }
}

/// Documents of a kind, by id.
pub(in super::super) async fn list(
    conn: &mut Conn,
    kind: DocumentKind,
    page: &PageRequest<String>,
) -> Answer<Page<Document, String>> {
    let found = match kind {
        DocumentKind::Cart => carts::by_id(conn, page).await?.into_iter().map(Document::Cart).collect(),
        DocumentKind::Product => catalog::by_id(conn, page).await?.into_iter().map(Document::Product).collect(),
        DocumentKind::Category | DocumentKind::Promotion => by_id(conn, kind, page).await?,
    };
    Ok(listing(found, page.limit, |document| document.id().id))
}

async fn by_id(conn: &mut Conn, kind: DocumentKind, page: &PageRequest<String>) -> Answer<Vec<Document>> {
    let after = page.after.as_deref().unwrap_or_default();
    let query = documents::table.filter(documents::kind.eq(kind.name())).filter(documents::id.gt(after));
    let query = query.order(documents::id).limit(one_more(page.limit)).select(DocumentRow::as_select());
    read(kind, query.load(conn).await?)
}

/// Every document of a kind in the shared table, by id.
pub(in super::super) async fn all(conn: &mut Conn, kind: DocumentKind) -> Answer<Vec<Document>> {
    let query = documents::table.filter(documents::kind.eq(kind.name())).order(documents::id);
    read(kind, query.select(DocumentRow::as_select()).load(conn).await?)
}

/// Documents of a kind in the shared table that have one of some keys, oldest first, then by id.
pub(super) async fn with_keys(conn: &mut Conn, kind: DocumentKind, keys: &[String]) -> Answer<Vec<Document>> {
    let wanted = dialect::in_list(document_keys::lookup, keys.iter().map(String::as_str));
    let of_kind = document_keys::kind.eq(documents::kind).and(document_keys::id.eq(documents::id));
    let query = documents::table.inner_join(document_keys::table.on(of_kind));
    let query = query.filter(document_keys::kind.eq(kind.name())).filter(wanted);
    let order = (documents::created_at, documents::id);
    let rows = query.order(order).distinct().select(DocumentRow::as_select()).load(conn).await?;
    read(kind, rows)
}

/// Documents of a kind in the shared table, newest first, then by id, from behind one of them.
pub(super) async fn newest(
    conn: &mut Conn,
    kind: DocumentKind,
    after: Option<(DateTime<Utc>, &str)>,
    limit: u16,
) -> Answer<Vec<Document>> {
    let mut query = documents::table.select(DocumentRow::as_select()).into_boxed::<dialect::Db>();
    query = query.filter(documents::kind.eq(kind.name()));
    if let Some((created_at, id)) = after {
        let at = micros(created_at);
        let beside = documents::created_at.eq(at).and(documents::id.gt(id.to_owned()));
        query = query.filter(documents::created_at.le(at)).filter(documents::created_at.lt(at).or(beside));
    }
    let query = query.order((documents::created_at.desc(), documents::id)).limit(one_more(limit));
    read(kind, query.load(conn).await?)
}

fn read(kind: DocumentKind, rows: Vec<DocumentRow<'static>>) -> Answer<Vec<Document>> {
    rows.into_iter().map(|row| row.into_document(kind)).collect()
}
