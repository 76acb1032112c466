//! Carts.

use std::collections::BTreeMap;

use commerce_core::cart::{Cart, CartStatus};
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::super::{Answer, Conn, RunQueryDsl, carts, dialect};
use crate::changes::{Changes, Draft};
use crate::rows::cart::{CartCodeRow, CartItemRow, CartRow};
use crate::schema::{cart_codes, cart_items};

/// What is to be written of carts.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    closed: Vec<CartRow<'a>>,
    active: Vec<CartRow<'a>>,
    new: Vec<CartRow<'a>>,
    /// Carts whose lines go before any come.
    without_items: Vec<DbUuid>,
    items: Vec<CartItemRow<'a>>,
    /// Carts whose codes go before any come.
    without_codes: Vec<DbUuid>,
    codes: Vec<CartCodeRow<'a>>,
}

/// Compares carts with what is written of them: most changes touch one line or none.
pub(super) async fn plan<'a>(conn: &mut Conn, changes: &Changes<'a>) -> Answer<Plan<'a>> {
    if changes.carts.is_empty() {
        return Ok(Plan::default());
    }
    let known: Vec<DbUuid> =
        changes.carts.iter().filter(|(_, draft)| !draft.new).map(|(id, _)| DbUuid(id.uuid())).collect();
    dialect::pipeline!(conn; items = carts::items(conn, &known), codes = carts::codes(conn, &known));
    let (mut items, mut codes) = (by_cart(items, |item| item.cart_id), by_cart(codes, |code| code.cart_id));
    let mut plan = Plan::default();
    for (id, draft) in &changes.carts {
        let id = DbUuid(id.uuid());
        plan.add_head(draft);
        plan.add_items(id, &items.remove(&id).unwrap_or_default(), draft.document);
        plan.add_codes(id, &codes.remove(&id).unwrap_or_default(), draft.document);
    }
    Ok(plan)
}

fn by_cart<R>(rows: Vec<R>, cart: impl Fn(&R) -> DbUuid) -> BTreeMap<DbUuid, Vec<R>> {
    rows.into_iter().fold(BTreeMap::new(), |mut carts: BTreeMap<_, Vec<_>>, row| {
        carts.entry(cart(&row)).or_default().push(row);
        carts
    })
}

impl<'a> Plan<'a> {
    fn add_head(&mut self, draft: &Draft<'a, Cart>) {
        let heads = match draft.document.status {
            _ if draft.new => &mut self.new,
            CartStatus::Active => &mut self.active,
            CartStatus::CheckedOut | CartStatus::Expired => &mut self.closed,
        };
        heads.push(CartRow::of(draft.document));
    }

    fn add_items(&mut self, id: DbUuid, old: &[CartItemRow<'_>], cart: &'a Cart) {
        let new: Vec<_> = CartItemRow::all(cart).collect();
        if new.starts_with(old) {
            self.items.extend(new.into_iter().skip(old.len()));
        } else {
            self.without_items.push(id);
            self.items.extend(new);
        }
    }

    fn add_codes(&mut self, id: DbUuid, old: &[CartCodeRow<'_>], cart: &'a Cart) {
        let new: Vec<_> = CartCodeRow::all(cart).collect();
        if old != new {
            self.without_codes.push(id);
            self.codes.extend(new);
        }
    }
}

/// Writes carts: those that close first, so that a customer's next one finds the place of the active cart free.
pub(super) async fn write(conn: &mut Conn, plan: Plan<'_>) -> Answer<()> {
    dialect::pipeline!(conn;
        () = dialect::update_each(conn, plan.closed),
        () = dialect::update_each(conn, plan.active),
        () = dialect::insert_each(conn, plan.new),
        () = clear_items(conn, plan.without_items),
        () = dialect::insert_each(conn, plan.items),
        () = clear_codes(conn, plan.without_codes),
        () = dialect::insert_each(conn, plan.codes),
    );
    Ok(())
}

async fn clear_items(conn: &mut Conn, carts: Vec<DbUuid>) -> QueryResult<()> {
    if carts.is_empty() {
        return Ok(());
    }
    let of = cart_items::table.filter(dialect::in_list(cart_items::cart_id, carts));
    diesel::delete(of).execute(conn).await.map(drop)
}

async fn clear_codes(conn: &mut Conn, carts: Vec<DbUuid>) -> QueryResult<()> {
    if carts.is_empty() {
        return Ok(());
    }
    let of = cart_codes::table.filter(dialect::in_list(cart_codes::cart_id, carts));
    diesel::delete(of).execute(conn).await.map(drop)
}
