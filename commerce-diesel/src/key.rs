//! Keys of rows, as conditions on lists of them need them.

use crate::db_uuid::DbUuid;

/// One column of a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part<'a> {
    Text(&'a str),
    Id(DbUuid),
}

/// What a column of a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Id,
}

/// A value that is one column of a key.
pub(crate) trait Scalar: Send + Sync {
    /// The same without a lifetime, for the names of prepared statements.
    type Named: ?Sized + 'static;

    const KIND: Kind;

    fn part(&self) -> Part<'_>;
}

impl Scalar for &str {
    type Named = str;

    const KIND: Kind = Kind::Text;

    fn part(&self) -> Part<'_> {
        Part::Text(self)
    }
}

impl Scalar for DbUuid {
    type Named = Self;

    const KIND: Kind = Kind::Id;

    fn part(&self) -> Part<'_> {
        Part::Id(*self)
    }
}

/// A key of one column or of several.
pub(crate) trait Key: Send + Sync {
    /// The same without a lifetime.
    type Named: ?Sized + 'static;

    /// Its columns.
    const KINDS: &'static [Kind];

    /// Its columns' values.
    fn parts(&self) -> impl Iterator<Item = Part<'_>>;
}

impl<A: Scalar> Key for A {
    type Named = A::Named;

    const KINDS: &'static [Kind] = &[A::KIND];

    fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        [self.part()].into_iter()
    }
}

impl<A: Scalar, B: Scalar> Key for (A, B) {
    type Named = fn(&A::Named, &B::Named);

    const KINDS: &'static [Kind] = &[A::KIND, B::KIND];

    fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        [self.0.part(), self.1.part()].into_iter()
    }
}

impl<A: Scalar, B: Scalar, C: Scalar> Key for (A, B, C) {
    type Named = fn(&A::Named, &B::Named, &C::Named);

    const KINDS: &'static [Kind] = &[A::KIND, B::KIND, C::KIND];

    fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        [self.0.part(), self.1.part(), self.2.part()].into_iter()
    }
}
