//! `column IN (…)` over a list whose length is not part of the statement, so that the statement is prepared once.

use std::marker::PhantomData;

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Bool, Text};
use diesel::sqlite::Sqlite;
use serde::Serialize;

/// What the entries of the list are.
pub(crate) trait Entry: 'static {
    /// The columns of an entry, which JSON has as text.
    const COLUMNS: &'static str;
}

/// Ids.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ids {}
/// Texts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Texts {}
/// Pairs of a text and an id.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TextIds {}
/// Pairs of texts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TextPairs {}

impl Entry for Ids {
    const COLUMNS: &'static str = "unhex(value)";
}

impl Entry for Texts {
    const COLUMNS: &'static str = "value";
}

impl Entry for TextIds {
    const COLUMNS: &'static str = "value ->> 0, unhex(value ->> 1)";
}

impl Entry for TextPairs {
    const COLUMNS: &'static str = "value ->> 0, value ->> 1";
}

/// The condition.
#[derive(Clone, Debug)]
pub(crate) struct Listed<C, E> {
    columns: C,
    list: String,
    entry: PhantomData<E>,
}

impl<C, E> Listed<C, E> {
    #[expect(clippy::expect_used, reason = "text always serializes")]
    pub(crate) fn new<T: Serialize>(columns: C, entries: impl Iterator<Item = T>) -> Self {
        let entries: Vec<T> = entries.collect();
        let list = serde_json::to_string(&entries).expect("text always serializes");
        Self { columns, list, entry: PhantomData }
    }
}

impl<C, E> Expression for Listed<C, E> {
    type SqlType = Bool;
}

impl<C: AppearsOnTable<QS>, E, QS> AppearsOnTable<QS> for Listed<C, E> {}
impl<C: SelectableExpression<QS>, E, QS> SelectableExpression<QS> for Listed<C, E> {}

impl<C: ValidGrouping<G>, E, G> ValidGrouping<G> for Listed<C, E> {
    type IsAggregate = C::IsAggregate;
}

impl<C: QueryId, E: Entry> QueryId for Listed<C, E> {
    type QueryId = Listed<C::QueryId, E>;

    const HAS_STATIC_QUERY_ID: bool = C::HAS_STATIC_QUERY_ID;
}

impl<C: QueryFragment<Sqlite>, E: Entry> QueryFragment<Sqlite> for Listed<C, E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("(");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(") IN (SELECT ");
        out.push_sql(E::COLUMNS);
        out.push_sql(" FROM json_each(");
        out.push_bind_param::<Text, String>(&self.list)?;
        out.push_sql("))");
        Ok(())
    }
}
