//! The statements, the same for every database.

use std::iter;
use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;

use crate::row::{Row, Rows};

/// A database these statements are written for.
pub trait Bulk: Backend + 'static {
    /// Whether the text of a statement depends on its type alone. Where it does not, Diesel finds a prepared statement by its
    /// text.
    const STATIC: bool;

    /// The most rows that one statement inserts.
    const MOST_INSERTED: usize;

    /// The most rows that one statement updates.
    const MOST_UPDATED: usize;

    /// How many of some rows one statement is made for.
    fn whole(rows: usize) -> usize {
        rows
    }
}

/// Rows that a database can write.
pub trait Write<DB: Bulk>: Row {
    /// `INSERT`, with some text before each value of the first column.
    ///
    /// # Errors
    /// Those of binding a value.
    fn insert<'b>(rows: &'b Rows<'_, Self>, before_first: &str, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>;

    /// What stands behind an insert that passes over keys that are there.
    fn or_nothing(out: &mut AstPass<'_, '_, DB>);

    /// `UPDATE` of all columns but the key.
    ///
    /// # Errors
    /// Those of binding a value.
    fn update<'b>(rows: &'b Rows<'_, Self>, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>;
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
            /// As many statements as these rows take, in their order; none for no rows.
            pub fn pieces(rows: &'r [R]) -> impl Iterator<Item = Self> {
                pieces::<DB, R>(rows, DB::$most).map(|rows| Self { rows: Rows(rows), db: PhantomData })
            }

            /// How many rows it writes.
            pub const fn len(&self) -> usize {
                self.rows.0.len()
            }

            /// Whether it writes none.
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
    /// `INSERT`, where there is no row of that key yet.
    InsertMissing MOST_INSERTED
    /// `UPDATE` of all columns but the key.
    Update MOST_UPDATED
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

/// `INSERT` of rows whose first column is counted from an expression on.
///
/// The expression is part of the text, so a row type has one for each database.
#[derive(Debug)]
pub struct InsertBehind<'r, R, DB>(Insert<'r, R, DB>, &'static str);

impl<'r, R: Row, DB: Bulk> InsertBehind<'r, R, DB> {
    /// As many statements as these rows take, in their order.
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

/// Cuts rows into what single statements are made for, the longest first.
pub(crate) fn pieces<DB: Bulk, R>(rows: &[R], most: usize) -> impl Iterator<Item = &[R]> {
    let mut rest = rows;
    iter::from_fn(move || {
        let (piece, behind) = rest.split_at_checked(DB::whole(rest.len()).min(most))?;
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}
