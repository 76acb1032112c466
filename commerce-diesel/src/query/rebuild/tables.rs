//! The tables whose rows follow from streams, and how rows are read and removed whatever they contain.

use std::collections::BTreeSet;

use commerce_core::document::{Document, DocumentKind};
use commerce_core::ids::OrderId;
use commerce_core::order::OrderState;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Text;
use diesel_bulk::{Bulk, Row, Write, select_texts};
use serde_json::Value;

use super::facts::{Facts, KnownDocument, KnownStock};
use super::{Answer, Cells, Conn, PAGE, RunQueryDsl, dialect, read, write};
use crate::rows::document::{
    CartRow, ClaimRow, CustomerRow, DocumentKeyRow, DocumentRow, PaymentRow, ProductRow, read_document,
};
use crate::rows::event::{FeedRow, order_stream};
use crate::rows::order::{OrderRow, ReturnRow};
use crate::rows::promotion::RedemptionRow;
use crate::rows::stock::{LevelRow, ReservationRow};
use crate::rows::task::TaskRow;
use crate::rows::{read_stored, stored};
use crate::schema::own_tables;

/// A row of a table that follows from the history.
pub(super) trait Derived<'a>: Write<dialect::Db> {
    /// The column with the id of the stream that the row follows from.
    const OWNER: &'static str;

    /// The rows that follow from some streams.
    fn follow(facts: &'a Facts) -> Vec<Self>;
}

/// A table whose type of rows is not known to the caller.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [&'static str],
    /// The number of columns in the key.
    pub(super) key: usize,
    /// The keys of the rows that follow from some streams.
    pub(super) keys: fn(&Facts) -> BTreeSet<Cells>,
    ids: Vec<bool>,
    owner: Option<usize>,
    select: String,
}

/// Names all types of rows.
macro_rules! every_row {
    ([$($table:ident $own:ident $kind:ident;)*]) => {
        every_row! {
            $($own<'_>)* DocumentRow<'_> DocumentKeyRow<'_> ClaimRow<'_> OrderRow<'_> ReturnRow RedemptionRow<'_> LevelRow<'_>
            ReservationRow<'_> TaskRow<'_>
        }

        $(impl<'a> Derived<'a> for $own<'a> {
            const OWNER: &'static str = "id";

            fn follow(facts: &'a Facts) -> Vec<Self> {
                document_rows(facts).filter(|row| row.kind == DocumentKind::$kind.name()).map(Self::from).collect()
            }
        })*

        const OWN: &[DocumentKind] = &[$(DocumentKind::$kind),*];
    };
    ($($row:ty)*) => {
        impl Table {
            pub(super) fn all() -> Vec<Self> {
                vec![$(Self::of::<$row>(|facts| keys(&<$row>::follow(facts)))),*]
            }
        }

        impl<F: FnMut(u64) + Send> super::Rebuild<F> {
            pub(super) async fn check_facts(&mut self, conn: &mut Conn, facts: &Facts) -> Answer<()> {
                $(self.check(conn, <$row>::follow(facts)).await?;)*
                Ok(())
            }
        }
    };
}
own_tables!(every_row);

fn keys<R: Row>(rows: &[R]) -> BTreeSet<Cells> {
    rows.iter().map(|row| row.texts().into_iter().take(R::KEY).collect()).collect()
}

fn document_rows(facts: &Facts) -> impl Iterator<Item = DocumentRow<'_>> {
    facts.documents.iter().map(|known| DocumentRow::of(&known.id, &known.document, &known.body))
}

/// Whether two texts in a column have the same value.
pub(super) fn is_same(column: &str, expected: &str, other: &str) -> bool {
    let document =
        |kind: &DocumentKind| read_document(*kind, other).map(|document: Document| document.stored().to_string());
    let state = || read_stored::<OrderState>("orders.state", other).and_then(|state| stored("orders.state", &state));
    let json = |text: &str| serde_json::from_str::<Value>(text).ok();
    match column {
        "body" => DocumentKind::ALL.iter().any(|kind| document(kind).is_ok_and(|body| body == expected)),
        "state" => state().is_ok_and(|state| state == expected),
        "payload" => json(expected).is_some_and(|payload| json(other) == Some(payload)),
        _ => false,
    }
}

/// The types of rows: `Type, owner, |facts| rows;`.
macro_rules! derived {
    ($($row:ty, $owner:literal, |$facts:ident| $rows:expr;)*) => {$(
        impl<'a> Derived<'a> for $row {
            const OWNER: &'static str = $owner;

            fn follow($facts: &'a Facts) -> Vec<Self> {
                $rows
            }
        }
    )*};
}

