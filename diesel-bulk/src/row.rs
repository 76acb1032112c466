//! Rows and their tables.

use std::borrow::Cow;
use std::fmt::Debug;

use crate::uuid::DbUuid;

/// A row, or some of its columns with the key. [`rows!`](crate::rows) implements it.
pub trait Row: Debug + Send + Sync + Sized {
    /// The row type without its lifetime. It identifies prepared statements.
    type Static: 'static;

    /// The name of the table.
    const TABLE: &'static str;

    /// The columns, starting with those of the key.
    const COLUMNS: &'static [&'static str];

    /// The number of columns in the key.
    const KEY: usize;

    /// The start of an insert, up to `VALUES` or `SELECT`.
    const INSERT: &'static str;

    /// Whether each column contains UUIDs.
    fn ids() -> Vec<bool>;

    /// The values in the form of [`Cell`], in the order of the columns.
    fn texts(&self) -> Vec<Option<String>>;
}

/// A value that can be compared as text, whatever a database contains in its place.
pub trait Cell {
    /// Whether it is a UUID.
    const IS_ID: bool = false;

    /// The text; hexadecimal digits for a UUID, `None` for NULL.
    fn text(&self) -> Option<String>;
}

macro_rules! cells {
    ($($value:ty)*) => {$(
        impl Cell for $value {
            fn text(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )*};
}
cells!(i64 bool &str Cow<'_, str>);

impl Cell for DbUuid {
    const IS_ID: bool = true;

    fn text(&self) -> Option<String> {
        Some(self.0.simple().to_string())
    }
}

impl<C: Cell> Cell for Option<C> {
    const IS_ID: bool = C::IS_ID;

    fn text(&self) -> Option<String> {
        self.as_ref().and_then(Cell::text)
    }
}

#[doc(hidden)]
pub fn is_id<R, C: Cell>(_: fn(&R) -> &C) -> bool {
    C::IS_ID
}

/// The rows of one statement.
#[derive(Debug)]
pub struct Rows<'r, R>(pub &'r [R]);

/// Assigns tables to row types: `table: Type (key columns) { other columns }`.
///
/// The fields have the names of the columns. The table is declared with `diesel::table!` and is in scope.
#[macro_export]
macro_rules! rows {
    ($($table:ident: $row:ident $(<$life:lifetime>)? ($($key:ident),*) { $($column:ident),* $(,)? })*) => {$(
        impl $(<$life>)? $crate::Row for $row $(<$life>)? {
            type Static = $crate::rows!(@static $row $(<$life>)?);

            const TABLE: &'static str = stringify!($table);
            const COLUMNS: &'static [&'static str] = &[$(stringify!($key),)* $(stringify!($column)),*];
            const KEY: usize = [$(stringify!($key)),*].len();
            const INSERT: &'static str = $crate::rows!(@insert $table $($key)* $($column)*);

            fn ids() -> Vec<bool> {
                vec![
                    $($crate::is_id(|row: &Self| &row.$key),)*
                    $($crate::is_id(|row: &Self| &row.$column)),*
                ]
            }

            fn texts(&self) -> Vec<Option<String>> {
                vec![$($crate::Cell::text(&self.$key),)* $($crate::Cell::text(&self.$column)),*]
            }
        }

        $crate::__bind_sqlite!($table, $row $(<$life>)?, $($key)* $($column)*);
        $crate::__bind_mysql!($table, $row $(<$life>)?, $($key)* $($column)*);
        $crate::__bind_arrays!($table, $row $(<$life>)?, $($key)* $($column)*);
    )*};
    (@static $row:ident) => { $row };
    (@static $row:ident<$life:lifetime>) => { $row<'static> };
    (@insert $table:ident $first:ident $($column:ident)*) => {
        concat!("INSERT INTO ", stringify!($table), " (", stringify!($first) $(, ", ", stringify!($column))*, ") ")
    };
}

/// Binds each value of a row.
#[doc(hidden)]
#[macro_export]
macro_rules! __bind_values {
    ($db:ty, $table:ident, $row:ident $(<$life:lifetime>)?, $($column:ident)*) => {
        impl $(<$life>)? $crate::Bind<$db> for $row $(<$life>)? {
            fn bind<'b>(
                &'b self,
                columns: std::ops::Range<usize>,
                out: &mut $crate::diesel::query_builder::AstPass<'_, 'b, $db>,
                mut before: impl FnMut(usize, &mut $crate::diesel::query_builder::AstPass<'_, 'b, $db>),
            ) -> $crate::diesel::QueryResult<()> {
                let mut places = 0..;
                $(
                    if let Some(place) = places.next().filter(|place| columns.contains(place)) {
                        before(place, out);
                        out.push_bind_param::<$crate::diesel::dsl::SqlTypeOf<$table::$column>, _>(&self.$column)?;
                    }
                )*
                Ok(())
            }
        }
    };
}

#[cfg(feature = "sqlite")]
#[doc(hidden)]
#[macro_export]
macro_rules! __bind_sqlite {
    ($($row:tt)*) => { $crate::__bind_values!($crate::diesel::sqlite::Sqlite, $($row)*); };
}

#[cfg(not(feature = "sqlite"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __bind_sqlite {
    ($($row:tt)*) => {};
}

