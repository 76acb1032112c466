//! SQLite: prepared statements of one row, which are faster than statements of many rows, and lists of keys as JSON.
//!
//! SQLite copies a list to a temporary table, so a single key is compared instead.

use diesel::query_builder::{AstPass, QueryFragment};
use diesel::result::QueryResult;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;

use crate::key::{Keys, List, Part};
use crate::list::InList;
use crate::row::Rows;
use crate::sql_types;
use crate::statement::{Bulk, Write};
use crate::values::{self, Bind};

impl Bulk for Sqlite {
    const STATIC: bool = true;
    const STATIC_LISTS: bool = false;
    const MOST_INSERTED: usize = 1;
    const MOST_UPDATED: usize = 1;
    const ARRAY: (&'static str, &'static str) = ("json_array(", ")");
    const TEXT: (&'static str, &'static str) = ("CAST(", " AS TEXT)");
    const ID_TEXT: (&'static str, &'static str) = ("lower(hex(", "))");
}

impl<R: Bind<Sqlite>> Write<Sqlite> for R {
    fn insert<'b>(rows: &'b Rows<'_, R>, before_first: &str, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        values::insert(rows, before_first, out)
    }

    fn or_nothing(out: &mut AstPass<'_, '_, Sqlite>) {
        out.push_sql(" ON CONFLICT DO NOTHING");
    }

    fn update<'b>(rows: &'b Rows<'_, R>, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        values::update(rows, out)
    }

    fn with_keys<'b>(rows: &'b Rows<'_, R>, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        values::with_keys(rows, out)
    }
}

/// The keys as JSON: strings if a key has one column, otherwise arrays of strings. UUIDs are hexadecimal.
impl ToSql<Text, Sqlite> for Keys<'_> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        let text = |part: Part<'_>| match part {
            Part::Text(text) => (*text).to_owned(),
            Part::Uuid(id) => id.0.simple().to_string(),
        };
        let keys = (0..self.len()).map(|number| self.key(number).map(text));
        let json = match self.width() {
            1 => serde_json::to_string(&keys.flatten().collect::<Vec<_>>()),
            _ => serde_json::to_string(&keys.map(Iterator::collect).collect::<Vec<Vec<_>>>()),
        };
        out.set_value(json?);
        Ok(IsNull::No)
    }
}

impl<C: QueryFragment<Sqlite>> QueryFragment<Sqlite> for InList<'_, C, Sqlite> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        if self.keys.len() == 0 {
            out.push_sql("FALSE");
            return Ok(());
        }
        out.push_sql("(");
        self.columns.walk_ast(out.reborrow())?;
        if self.keys.len() == 1 {
            return equal_to(&self.keys, out);
        }
        out.push_sql(") IN (SELECT ");
        for (place, list) in self.keys.0.iter().enumerate() {
            let value = match (self.keys.width(), place) {
                (1, _) => "value",
                (_, 0) => "value ->> 0",
                (_, 1) => "value ->> 1",
                (..) => "value ->> 2",
            };
            out.push_sql(if place == 0 { "" } else { ", " });
            let (open, close) = if matches!(list, List::Uuid(_)) { ("unhex(", ")") } else { ("", "") };
            for text in [open, value, close] {
                out.push_sql(text);
            }
        }
        out.push_sql(" FROM json_each(");
        out.push_bind_param::<Text, _>(&self.keys)?;
        out.push_sql("))");
        Ok(())
    }
}

/// The comparison with the first key, behind the columns.
fn equal_to<'b>(keys: &'b Keys<'_>, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
    for (place, part) in keys.key(0).enumerate() {
        out.push_sql(if place == 0 { ") = (" } else { ", " });
        match part {
            Part::Text(text) => out.push_bind_param::<Text, _>(text)?,
            Part::Uuid(id) => out.push_bind_param::<sql_types::Id, _>(id)?,
        }
    }
    out.push_sql(")");
    Ok(())
}
