//! PostgreSQL: one array per column, so the text does not depend on the number of rows.

use std::borrow::Cow;
use std::error::Error;
use std::io::Write as _;
use std::marker::PhantomData;
use std::num::TryFromIntError;

use diesel::expression::Expression;
use diesel::pg::{Pg, PgTypeMetadata};
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::result::QueryResult;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Array, HasSqlType, Text};

use crate::key::List;
use crate::list::InList;
use crate::row::{Row, Rows};
use crate::sql_types;
use crate::statement::{Bulk, Write};
use crate::together::{Column, Kind};
use crate::uuid::DbUuid;

impl Bulk for Pg {
    const STATIC: bool = true;
    const STATIC_LISTS: bool = true;
    const MOST_INSERTED: usize = usize::MAX;
    const MOST_UPDATED: usize = usize::MAX;
    const ARRAY: (&'static str, &'static str) = ("CAST(json_build_array(", ") AS TEXT)");
    const TEXT: (&'static str, &'static str) = ("CAST(", " AS TEXT)");
    const ID_TEXT: (&'static str, &'static str) = ("replace(CAST(", " AS TEXT), '-', '')");
}

/// The SQL type of the values of one column of many rows.
#[derive(Debug)]
pub struct ArrayOf<C>(PhantomData<C>);

/// A row that has a value for a column. [`rows!`](crate::rows) implements it.
pub trait Field<C: Expression> {
    /// The value of the column.
    fn field(&self) -> &(impl Element + ToSql<C::SqlType, Pg>);
}

/// An element of an array. Diesel's own arrays allocate for each element, which costs a single commit an eighth more client
/// time.
pub trait Element {
    /// The type of a column of such values.
    const KIND: Kind;

    /// PostgreSQL's binary form. `None` for NULL.
    fn bytes(&self) -> Option<impl AsRef<[u8]>>;
}

impl Element for i64 {
    const KIND: Kind = Kind::BigInt;

    fn bytes(&self) -> Option<impl AsRef<[u8]>> {
        Some(self.to_be_bytes())
    }
}

impl Element for bool {
    const KIND: Kind = Kind::Bool;

    fn bytes(&self) -> Option<impl AsRef<[u8]>> {
        Some([u8::from(*self)])
    }
}

impl Element for DbUuid {
    const KIND: Kind = Kind::Uuid;

    fn bytes(&self) -> Option<impl AsRef<[u8]>> {
        Some(self.0.as_bytes())
    }
}

impl Element for &str {
    const KIND: Kind = Kind::Text;

    fn bytes(&self) -> Option<impl AsRef<[u8]>> {
        Some(self.as_bytes())
    }
}

impl Element for Cow<'_, str> {
    const KIND: Kind = Kind::Text;

    fn bytes(&self) -> Option<impl AsRef<[u8]>> {
        Some(self.as_bytes())
    }
}

impl<E: Element> Element for Option<E> {
    const KIND: Kind = E::KIND;

    fn bytes(&self) -> Option<impl AsRef<[u8]>> {
        self.as_ref().and_then(Element::bytes)
    }
}

/// A one-dimensional array in PostgreSQL's binary form: number of dimensions, whether there may be nulls, type of the elements,
/// number of elements, lower bound, and each element after its length.
pub(crate) fn array<'e, E: Element + 'e>(
    oid: u32,
    elements: impl ExactSizeIterator<Item = &'e E>,
) -> Result<Vec<u8>, TryFromIntError> {
    let mut bytes = Vec::with_capacity(20 + 20 * elements.len());
    let count = i32::try_from(elements.len())?;
    for number in
        [1_i32.to_be_bytes(), 1_i32.to_be_bytes(), oid.to_be_bytes(), count.to_be_bytes(), 1_i32.to_be_bytes()]
    {
        bytes.extend(number);
    }
    for element in elements {
        let Some(value) = element.bytes() else {
            bytes.extend((-1_i32).to_be_bytes());
            continue;
        };
        bytes.extend(i32::try_from(value.as_ref().len())?.to_be_bytes());
        bytes.extend(value.as_ref());
    }
    Ok(bytes)
}

fn oid<ST>(out: &mut Output<'_, '_, Pg>) -> Result<u32, Box<dyn Error + Send + Sync>>
where
    Pg: HasSqlType<ST>,
{
    Ok(<Pg as HasSqlType<ST>>::metadata(out.metadata_lookup()).oid()?)
}