#[cfg(feature = "mysql")]
#[doc(hidden)]
#[macro_export]
macro_rules! __bind_mysql {
    ($($row:tt)*) => { $crate::__bind_values!($crate::diesel::mysql::Mysql, $($row)*); };
}

#[cfg(not(feature = "mysql"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __bind_mysql {
    ($($row:tt)*) => {};
}

#[cfg(feature = "postgres")]
#[doc(hidden)]
#[macro_export]
macro_rules! __bind_arrays {
    ($table:ident, $row:ident, $($column:ident)*) => {
        $($crate::__bind_arrays!(@field [] $table $row $column);)*
        $crate::__bind_arrays!(@arrays [] $table $row $($column)*);
    };
    ($table:ident, $row:ident<$life:lifetime>, $($column:ident)*) => {
        $($crate::__bind_arrays!(@field [<$life>] $table $row $column);)*
        $crate::__bind_arrays!(@arrays [<$life>] $table $row $($column)*);
    };
    (@field [$($generics:tt)*] $table:ident $row:ident $column:ident) => {
        impl $($generics)* $crate::Field<$table::$column> for $row $($generics)* {
            fn field(
                &self,
            ) -> &(impl $crate::Element
                 + $crate::diesel::serialize::ToSql<
                $crate::diesel::dsl::SqlTypeOf<$table::$column>,
                $crate::diesel::pg::Pg,
            >) {
                &self.$column
            }
        }
    };
    (@arrays [$($generics:tt)*] $table:ident $row:ident $($column:ident)*) => {
        impl $($generics)* $crate::Arrays for $row $($generics)* {
            fn bind<'b>(
                rows: &'b $crate::Rows<'_, Self>,
                out: &mut $crate::diesel::query_builder::AstPass<'_, 'b, $crate::diesel::pg::Pg>,
                mut before: impl FnMut(usize, &mut $crate::diesel::query_builder::AstPass<'_, 'b, $crate::diesel::pg::Pg>),
            ) -> $crate::diesel::QueryResult<()> {
                let mut places = 0..;
                $(
                    if let Some(place) = places.next() {
                        before(place, out);
                        out.push_bind_param::<$crate::ArrayOf<$table::$column>, _>(rows)?;
                    }
                )*
                Ok(())
            }

            fn columns(rows: &[Self]) -> Result<Vec<$crate::Column>, std::num::TryFromIntError> {
                Ok(vec![$($crate::Column::of(rows.iter().map(|row| &row.$column))?),*])
            }
        }
    };
}

#[cfg(not(feature = "postgres"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __bind_arrays {
    ($($row:tt)*) => {};
}
