//! Keys of rows, as conditions on lists of them need them.

use diesel::sql_types::{Nullable, Text};

use crate::sql_types;
use crate::uuid::DbUuid;

/// A value, or a tuple of values, that is compared with columns of the SQL type `ST`.
pub trait Key<'k, ST> {
    /// A list per column, all empty.
    fn lists() -> Vec<List<'k>>;

    /// Adds the key to its lists.
    fn add_to(self, lists: &mut [List<'k>]);
}

/// The values of one column of some keys.
#[derive(Clone, Debug)]
pub enum List<'k> {
    /// Texts.
    Text(Vec<&'k str>),
    /// UUIDs.
    Uuid(Vec<DbUuid>),
}

/// A value of a key.
#[cfg(any(feature = "sqlite", feature = "mysql"))]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part<'l> {
    Text(&'l &'l str),
    Uuid(&'l DbUuid),
}

/// Keys, column by column.
#[derive(Clone, Debug)]
pub struct Keys<'k>(pub(crate) Vec<List<'k>>);

impl<'k> Keys<'k> {
    pub(crate) fn of<ST, K: Key<'k, ST>>(keys: impl IntoIterator<Item = K>) -> Self {
        let mut lists = K::lists();
        for key in keys {
            key.add_to(&mut lists);
        }
        Self(lists)
    }

    /// How many columns a key has.
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
    pub(crate) const fn width(&self) -> usize {
        self.0.len()
    }

    /// How many keys there are.
    #[cfg(any(feature = "sqlite", feature = "mysql"))]
    pub(crate) fn len(&self) -> usize {
        match self.0.first() {
            Some(List::Text(texts)) => texts.len(),
            Some(List::Uuid(ids)) => ids.len(),
            None => 0,
        }
    }

    /// The values of one key.
    #[cfg(any(feature = "sqlite", feature = "mysql"))]
    pub(crate) fn key(&self, number: usize) -> impl Iterator<Item = Part<'_>> {
        self.0.iter().filter_map(move |list| match list {
            List::Text(texts) => texts.get(number).map(Part::Text),
            List::Uuid(ids) => ids.get(number).map(Part::Uuid),
        })
    }
}

macro_rules! scalars {
    ($($value:ty: $list:ident, $sql_type:ty;)*) => {$(
        impl<'k> Key<'k, $sql_type> for $value {
            fn lists() -> Vec<List<'k>> {
                vec![List::$list(Vec::new())]
            }

            fn add_to(self, lists: &mut [List<'k>]) {
                if let [List::$list(values), ..] = lists {
                    values.push(self);
                }
            }
        }
    )*};
}

scalars! {
    &'k str: Text, Text;
    &'k str: Text, Nullable<Text>;
    DbUuid: Uuid, sql_types::Id;
}

macro_rules! tuples {
    ($($first:ident: $first_type:ident $(, $value:ident: $sql_type:ident)*;)*) => {$(
        impl<'k, $first_type, $($sql_type,)* $first: Key<'k, $first_type>, $($value: Key<'k, $sql_type>),*>
            Key<'k, ($first_type, $($sql_type),*)> for ($first, $($value),*)
        {
            fn lists() -> Vec<List<'k>> {
                [$first::lists(), $($value::lists()),*].concat()
            }

            #[expect(non_snake_case, reason = "a value is named as its type")]
            fn add_to(self, lists: &mut [List<'k>]) {
                let ($first, $($value),*) = self;
                $first.add_to(lists);
                $(
                    let Some((_, lists)) = lists.split_first_mut() else { return };
                    $value.add_to(lists);
                )*
            }
        }
    )*};
}

tuples! {
    A: X, B: Y;
    A: X, B: Y, C: Z;
}