derived! {
    DocumentRow<'a>, "id", |facts| {
        document_rows(facts).filter(|row| OWN.iter().all(|kind| kind.name() != row.kind)).collect()
    };
    OrderRow<'a>, "id", |facts| {
        facts.orders.iter().map(|known| Self::of(&known.order, known.state.as_deref())).collect()
    };
    DocumentKeyRow<'a>, "id", |facts| {
        let documents = facts.documents.iter().flat_map(|known| Self::all(&known.id, &known.keys));
        documents.chain(facts.orders.iter().flat_map(|known| Self::of_order(known.order.id, &known.keys))).collect()
    };
    ClaimRow<'a>, "owner", |facts| {
        let owned = |known: &'a KnownDocument| known.claims.iter().map(|claim| Self::of(claim, &known.id.id));
        let numbers = facts.orders.iter().map(|known| Self::of(&known.number, &known.owner));
        facts.documents.iter().flat_map(owned).chain(numbers).collect()
    };
    ReturnRow, "order_id", |facts| facts.orders.iter().flat_map(|known| Self::all(&known.order)).collect();
    RedemptionRow<'a>, "order_id", |facts| {
        facts.orders.iter().flat_map(|known| write::promotions::redemptions(&known.uses)).collect()
    };
    LevelRow<'a>, "sku", |facts| facts.stock.iter().map(|known| Self::of(&known.level)).collect();
    ReservationRow<'a>, "sku", |facts| {
        let of = |known: &'a KnownStock| {
            known.reservations.iter().map(|(order, reservation)| Self::of(&known.level.sku, *order, *reservation))
        };
        facts.stock.iter().flat_map(of).collect()
    };
    TaskRow<'a>, "subject", |facts| facts.tasks.iter().map(Self::of).collect();
    FeedRow, "id", |_facts| Vec::new();
}

impl Table {
    fn of<'a, R: Derived<'a>>(keys: fn(&Facts) -> BTreeSet<Cells>) -> Self {
        let owner = R::COLUMNS.iter().position(|column| *column == R::OWNER);
        let select = select_texts::<R, dialect::Db>();
        Self { name: R::TABLE, columns: R::COLUMNS, key: R::KEY, keys, ids: R::ids(), owner, select }
    }

    /// The id of the stream that a row follows from.
    pub(super) fn owner(&self, cells: &Cells) -> Option<String> {
        let owner = cells.get(self.owner?)?.clone()?;
        let is_id = self.ids.get(self.owner?).copied().unwrap_or_default();
        if is_id { owner.parse().ok().map(|id| order_stream(OrderId::new(id))) } else { Some(owner) }
    }

    /// A page of rows, in the order of keys.
    pub(super) async fn page(&self, conn: &mut Conn, offset: usize) -> Answer<Vec<Cells>> {
        let key: Vec<_> = self.columns.iter().take(self.key).copied().collect();
        let text = format!("{} ORDER BY {} LIMIT {PAGE} OFFSET {offset}", self.select, key.join(", "));
        texts(conn, text).await?.iter().map(|text| read(text)).collect()
    }

    pub(super) async fn remove(&self, conn: &mut Conn, key: &[Option<String>]) -> QueryResult<()> {
        let (before, after) = <dialect::Db as Bulk>::ID_TEXT;
        let mut parts = vec![(format!("DELETE FROM {}", self.name), None)];
        for (place, ((column, is_id), value)) in self.columns.iter().zip(&self.ids).zip(key).enumerate() {
            let (before, after) = if *is_id { (before, after) } else { ("", "") };
            let word = if place == 0 { "WHERE" } else { "AND" };
            parts.push((format!(" {word} {before}{column}{after} = "), value.as_deref()));
        }
        Sql(parts).execute(conn).await.map(drop)
    }
}

/// The number of rows of a table.
pub(super) async fn rows_of(conn: &mut Conn, table: &str) -> Answer<usize> {
    let (before, after) = <dialect::Db as Bulk>::TEXT;
    let counted = texts(conn, format!("SELECT {before}count(*){after} FROM {table}")).await?;
    Ok(counted.into_iter().next().and_then(|count| count.parse().ok()).unwrap_or_default())
}

/// The answers of a query with one column.
pub(super) async fn texts(conn: &mut Conn, query: String) -> Answer<Vec<String>> {
    Ok(Sql(vec![(query, None)]).load(conn).await?)
}

/// SQL text in parts. A part may be followed by a bound value.
#[derive(Debug)]
pub(super) struct Sql<'k>(pub(super) Vec<(String, Option<&'k str>)>);

impl QueryFragment<dialect::Db> for Sql<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, dialect::Db>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        for (text, value) in &self.0 {
            out.push_sql(text);
            if let Some(value) = value {
                out.push_bind_param::<Text, _>(value)?;
            }
        }
        Ok(())
    }
}

impl QueryId for Sql<'_> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Sql<'_> {
    type SqlType = Text;
}

impl<Conn> diesel::RunQueryDsl<Conn> for Sql<'_> {}
