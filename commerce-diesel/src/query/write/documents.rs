//! Documents in the table that they share.

use commerce_core::document::DocumentId;
use diesel::prelude::*;

use super::super::{Answer, Conn, RunQueryDsl, dialect};
use crate::changes::{Changes, DocumentDraft};
use crate::rows::document::{DocumentKeyRow, DocumentRow};
use crate::schema::document_keys;

/// Writes documents. The keys of changed ones go before any come.
pub(super) async fn write(conn: &mut Conn, changes: &Changes<'_>) -> Answer<()> {
    let (new, known): (Vec<_>, Vec<_>) = changes.documents.iter().partition(|(_, draft)| draft.new);
    let changed = known.iter().map(|(id, _)| (id.kind.name(), id.id.as_str())).collect();
    let keys = changes.documents.iter().flat_map(|(id, draft)| DocumentKeyRow::all(id, draft.document));
    dialect::pipeline!(conn;
        () = clear_keys(conn, changed),
        () = dialect::update_each(conn, rows(known)),
        () = dialect::insert_each(conn, rows(new)),
        () = dialect::insert_each(conn, keys),
    );
    Ok(())
}

fn rows<'a>(drafts: Vec<(&&'a DocumentId, &DocumentDraft<'a>)>) -> impl Iterator<Item = DocumentRow<'a>> {
    drafts.into_iter().map(|(id, draft)| DocumentRow::of(id, draft.document, draft.body))
}

async fn clear_keys(conn: &mut Conn, ids: Vec<(&str, &str)>) -> QueryResult<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let old = document_keys::table.filter(dialect::in_list((document_keys::kind, document_keys::id), ids));
    diesel::delete(old).execute(conn).await.map(drop)
}
