//! Documents of any kind. Some kinds have [tables of their own](own_tables), the others share one.
//!
//! All tables have the same columns, except that the shared one also has the kind.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use commerce_core::document::{ClaimKind, Document, DocumentFilter, DocumentId, DocumentKind};
use commerce_core::port::{Page, PageRequest};
use diesel::dsl::{IntoBoxed, Select};
use diesel::prelude::*;

use super::{Answer, Conn, RunQueryDsl, dialect, listing, one_more};
use crate::changes::Changes;
use crate::rows::document::{DocumentKeyRow, read_document};
use crate::rows::{micros, read_counter};
use crate::schema::{claims, document_keys, own_tables};

/// The queries of a table: `module: table row [kinds] (column of the kind);`.
macro_rules! tables {
    ($($module:ident: $table:ident $row:ident [$kinds:pat $(if $guard:expr)?] $(($column:ident))?;)*) => {$(
        #[allow(unused_variables, reason = "the table of one kind has no column for it")]
        mod $module {
            use super::*;
            use crate::rows::document::$row;
            use crate::schema::$table as table;

            pub(super) async fn with_id(conn: &mut Conn, kind: DocumentKind, id: &str) -> QueryResult<Vec<String>> {
                let query = table::table.filter(table::id.eq(id)).select(table::body);
                $(let query = query.filter(table::$column.eq(kind.name()));)?
                query.load(conn).await
            }

            pub(super) async fn with_ids(conn: &mut Conn, kind: DocumentKind, ids: &[String]) -> QueryResult<Vec<String>> {
                let wanted = dialect::in_list(table::id, ids.iter().map(String::as_str));
                let query = table::table.filter(wanted).select(table::body);
                $(let query = query.filter(table::$column.eq(kind.name()));)?
                query.load(conn).await
            }

            pub(super) async fn with_claims(
                conn: &mut Conn,
                kind: DocumentKind,
                (claim, keys): (ClaimKind, &[&str]),
            ) -> QueryResult<Vec<String>> {
                let held = claims::table.filter(claims::kind.eq(claim.name()));
                let held = held.filter(dialect::in_list(claims::claim, keys.iter().copied())).select(claims::owner);
                let query = table::table.filter(table::id.eq_any(held)).select(table::body);
                $(let query = query.filter(table::$column.eq(kind.name()));)?
                query.load(conn).await
            }

            pub(super) async fn all(conn: &mut Conn, kind: DocumentKind, filter: &DocumentFilter) -> QueryResult<Vec<String>> {
                admitted(kind, filter).load(conn).await
            }

            pub(super) async fn by_id(
                conn: &mut Conn,
                kind: DocumentKind,
                filter: &DocumentFilter,
                (after, limit): (&str, i64),
            ) -> QueryResult<Vec<String>> {
                let query = admitted(kind, filter).filter(table::id.gt(after));
                query.order(table::id).limit(limit).load(conn).await
            }

            pub(super) async fn newest(
                conn: &mut Conn,
                kind: DocumentKind,
                filter: &DocumentFilter,
                (after, limit): (Option<(DateTime<Utc>, &str)>, i64),
            ) -> QueryResult<Vec<String>> {
                let mut query = admitted(kind, filter);
                if let Some((created_at, id)) = after {
                    let at = micros(created_at);
                    let beside = table::created_at.eq(at).and(table::id.gt(id.to_owned()));
                    query = query.filter(table::created_at.le(at)).filter(table::created_at.lt(at).or(beside));
                }
                query.order((table::created_at.desc(), table::id)).limit(limit).load(conn).await
            }

            fn admitted<'f>(kind: DocumentKind, filter: &'f DocumentFilter) -> IntoBoxed<'f, Select<table::table, table::body>, dialect::Db> {
                let mut query = table::table.select(table::body).into_boxed();
                $(query = query.filter(table::$column.eq(kind.name()));)?
                let with = |keys: &'f [String]| {
                    let wanted = dialect::in_list(document_keys::lookup, keys.iter().map(String::as_str));
                    let found = document_keys::table.filter(document_keys::kind.eq(kind.name())).filter(wanted);
                    found.select(document_keys::id)
                };
                for alternatives in &filter.keys {
                    query = query.filter(table::id.eq_any(with(alternatives)));
                }
                if let Some(key) = &filter.without {
                    query = query.filter(table::id.ne_all(with(std::slice::from_ref(key))));
                }
                if let Some(text) = &filter.text {
                    query = query.filter(dialect::contains(table::search, text));
                }
                query
            }

            pub(super) async fn lock_versions(
                conn: &mut Conn,
                kind: DocumentKind,
                ids: &[&str],
            ) -> QueryResult<Vec<(String, i64)>> {
                let query = table::table.filter(dialect::in_list(table::id, ids.iter().copied()));
                $(let query = query.filter(table::$column.eq(kind.name()));)?
                dialect::for_update!(query.order(table::id).select((table::id, table::version))).load(conn).await
            }

            pub(super) async fn write(conn: &mut Conn, changes: &Changes<'_>) -> Answer<()> {
                let (new, changed): (Vec<_>, Vec<_>) =
                    changes.documents.iter().filter(|(id, _)| matches!(id.kind, $kinds $(if $guard)?)).partition(|(_, draft)| draft.new);
                dialect::pipeline!(conn;
                    () = dialect::update_together(conn, changed.iter().map(|(id, draft)| $row::from(draft.row(id)))),
                    () = dialect::insert_together(conn, new.iter().map(|(id, draft)| $row::from(draft.row(id)))),
                );
                Ok(())
            }
        }
    )*};
}

