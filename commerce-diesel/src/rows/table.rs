//! Which table a row is written to, and how its columns are bound.
//!
//! The text of a statement is made of constants and names its type, so each is prepared once per connection. (Diesel's own
//! inserts of many rows, and its updates, are prepared anew each time; its insert of one row walks its list of columns three
//! times.)

#[cfg(any(feature = "sqlite", feature = "mysql"))]
use std::ops::Range;

#[cfg(any(feature = "sqlite", feature = "mysql"))]
use diesel::backend::Backend;
use diesel::dsl::SqlTypeOf;
#[cfg(feature = "postgres")]
use diesel::pg::Pg;
use diesel::query_builder::AstPass;
use diesel::result::QueryResult;
#[cfg(feature = "postgres")]
use diesel::sql_types::Array;

use super::cart::{CartCodeRow, CartItemRow, CartRow};
use super::catalog::{ProductCategoryRow, ProductRow, VariantRow};
use super::document::{ClaimRow, DocumentKeyRow, DocumentRow};
use super::event::NewEventRow;
use super::idempotency::IdempotencyRow;
use super::order::{OrderRow, OrderState, PaymentRow, RefundRow, ReturnLineRow, ReturnRow, ShipmentRow};
use super::promotion::{CustomerUsesRow, RedemptionRow, ReleasedRow, UsesRow};
use super::stock::{LevelRow, ReservationRow};
use super::task::TaskRow;
#[cfg(feature = "postgres")]
use crate::postgres::Column;
use crate::schema::{
    cart_codes, cart_items, carts, claims, document_keys, documents, events, idempotency_keys, orders, payments,
    product_categories, products, promotion_customers, promotion_redemptions, promotion_uses, refunds, reservations,
    return_lines, returns, shipments, stock, tasks, variants,
};

/// A row, or some columns of one, with its key.
pub(crate) trait Row: Send + Sync {
    /// The row without a lifetime, for the names of prepared statements.
    type Named: 'static;

    /// The table.
    const TABLE: &'static str;

    /// The columns, those of the key first.
    const COLUMNS: &'static [&'static str];

    /// How many columns are the key.
    const KEY: usize;

    /// The beginning of an insert, as far as `VALUES` or `SELECT`.
    const INSERT: &'static str;
}

/// A row whose values are bound one by one.
#[cfg(any(feature = "sqlite", feature = "mysql"))]
pub(crate) trait Bind<DB: Backend>: Row {
    /// Binds the values of some columns; `before` each its text is written.
    fn bind<'b>(
        &'b self,
        columns: Range<usize>,
        out: &mut AstPass<'_, 'b, DB>,
        before: impl FnMut(usize, &mut AstPass<'_, 'b, DB>),
    ) -> QueryResult<()>;
}

/// Rows whose columns are bound as arrays.
#[cfg(feature = "postgres")]
pub(crate) trait Columns: Row + Sized {
    /// The columns of some rows.
    fn columns(rows: &[Self]) -> Vec<Column>;

    /// Binds the columns; `before` and `after` each its text is written.
    fn bind<'b>(
        columns: &'b [Column],
        out: &mut AstPass<'_, 'b, Pg>,
        before: impl Fn(usize, &mut AstPass<'_, 'b, Pg>),
        after: impl Fn(usize, &mut AstPass<'_, 'b, Pg>),
    ) -> QueryResult<()>;
}

