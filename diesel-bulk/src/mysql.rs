//! `MySQL` and `MariaDB`: prepared statements are found by their text, so statements have few different lengths.

use diesel::mysql::Mysql;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::result::QueryResult;
use diesel::sql_types::Text;

use crate::key::Part;
use crate::list::InList;
use crate::row::Rows;
use crate::sql_types;
use crate::statement::{Bulk, Write};
use crate::values::{self, Bind};

/// A statement may have any number of rows below this.
const FEW: usize = 16;

/// From this number on, a statement has a multiple of it; below, a multiple of [`FEW`].
const MANY: usize = 128;

/// The most values in one statement.
const MOST_VALUES: usize = 65_535;

impl Bulk for Mysql {
    const STATIC: bool = false;
    const STATIC_LISTS: bool = false;
    const MOST_INSERTED: usize = 384;
    // A statement compares each row with half of the keys on average.
    const MOST_UPDATED: usize = 64;
    const ARRAY: (&'static str, &'static str) = ("CAST(JSON_ARRAY(", ") AS CHAR)");
    const TEXT: (&'static str, &'static str) = ("CAST(", " AS CHAR)");
    const ID_TEXT: (&'static str, &'static str) = ("LOWER(HEX(", "))");

    fn whole(rows: usize) -> usize {
        match rows {
            few @ ..FEW => few,
            some @ FEW..MANY => some - some % FEW,
            many @ MANY.. => many - many % MANY,
        }
    }
}

impl<R: Bind<Mysql>> Write<Mysql> for R {
    fn insert<'b>(rows: &'b Rows<'_, R>, before_first: &str, out: &mut AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        values::insert(rows, before_first, out)
    }

    /// Not `INSERT IGNORE`, which ignores other errors too.
    fn or_nothing(out: &mut AstPass<'_, '_, Mysql>) {
        let key = R::COLUMNS.first().copied().unwrap_or_default();
        out.push_sql(" ON DUPLICATE KEY UPDATE ");
        out.push_sql(key);
        out.push_sql(" = ");
        out.push_sql(R::TABLE);
        out.push_sql(".");
        out.push_sql(key);
    }

    fn update<'b>(rows: &'b Rows<'_, R>, out: &mut AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        values::update(rows, out)
    }

    fn with_keys<'b>(rows: &'b Rows<'_, R>, out: &mut AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        values::with_keys(rows, out)
    }
}

/// The length of a list is a power of two. The last key is repeated, which has no effect. A list of tuples has two keys at
/// least: `MariaDB` scans the table to delete or update the rows of a single one.
impl<C: QueryFragment<Mysql>> QueryFragment<Mysql> for InList<'_, C, Mysql> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        let Some(last) = self.keys.len().checked_sub(1) else {
            out.push_sql("FALSE");
            return Ok(());
        };
        out.push_sql("(");
        self.columns.walk_ast(out.reborrow())?;
        for number in 0..padded(self.keys.len(), self.keys.width()) {
            out.push_sql(if number == 0 { ") IN ((" } else { "), (" });
            for (place, part) in self.keys.key(number.min(last)).enumerate() {
                out.push_sql(if place == 0 { "" } else { ", " });
                match part {
                    Part::Text(text) => out.push_bind_param::<Text, _>(text)?,
                    Part::Uuid(id) => out.push_bind_param::<sql_types::Id, _>(id)?,
                }
            }
        }
        out.push_sql("))");
        Ok(())
    }
}

/// The length of a list with `count` keys. If the list is too long for a statement, the server reports it.
fn padded(count: usize, width: usize) -> usize {
    let least = if width > 1 { 2 } else { 1 };
    count.next_power_of_two().max(least).min((MOST_VALUES / width).max(count))
}

#[cfg(test)]
#[path = "../tests/unit/mysql.rs"]
mod tests;