macro_rules! every_table {
    ([$($table:ident $row:ident $kind:ident;)*]) => {
        tables! {
            $($table: $table $row [DocumentKind::$kind];)*
            shared: documents DocumentRow [kind if !matches!(kind, $(DocumentKind::$kind)|*)] (kind);
        }

        async fn write_tables(conn: &mut Conn, changes: &Changes<'_>) -> Answer<()> {
            dialect::pipeline!(conn; $(() = $table::write(conn, changes),)* () = shared::write(conn, changes));
            Ok(())
        }
    };
}
own_tables!(every_table);

/// Runs a query on the table of a kind.
macro_rules! in_table_of {
    ([$($table:ident $row:ident $own:ident;)*] $kind:expr, $query:ident $arguments:tt) => {
        match $kind {
            $(DocumentKind::$own => $table::$query $arguments.await,)*
            _ => shared::$query $arguments.await,
        }
    };
    ($kind:expr, $query:ident $arguments:tt) => {
        own_tables!(in_table_of $kind, $query $arguments)
    };
}

pub(in super::super) async fn get<T: TryFrom<Document>>(conn: &mut Conn, id: &DocumentId) -> Answer<Option<T>> {
    let bodies = in_table_of!(id.kind, with_id(conn, id.kind, &id.id))?;
    Ok(read(id.kind, &bodies)?.pop())
}

/// The documents of a kind with some ids, in any order.
pub(in super::super) async fn with_ids(conn: &mut Conn, kind: DocumentKind, ids: &[String]) -> Answer<Vec<Document>> {
    read(kind, &in_table_of!(kind, with_ids(conn, kind, ids))?)
}

/// The documents of a kind that hold claims, in any order.
pub(in super::super) async fn with_claims<T: TryFrom<Document>>(
    conn: &mut Conn,
    kind: DocumentKind,
    claims: (ClaimKind, &[&str]),
) -> Answer<Vec<T>> {
    read(kind, &in_table_of!(kind, with_claims(conn, kind, claims))?)
}

/// The documents of a kind that a filter admits, in any order.
///
/// SQLite prepares a statement again for each value of a bound `LIMIT`. This query has none.
pub(super) async fn all<T: TryFrom<Document>>(
    conn: &mut Conn,
    kind: DocumentKind,
    filter: &DocumentFilter,
) -> Answer<Vec<T>> {
    read(kind, &in_table_of!(kind, all(conn, kind, filter))?)
}

/// The documents of a kind, by id.
pub(in super::super) async fn list(
    conn: &mut Conn,
    kind: DocumentKind,
    filter: &DocumentFilter,
    page: &PageRequest<String>,
) -> Answer<Page<Document, String>> {
    let place = (page.after.as_deref().unwrap_or_default(), one_more(page.limit));
    let bodies = in_table_of!(kind, by_id(conn, kind, filter, place))?;
    Ok(listing(read(kind, &bodies)?, page.limit, |document: &Document| document.id().id))
}

/// The documents of a kind after a cursor, newest first, then by id. One more than the limit, if there are more.
pub(in super::super) async fn newest<T: TryFrom<Document>>(
    conn: &mut Conn,
    kind: DocumentKind,
    filter: &DocumentFilter,
    (after, limit): (Option<(DateTime<Utc>, &str)>, u16),
) -> Answer<Vec<T>> {
    read(kind, &in_table_of!(kind, newest(conn, kind, filter, (after, one_more(limit))))?)
}

fn read<T: TryFrom<Document>>(kind: DocumentKind, bodies: &[String]) -> Answer<Vec<T>> {
    bodies.iter().map(|body| read_document(kind, body)).collect()
}

/// The versions of those documents that exist. Locks the rows.
pub(super) async fn lock_versions<'a>(
    conn: &mut Conn,
    ids: impl IntoIterator<Item = &'a DocumentId>,
) -> Answer<BTreeMap<DocumentId, u64>> {
    let mut kinds = BTreeMap::<DocumentKind, Vec<&str>>::new();
    for id in ids {
        kinds.entry(id.kind).or_default().push(&id.id);
    }
    let mut versions = BTreeMap::new();
    for (kind, ids) in kinds {
        for (id, version) in in_table_of!(kind, lock_versions(conn, kind, &ids))? {
            versions.insert(DocumentId { kind, id }, read_counter("documents.version", version)?);
        }
    }
    Ok(versions)
}

/// Writes documents, and the keys that they get or lose.
pub(super) async fn write(conn: &mut Conn, changes: &Changes<'_>) -> Answer<()> {
    let (added, dropped): (Vec<_>, Vec<_>) = changes.document_keys.iter().partition(|(_, is_added)| **is_added);
    let added = added.into_iter().map(|((id, key), _)| DocumentKeyRow::of(id, key));
    let dropped = dropped.into_iter().map(|((id, key), _)| (id.kind.name(), id.id.as_str(), *key)).collect();
    dialect::pipeline!(conn;
        () = write_tables(conn, changes),
        () = drop_keys(conn, dropped),
        () = dialect::insert_together(conn, added),
    );
    Ok(())
}

async fn drop_keys(conn: &mut Conn, keys: Vec<(&str, &str, &str)>) -> QueryResult<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let columns = (document_keys::kind, document_keys::id, document_keys::lookup);
    let dropped = document_keys::table.filter(dialect::in_list(columns, keys));
    diesel::delete(dropped).execute(conn).await.map(drop)
}
