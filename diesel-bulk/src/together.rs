//! Several statements as one: `WITH w0 AS (INSERT …), w1 AS (UPDATE …) INSERT …`.
//!
//! A server answers each statement with a message of its own. This costs more than many of them do.

use std::any::TypeId;
use std::io::Write as _;
use std::num::TryFromIntError;

use diesel::pg::{Pg, PgQueryBuilder};
use diesel::query_builder::{AstPass, QueryBuilder, QueryFragment, QueryId};
use diesel::result::{Error, QueryResult};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Array, BigInt, Bool, HasSqlType, Text};

use crate::postgres::{Arrays, Element, array};
use crate::sql_types::Id;
use crate::statement::{Insert, InsertMissing, Update};

/// The type of the values of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    BigInt,
    Bool,
    Text,
    Uuid,
}

impl Kind {
    /// The number of the type, which is the same on every server.
    const fn oid(self) -> u32 {
        match self {
            Self::Bool => 16,
            Self::BigInt => 20,
            Self::Text => 25,
            Self::Uuid => 2950,
        }
    }
}

/// The values of one column of many rows, in the binary form of an array.
#[derive(Debug)]
pub struct Column {
    kind: Kind,
    bytes: Vec<u8>,
}

impl Column {
    /// # Errors
    /// A value is too long.
    pub fn of<'e, E: Element + 'e>(values: impl ExactSizeIterator<Item = &'e E>) -> Result<Self, TryFromIntError> {
        Ok(Self { kind: E::KIND, bytes: array(E::KIND.oid(), values)? })
    }
}

impl<ST> ToSql<Array<ST>, Pg> for Column
where
    Pg: HasSqlType<ST>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&self.bytes)?;
        Ok(IsNull::No)
    }
}

impl QueryFragment<Pg> for Column {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self.kind {
            Kind::BigInt => out.push_bind_param::<Array<BigInt>, _>(self),
            Kind::Bool => out.push_bind_param::<Array<Bool>, _>(self),
            Kind::Text => out.push_bind_param::<Array<Text>, _>(self),
            Kind::Uuid => out.push_bind_param::<Array<Id>, _>(self),
        }
    }
}

/// Statements that are executed as one, in no particular order. None sees what another one writes, so each row must be written by
/// one of them only.
#[derive(Debug, Default)]
pub struct Together(Vec<Part>);

#[derive(Debug)]
struct Part {
    /// Tells texts apart.
    name: TypeId,
    text: String,
    columns: Vec<Column>,
}

impl Together {
    /// Adds an insert of rows.
    ///
    /// # Errors
    /// A value is too long.
    pub fn insert<R: Arrays>(&mut self, rows: &[R]) -> QueryResult<()> {
        Insert::<R, Pg>::pieces(rows).try_for_each(|insert| self.add(&insert, rows))
    }

    /// Adds an insert of the rows whose keys do not exist.
    ///
    /// # Errors
    /// A value is too long.
    pub fn insert_missing<R: Arrays>(&mut self, rows: &[R]) -> QueryResult<()> {
        InsertMissing::<R, Pg>::pieces(rows).try_for_each(|insert| self.add(&insert, rows))
    }

    /// Adds an update of all columns except the key.
    ///
    /// # Errors
    /// A value is too long.
    pub fn update<R: Arrays>(&mut self, rows: &[R]) -> QueryResult<()> {
        Update::<R, Pg>::pieces(rows).try_for_each(|update| self.add(&update, rows))
    }

    fn add<R: Arrays, Q: QueryFragment<Pg> + QueryId>(&mut self, statement: &Q, rows: &[R]) -> QueryResult<()> {
        let mut text = PgQueryBuilder::default();
        statement.to_sql(&mut text, &Pg)?;
        let columns = R::columns(rows).map_err(|error| Error::SerializationError(error.into()))?;
        let name = Q::query_id().unwrap_or_else(TypeId::of::<R::Static>);
        self.0.push(Part { name, text: text.finish(), columns });
        Ok(())
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the text depends on.
    pub fn names(&self) -> Vec<TypeId> {
        self.0.iter().map(|part| part.name).collect()
    }
}

impl QueryFragment<Pg> for Together {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let last = self.0.len().saturating_sub(1);
        for (number, part) in self.0.iter().enumerate() {
            match number {
                0 if last == 0 => {}
                0 => out.push_sql("WITH w0 AS ("),
                _ if number == last => out.push_sql(") "),
                _ => out.push_sql(&format!("), w{number} AS (")),
            }
            part.walk_ast(out.reborrow())?;
        }
        Ok(())
    }
}

impl QueryFragment<Pg> for Part {
    /// Writes the text with other numbers of its placeholders. No text contains a value, so only placeholders have a `$`.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut pieces = self.text.split('$');
        out.push_sql(pieces.next().unwrap_or_default());
        for (piece, column) in pieces.zip(&self.columns) {
            column.walk_ast(out.reborrow())?;
            out.push_sql(piece.trim_start_matches(|digit: char| digit.is_ascii_digit()));
        }
        Ok(())
    }
}

/// The text depends on the statements.
impl QueryId for Together {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}