macro_rules! rows {
    ($($table:ident: $row:ident $(<$life:lifetime>)? ($($key:ident),*) { $($column:ident),* $(,)? })*) => {$(
        impl $(<$life>)? Row for $row $(<$life>)? {
            type Named = rows!(@named $row $(<$life>)?);

            const TABLE: &'static str = stringify!($table);
            const COLUMNS: &'static [&'static str] = &[$(stringify!($key),)* $(stringify!($column)),*];
            const KEY: usize = [$(stringify!($key)),*].len();
            const INSERT: &'static str = rows!(@insert $table $($key)* $($column)*);
        }

        #[cfg(feature = "sqlite")]
        rows!(@bind diesel::sqlite::Sqlite, $table, $row $(<$life>)?, $($key)* $($column)*);

        #[cfg(feature = "mysql")]
        rows!(@bind diesel::mysql::Mysql, $table, $row $(<$life>)?, $($key)* $($column)*);

        #[cfg(feature = "postgres")]
        impl $(<$life>)? Columns for $row $(<$life>)? {
            fn columns(rows: &[Self]) -> Vec<Column> {
                vec![$(Column::of(rows.iter().map(|row| &row.$key)),)* $(Column::of(rows.iter().map(|row| &row.$column))),*]
            }

            fn bind<'b>(
                columns: &'b [Column],
                out: &mut AstPass<'_, 'b, Pg>,
                before: impl Fn(usize, &mut AstPass<'_, 'b, Pg>),
                after: impl Fn(usize, &mut AstPass<'_, 'b, Pg>),
            ) -> QueryResult<()> {
                let mut columns = columns.iter().enumerate();
                $(rows!(@array $table $key columns out before after);)*
                $(rows!(@array $table $column columns out before after);)*
                Ok(())
            }
        }
    )*};
    (@named $row:ident) => { $row };
    (@named $row:ident<$life:lifetime>) => { $row<'static> };
    (@insert $table:ident $first:ident $($column:ident)*) => {
        concat!("INSERT INTO ", stringify!($table), " (", stringify!($first) $(, ", ", stringify!($column))*, ") ")
    };
    (@bind $db:ty, $table:ident, $row:ident $(<$life:lifetime>)?, $($column:ident)*) => {
        impl $(<$life>)? Bind<$db> for $row $(<$life>)? {
            fn bind<'b>(
                &'b self,
                columns: Range<usize>,
                out: &mut AstPass<'_, 'b, $db>,
                mut before: impl FnMut(usize, &mut AstPass<'_, 'b, $db>),
            ) -> QueryResult<()> {
                let mut places = 0..;
                $(
                    if let Some(place) = places.next().filter(|place| columns.contains(place)) {
                        before(place, out);
                        out.push_bind_param::<SqlTypeOf<$table::$column>, _>(&self.$column)?;
                    }
                )*
                Ok(())
            }
        }
    };
    (@array $table:ident $column:ident $columns:ident $out:ident $before:ident $after:ident) => {
        if let Some((place, column)) = $columns.next() {
            $before(place, $out);
            $out.push_bind_param::<Array<SqlTypeOf<$table::$column>>, _>(column)?;
            $after(place, $out);
        }
    };
}

rows! {
    claims: ClaimRow<'a> (kind, claim) { owner }
    documents: DocumentRow<'a> (kind, id) { version, created_at, body }
    document_keys: DocumentKeyRow<'a> (kind, id, lookup) {}
    products: ProductRow<'a> (id) { name, description, active, version, created_at, updated_at }
    variants: VariantRow<'a> (product_id, position) { sku, name, price, currency, tax_category }
    product_categories: ProductCategoryRow<'a> (product_id, position) { category_id }
    carts: CartRow<'a> (id) {
        user_id, active_user_id, status, currency, order_id, version, created_at, updated_at, expires_at
    }
    cart_items: CartItemRow<'a> (cart_id, position) { id, sku, product_id, name, quantity, unit_price }
    cart_codes: CartCodeRow<'a> (cart_id, position) { code }
    orders: OrderRow<'a> (id) {
        number, user_id, cart_id, payment_id, status, phase, version, created_at, updated_at, entered_at, delivered_at
    }
    orders: OrderState<'a> (id) { status, phase, version, updated_at, entered_at, delivered_at }
    payments: PaymentRow<'a> (id) { order_id, status, currency, amount, captured, refunded, reference }
    refunds: RefundRow<'a> (order_id, position) { id, currency, amount, reason, status, reference }
    returns: ReturnRow<'a> (id) { order_id, position, status, reason, requested_at }
    return_lines: ReturnLineRow (return_id, position) { item_id, quantity }
    shipments: ShipmentRow<'a> (order_id) { provider, method, tracking_number, status }
    stock: LevelRow<'a> (sku) { on_hand, reserved, reorder_threshold, next_expiry, version }
    reservations: ReservationRow<'a> (sku, order_id) { units, held_until }
    events: NewEventRow<'a> (position) {
        stream_kind, stream_id, sequence, event_id, event_type, happened_at, actor_role, actor_user, body
    }
    tasks: TaskRow<'a> (subject, kind) { payload, due, ready_at, failures, last_error }
    idempotency_keys: IdempotencyRow<'a> (scope, request_key) { fingerprint, given_at, reply }
    promotion_uses: UsesRow<'a> (promotion_id) { used, spent }
    promotion_customers: CustomerUsesRow<'a> (promotion_id, user_id) { used }
    promotion_redemptions: RedemptionRow<'a> (promotion_id, order_id) {
        user_id, currency, amount, redeemed_at, released_at
    }
    promotion_redemptions: ReleasedRow<'a> (promotion_id, order_id) { released_at }
}
