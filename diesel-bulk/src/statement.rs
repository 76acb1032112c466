//! The statements, independent of the database.

use std::iter;
use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::Text;

use crate::row::{Row, Rows};

/// A database that supports these statements.
pub trait Bulk: Backend + 'static {
    /// Whether the text of a statement depends on its type alone. If not, Diesel finds prepared statements by their text.
    const STATIC: bool;

    /// Whether the text of a condition [`InList`](crate::InList) does.
    const STATIC_LISTS: bool;

    /// The most rows that one statement inserts.
    const MOST_INSERTED: usize;

    /// The most rows that one statement updates.
    const MOST_UPDATED: usize;

    /// Before and after a list of texts: their JSON array.
    const ARRAY: (&'static str, &'static str);

    /// Before and after a column: its text.
    const TEXT: (&'static str, &'static str);

    /// Before and after a column of UUIDs: their hexadecimal digits.
    const ID_TEXT: (&'static str, &'static str);

    /// How many of `rows` remaining rows the next statement takes.
    fn whole(rows: usize) -> usize {
        rows
    }
}

/// Rows that a database can write.
pub trait Write<DB: Bulk>: Row {
    /// `INSERT`, with `before_first` before each value of the first column.
    ///
    /// # Errors
    /// Binding a value fails.
    fn insert<'b>(rows: &'b Rows<'_, Self>, before_first: &str, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>;

    /// The clause that makes an insert ignore existing keys.
    fn or_nothing(out: &mut AstPass<'_, '_, DB>);

    /// `UPDATE` of all columns except the key.
    ///
    /// # Errors
    /// Binding a value fails.
    fn update<'b>(rows: &'b Rows<'_, Self>, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>;

    /// The condition ` WHERE` that selects the keys of the rows.
    ///
    /// # Errors
    /// Binding a value fails.
    fn with_keys<'b>(rows: &'b Rows<'_, Self>, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>;
}

/// `SELECT` of the rows of a table, each as a JSON array of the texts of its columns (see [`Cell`](crate::Cell)). It succeeds
/// whatever the columns contain.
pub fn select_texts<R: Row, DB: Bulk>() -> String {
    let text = |(column, is_id): (&&str, bool)| {
        let (before, after) = if is_id { DB::ID_TEXT } else { DB::TEXT };
        [before, column, after].concat()
    };
    let columns: Vec<_> = R::COLUMNS.iter().zip(R::ids()).map(text).collect();
    format!("SELECT {}{}{} FROM {}", DB::ARRAY.0, columns.join(", "), DB::ARRAY.1, R::TABLE)
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident $most:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<'r, R, DB> {
            rows: Rows<'r, R>,
            db: PhantomData<fn() -> DB>,
        }

        impl<'r, R: Row, DB: Bulk> $name<'r, R, DB> {
            /// The statements that write the rows, in order. None if there are no rows.
            pub fn pieces(rows: &'r [R]) -> impl Iterator<Item = Self> {
                pieces::<DB, R>(rows, DB::$most).map(|rows| Self { rows: Rows(rows), db: PhantomData })
            }

            /// The number of rows that it writes.
            pub const fn len(&self) -> usize {
                self.rows.0.len()
            }

            /// Whether it writes no rows.
            pub const fn is_empty(&self) -> bool {
                self.rows.0.is_empty()
            }
        }

        impl<R: Row, DB: Bulk> QueryId for $name<'_, R, DB> {
            type QueryId = $name<'static, R::Static, DB>;

            const HAS_STATIC_QUERY_ID: bool = DB::STATIC;
        }
    )*};
}

statements! {
    /// `INSERT`.
    Insert MOST_INSERTED
    /// `INSERT` of the rows whose keys do not exist.
    InsertMissing MOST_INSERTED
    /// `UPDATE` of all columns except the key.
    Update MOST_UPDATED
    /// [`select_texts`] of the rows that have the keys of these.
    Find MOST_UPDATED
}

impl<R: Write<DB>, DB: Bulk> QueryFragment<DB> for Insert<'_, R, DB> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        R::insert(&self.rows, "", &mut out)
    }
}

impl<R: Write<DB>, DB: Bulk> QueryFragment<DB> for InsertMissing<'_, R, DB> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        R::insert(&self.rows, "", &mut out)?;
        R::or_nothing(&mut out);
        Ok(())
    }
}

impl<R: Write<DB>, DB: Bulk> QueryFragment<DB> for Update<'_, R, DB> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        R::update(&self.rows, &mut out)
    }
}

impl<R: Write<DB>, DB: Bulk> QueryFragment<DB> for Find<'_, R, DB> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(&select_texts::<R, DB>());
        R::with_keys(&self.rows, &mut out)
    }
}

impl<R, DB> Query for Find<'_, R, DB> {
    type SqlType = Text;
}

impl<R, DB, Conn> diesel::RunQueryDsl<Conn> for Find<'_, R, DB> {}

/// `INSERT` of rows whose first column is added to an expression. The expression is part of the text, so a row type must always
/// use the same one on a database.
#[derive(Debug)]
pub struct InsertBehind<'r, R, DB>(Insert<'r, R, DB>, &'static str);

impl<'r, R: Row, DB: Bulk> InsertBehind<'r, R, DB> {
    /// The statements that write the rows, in order.
    pub fn pieces(rows: &'r [R], expression: &'static str) -> impl Iterator<Item = Self> {
        Insert::pieces(rows).map(move |insert| Self(insert, expression))
    }
}

impl<R: Row, DB: Bulk> QueryId for InsertBehind<'_, R, DB> {
    type QueryId = InsertBehind<'static, R::Static, DB>;

    const HAS_STATIC_QUERY_ID: bool = DB::STATIC;
}

impl<R: Write<DB>, DB: Bulk> QueryFragment<DB> for InsertBehind<'_, R, DB> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        R::insert(&self.0.rows, self.1, &mut out)
    }
}

/// Splits rows into the pieces of single statements, longest first.
pub(crate) fn pieces<DB: Bulk, R>(rows: &[R], most: usize) -> impl Iterator<Item = &[R]> {
    let mut rest = rows;
    iter::from_fn(move || {
        let (piece, behind) = rest.split_at_checked(DB::whole(rest.len()).min(most))?;
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}
