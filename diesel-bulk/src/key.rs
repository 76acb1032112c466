//! Keys for the condition [`InList`](crate::InList).

use diesel::sql_types::{Nullable, Text};

use crate::sql_types;
use crate::uuid::DbUuid;

/// A key of type `ST`: a value, or a tuple of values.
pub trait Key<'k, ST> {
    /// An empty list for each column.
    fn lists() -> Vec<List<'k>>;

    /// Appends the key to the lists of its columns.
    fn add_to(self, lists: &mut [List<'k>]);
}

/// The values of one column.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum List<'k> {
    Text(Vec<&'k str>),
    Uuid(Vec<DbUuid>),
}

#[cfg(any(feature = "sqlite", feature = "mysql"))]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part<'l> {
    Text(&'l &'l str),
    Uuid(&'l DbUuid),
}

/// A list of keys, stored by column.
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

    /// The number of columns of a key.
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
    pub(crate) const fn width(&self) -> usize {
        self.0.len()
    }

    #[cfg(any(feature = "sqlite", feature = "mysql"))]
    pub(crate) fn len(&self) -> usize {
        match self.0.first() {
            Some(List::Text(texts)) => texts.len(),
            Some(List::Uuid(ids)) => ids.len(),
            None => 0,
        }
    }

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

            #[expect(non_snake_case, reason = "a value has the name of its type")]
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
