//! Carts.

use commerce_core::cart::Cart;
use commerce_core::ids::{CartId, UserId};
use commerce_core::port::PageRequest;
use diesel::prelude::*;

use super::{Answer, Conn, RunQueryDsl, dialect, one_more};
use crate::db_uuid::DbUuid;
use crate::rows::cart::{CartCodeRow, CartItemRow, CartRow};
use crate::schema::{cart_codes, cart_items, carts};

/// A cart.
pub(in super::super) async fn get(conn: &mut Conn, id: CartId) -> Answer<Option<Cart>> {
    let query = carts::table.filter(carts::id.eq(DbUuid(id.uuid()))).select(CartRow::as_select());
    let row = query.get_result(conn).await.optional()?;
    complete(conn, row).await
}

/// The active cart of a customer.
pub(in super::super) async fn active(conn: &mut Conn, user: &UserId) -> Answer<Option<Cart>> {
    let query = carts::table.filter(carts::active_user_id.eq(user.as_str())).select(CartRow::as_select());
    let row = query.get_result(conn).await.optional()?;
    complete(conn, row).await
}

/// Carts by id.
pub(super) async fn by_id(conn: &mut Conn, page: &PageRequest<String>) -> Answer<Vec<Cart>> {
    let after = page.after.as_deref().and_then(|id| id.parse().ok()).unwrap_or_default();
    let query = carts::table.filter(carts::id.gt(DbUuid(after))).order(carts::id).limit(one_more(page.limit));
    let rows: Vec<CartRow<'static>> = query.select(CartRow::as_select()).load(conn).await?;
    let mut carts = Vec::with_capacity(rows.len());
    for row in rows {
        carts.extend(complete(conn, Some(row)).await?);
    }
    Ok(carts)
}

async fn complete(conn: &mut Conn, row: Option<CartRow<'static>>) -> Answer<Option<Cart>> {
    let Some(row) = row else { return Ok(None) };
    dialect::pipeline!(conn; items = items(conn, &[row.id]), codes = codes(conn, &[row.id]));
    row.into_cart(items, &codes).map(Some)
}

/// The lines of carts as they are written.
pub(super) async fn items(conn: &mut Conn, carts: &[DbUuid]) -> QueryResult<Vec<CartItemRow<'static>>> {
    let query = cart_items::table.filter(dialect::in_list(cart_items::cart_id, carts.iter().copied()));
    query.order((cart_items::cart_id, cart_items::position)).select(CartItemRow::as_select()).load(conn).await
}

/// The codes of carts as they are written.
pub(super) async fn codes(conn: &mut Conn, carts: &[DbUuid]) -> QueryResult<Vec<CartCodeRow<'static>>> {
    let query = cart_codes::table.filter(dialect::in_list(cart_codes::cart_id, carts.iter().copied()));
    query.order((cart_codes::cart_id, cart_codes::position)).select(CartCodeRow::as_select()).load(conn).await
}