/// Rows that bind each column as an array. [`rows!`](crate::rows) implements it.
pub trait Arrays: Row {
    /// Binds the columns. Calls `before` before it writes each placeholder.
    ///
    /// # Errors
    /// Binding a value fails.
    fn bind<'b>(
        rows: &'b Rows<'_, Self>,
        out: &mut AstPass<'_, 'b, Pg>,
        before: impl FnMut(usize, &mut AstPass<'_, 'b, Pg>),
    ) -> QueryResult<()>;

    /// The columns as arrays, in the order in which they are bound.
    ///
    /// # Errors
    /// A value is too long.
    fn columns(rows: &[Self]) -> Result<Vec<Column>, TryFromIntError>;

    /// The rows as a query. It unnests the arrays in the list of the `SELECT`, in step. In `FROM`, each array would be copied.
    ///
    /// # Errors
    /// Binding a value fails.
    fn select<'b>(rows: &'b Rows<'_, Self>, before_first: &str, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let name = |place: usize, out: &mut AstPass<'_, 'b, Pg>| {
            out.push_sql(") AS ");
            out.push_sql(Self::COLUMNS.get(place).copied().unwrap_or_default());
        };
        Self::bind(rows, out, |place, out| {
            match place.checked_sub(1) {
                None => {
                    out.push_sql("SELECT ");
                    out.push_sql(before_first);
                }
                Some(last) => {
                    name(last, out);
                    out.push_sql(", ");
                }
            }
            out.push_sql("unnest(");
        })?;
        name(Self::COLUMNS.len() - 1, out);
        Ok(())
    }
}

impl<C: Expression<SqlType: 'static>> HasSqlType<ArrayOf<C>> for Pg
where
    Self: HasSqlType<C::SqlType>,
{
    fn metadata(lookup: &mut Self::MetadataLookup) -> PgTypeMetadata {
        <Self as HasSqlType<Array<C::SqlType>>>::metadata(lookup)
    }
}

impl<R: Row + Field<C>, C: Expression<SqlType: 'static>> ToSql<ArrayOf<C>, Pg> for Rows<'_, R>
where
    Pg: HasSqlType<C::SqlType>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let oid = oid::<C::SqlType>(out)?;
        out.write_all(&array(oid, self.0.iter().map(R::field))?)?;
        Ok(IsNull::No)
    }
}

impl<ST> ToSql<Array<ST>, Pg> for List<'_>
where
    Pg: HasSqlType<ST>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let oid = oid::<ST>(out)?;
        out.write_all(&match self {
            List::Text(texts) => array(oid, texts.iter())?,
            List::Uuid(ids) => array(oid, ids.iter())?,
        })?;
        Ok(IsNull::No)
    }
}

impl<R: Arrays> Write<Pg> for R {
    fn insert<'b>(rows: &'b Rows<'_, R>, before_first: &str, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(R::INSERT);
        R::select(rows, before_first, out)
    }

    fn or_nothing(out: &mut AstPass<'_, '_, Pg>) {
        out.push_sql(" ON CONFLICT DO NOTHING");
    }

    fn update<'b>(rows: &'b Rows<'_, R>, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let (key, rest) = R::COLUMNS.split_at(R::KEY);
        out.push_sql("UPDATE ");
        out.push_sql(R::TABLE);
        for (place, column) in rest.iter().enumerate() {
            out.push_sql(if place == 0 { " AS t SET " } else { ", " });
            out.push_sql(column);
            out.push_sql(" = v.");
            out.push_sql(column);
        }
        out.push_sql(" FROM (");
        R::select(rows, "", out)?;
        for (place, column) in key.iter().enumerate() {
            out.push_sql(if place == 0 { ") AS v WHERE t." } else { " AND t." });
            out.push_sql(column);
            out.push_sql(" = v.");
            out.push_sql(column);
        }
        Ok(())
    }

    fn with_keys<'b>(rows: &'b Rows<'_, R>, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let key = R::COLUMNS.split_at(R::KEY).0.join(", ");
        out.push_sql(&format!(" WHERE ({key}) IN (SELECT {key} FROM ("));
        R::select(rows, "", out)?;
        out.push_sql(") AS v)");
        Ok(())
    }
}

impl<C: QueryFragment<Pg>> QueryFragment<Pg> for InList<'_, C, Pg> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let one = self.keys.width() == 1;
        out.push_sql("(");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(if one { ") = ANY(" } else { ") IN (SELECT unnest(" });
        for (place, list) in self.keys.0.iter().enumerate() {
            out.push_sql(if place == 0 { "" } else { "), unnest(" });
            match list {
                List::Text(_) => out.push_bind_param::<Array<Text>, _>(list)?,
                List::Uuid(_) => out.push_bind_param::<Array<sql_types::Id>, _>(list)?,
            }
        }
        out.push_sql(if one { ")" } else { "))" });
        Ok(())
    }
}
