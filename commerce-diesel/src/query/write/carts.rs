//! Carts.

use diesel::prelude::*;

use super::super::{Answer, Conn, RunQueryDsl, carts, dialect};
use crate::changes::{Changes, Draft};
use crate::id::Id;
use crate::rows::cart::{CartCodeRow, CartItemRow, CartRow};
use crate::rows::place;
use crate::schema::{cart_codes, cart_items, carts as heads};
use crate::update::update_row;
use commerce_core::cart::{Cart, CartStatus};

/// Writes carts: those that close first, so that a customer's next one finds the place of the active cart free.
pub(super) async fn write(conn: &mut Conn, changes: &Changes<'_>) -> Answer<()> {
    let (active, closed): (Vec<_>, Vec<_>) =
        changes.carts.values().partition(|draft| draft.document.status == CartStatus::Active);
    for draft in closed.into_iter().chain(active) {
        write_cart(conn, draft).await?;
    }
    Ok(())
}

async fn write_cart(conn: &mut Conn, draft: &Draft<'_, Cart>) -> Answer<()> {
    let cart = draft.document;
    let row = CartRow::of(cart);
    if draft.new {
        dialect::insert_all(conn, heads::table, [row]).await?;
        dialect::insert_all(conn, cart_items::table, CartItemRow::all(cart)).await?;
        dialect::insert_all(conn, cart_codes::table, CartCodeRow::all(cart)).await?;
        return Ok(());
    }
    let known = heads::id.eq(row.id);
    update_row::<CartRow<'static>, _, _, _>(heads::table, known, &row).execute(conn).await?;
    write_items(conn, row.id, cart).await?;
    write_codes(conn, row.id, cart).await?;
    Ok(())
}

/// Most changes touch one line or none, so the lines are compared before any is written.
async fn write_items(conn: &mut Conn, id: Id, cart: &Cart) -> QueryResult<()> {
    let old = carts::items(conn, id).await?;
    let new: Vec<_> = CartItemRow::all(cart).collect();
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    if same < old.len() {
        let rest = cart_items::table.filter(cart_items::cart_id.eq(id)).filter(cart_items::position.ge(place(same)));
        diesel::delete(rest).execute(conn).await?;
    }
    dialect::insert_all(conn, cart_items::table, new.into_iter().skip(same)).await
}

async fn write_codes(conn: &mut Conn, id: Id, cart: &Cart) -> QueryResult<()> {
    let old = carts::codes(conn, id).await?;
    let new: Vec<_> = CartCodeRow::all(cart).collect();
    if old == new {
        return Ok(());
    }
    diesel::delete(cart_codes::table.filter(cart_codes::cart_id.eq(id))).execute(conn).await?;
    dialect::insert_all(conn, cart_codes::table, new).await
}
