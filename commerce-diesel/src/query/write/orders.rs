//! Orders.

use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::super::{Answer, Conn, RunQueryDsl, dialect};
use crate::changes::Changes;
use crate::rows::order::{OrderRow, OrderStateRow, ReturnRow};
use crate::schema::returns;

/// Writes orders and the rows of their returns.
pub(in super::super) async fn write(conn: &mut Conn, changes: &Changes<'_>) -> Answer<()> {
    let drafts = || changes.orders.values();
    let new = drafts().filter(|draft| draft.new).map(|draft| OrderRow::of(draft.order, draft.state));
    let changed = drafts().filter(|draft| !draft.new).map(|draft| OrderStateRow::of(draft.order, draft.state));
    let returning = || drafts().map(|draft| draft.order).filter(|order| !order.returns.is_empty());
    let old = returning().map(|order| DbUuid(order.id.uuid())).collect();
    let rows: Vec<_> = returning().flat_map(ReturnRow::all).collect();
    dialect::pipeline!(conn;
        () = dialect::insert_together(conn, new),
        () = dialect::update_together(conn, changed),
        () = clear_returns(conn, old),
        () = dialect::insert_together(conn, rows),
    );
    Ok(())
}

async fn clear_returns(conn: &mut Conn, orders: Vec<DbUuid>) -> QueryResult<()> {
    if orders.is_empty() {
        return Ok(());
    }
    let of = returns::table.filter(dialect::in_list(returns::order_id, orders));
    diesel::delete(of).execute(conn).await.map(drop)
}
