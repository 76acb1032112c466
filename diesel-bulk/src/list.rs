//! The condition `columns IN (keys)` for Diesel.

use std::marker::PhantomData;

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::query_builder::QueryId;
use diesel::sql_types::Bool;

use crate::key::{Key, Keys};
use crate::statement::Bulk;

/// The condition that a column, or a tuple of columns, is in a list of keys. The text depends on the number of keys little or
/// not at all.
#[derive(Clone, Debug)]
pub struct InList<'k, C, DB> {
    pub(crate) columns: C,
    pub(crate) keys: Keys<'k>,
    db: PhantomData<fn() -> DB>,
}

impl<'k, C: Expression, DB> InList<'k, C, DB> {
    /// A condition that is true for the rows with these keys.
    pub fn new<K: Key<'k, C::SqlType>>(columns: C, keys: impl IntoIterator<Item = K>) -> Self {
        Self { columns, keys: Keys::of(keys), db: PhantomData }
    }
}

impl<C, DB> Expression for InList<'_, C, DB> {
    type SqlType = Bool;
}

impl<C: AppearsOnTable<QS>, DB, QS> AppearsOnTable<QS> for InList<'_, C, DB> {}
impl<C: SelectableExpression<QS>, DB, QS> SelectableExpression<QS> for InList<'_, C, DB> {}

impl<C: ValidGrouping<G>, DB, G> ValidGrouping<G> for InList<'_, C, DB> {
    type IsAggregate = C::IsAggregate;
}

impl<C: QueryId, DB: Bulk> QueryId for InList<'_, C, DB> {
    type QueryId = InList<'static, C::QueryId, DB>;

    const HAS_STATIC_QUERY_ID: bool = C::HAS_STATIC_QUERY_ID && DB::STATIC_LISTS;
}
