//! `columns IN (…)` over a list of a few lengths, so that few statements are prepared.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::mysql::Mysql;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Bool, Text};

use crate::db_uuid::DbUuid;
use crate::key::{Key, Part};
use crate::schema::sql_types;

/// The most values a statement takes.
const MOST: usize = 65_535;

/// The condition. Lists are as long as a power of two, by repeating the last key, which changes nothing and is read once.
#[derive(Clone, Debug)]
pub(crate) struct InList<C> {
    columns: C,
    width: usize,
    values: Vec<Value>,
}

/// A column of a key.
#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Id(DbUuid),
}

impl<C> InList<C> {
    pub(super) fn new<K: Key>(columns: C, keys: impl IntoIterator<Item = K>) -> Self {
        let mut values = Vec::new();
        for key in keys {
            values.extend(key.parts().map(|part| match part {
                Part::Text(text) => Value::Text(text.to_owned()),
                Part::Id(id) => Value::Id(id),
            }));
        }
        Self { columns, width: K::KINDS.len(), values }
    }

    /// As many keys as the statement has, the last one again and again if need be.
    fn keys(&self) -> impl Iterator<Item = &[Value]> {
        let count = self.values.len() / self.width;
        let last = self.values.chunks_exact(self.width).last();
        let more = padded(count, self.width).saturating_sub(count);
        self.values.chunks_exact(self.width).chain(last.into_iter().cycle().take(more))
    }
}

/// How long a list of some keys is made.
fn padded(count: usize, width: usize) -> usize {
    count.next_power_of_two().min((MOST / width).max(count))
}

impl<C> Expression for InList<C> {
    type SqlType = Bool;
}

impl<C: AppearsOnTable<QS>, QS> AppearsOnTable<QS> for InList<C> {}
impl<C: SelectableExpression<QS>, QS> SelectableExpression<QS> for InList<C> {}

impl<C: ValidGrouping<G>, G> ValidGrouping<G> for InList<C> {
    type IsAggregate = C::IsAggregate;
}

/// The statement is found by its text.
impl<C> QueryId for InList<C> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C: QueryFragment<Mysql>> QueryFragment<Mysql> for InList<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        if self.values.is_empty() {
            out.push_sql("FALSE");
            return Ok(());
        }
        out.push_sql("(");
        self.columns.walk_ast(out.reborrow())?;
        for (place, key) in self.keys().enumerate() {
            out.push_sql(if place == 0 { ") IN ((" } else { "), (" });
            for (place, value) in key.iter().enumerate() {
                out.push_sql(if place == 0 { "" } else { ", " });
                match value {
                    Value::Text(text) => out.push_bind_param::<Text, _>(text)?,
                    Value::Id(id) => out.push_bind_param::<sql_types::Id, _>(id)?,
                }
            }
        }
        out.push_sql("))");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::padded;

    #[test]
    fn lists_have_few_lengths_and_never_more_values_than_a_statement_takes() {
        let lengths = [(1, 1), (2, 2), (3, 4), (100, 128), (32_769, 65_535), (65_535, 65_535)];
        for (count, expected) in lengths {
            assert_eq!(padded(count, 1), expected, "{count} keys");
        }
        assert_eq!(padded(20_000, 3), 21_845);
        assert_eq!(padded(64_000, 2), 64_000, "what is too long is not made longer: the server says so");
    }
}
