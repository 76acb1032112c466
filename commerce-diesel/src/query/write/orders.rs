//! Orders.

use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::super::{Answer, Conn, RunQueryDsl, dialect};
use crate::changes::{Changes, OrderDraft};
use crate::rows::order::{OrderRow, OrderState, PaymentRow, ShipmentRow};
use crate::schema::shipments;

/// Writes new orders whole, and of others what has changed.
pub(in super::super) async fn write(conn: &mut Conn, changes: &Changes<'_>) -> Answer<()> {
    let drafts = || changes.orders.values();
    let new = || drafts().filter(|draft| draft.new).map(|draft| draft.order);
    let known = || drafts().filter(|draft| !draft.new);
    let paid = known().filter(|draft| draft.payment);
    dialect::pipeline!(conn;
        () = dialect::insert_each(conn, new().map(OrderRow::of)),
        () = dialect::insert_each(conn, new().map(PaymentRow::of)),
        () = dialect::update_each(conn, known().map(|draft| OrderState::of(draft.order))),
        () = dialect::update_each(conn, paid.map(|draft| PaymentRow::of(draft.order))),
        () = write_shipments(conn, drafts().filter_map(OrderDraft::shipment).collect()),
        () = write_refunds(conn, changes),
        () = write_returns(conn, changes),
    );
    Ok(())
}

async fn write_shipments(conn: &mut Conn, rows: Vec<ShipmentRow<'_>>) -> Answer<()> {
    let orders: Vec<DbUuid> = rows.iter().map(|row| row.order_id).collect();
    dialect::pipeline!(conn; () = clear_shipments(conn, orders), () = dialect::insert_each(conn, rows));
    Ok(())
}

async fn clear_shipments(conn: &mut Conn, orders: Vec<DbUuid>) -> QueryResult<()> {
    if orders.is_empty() {
        return Ok(());
    }
    let of = shipments::table.filter(dialect::in_list(shipments::order_id, orders));
    diesel::delete(of).execute(conn).await.map(drop)
}

async fn write_refunds(conn: &mut Conn, changes: &Changes<'_>) -> Answer<()> {
    let drafts = || changes.orders.values();
    dialect::pipeline!(conn;
        () = dialect::insert_each(conn, drafts().flat_map(OrderDraft::new_refunds)),
        () = dialect::update_each(conn, drafts().flat_map(OrderDraft::changed_refunds)),
    );
    Ok(())
}

async fn write_returns(conn: &mut Conn, changes: &Changes<'_>) -> Answer<()> {
    let drafts = || changes.orders.values();
    let (new, lines): (Vec<_>, Vec<_>) = drafts().flat_map(OrderDraft::new_returns).unzip();
    dialect::pipeline!(conn;
        () = dialect::insert_each(conn, new),
        () = dialect::insert_each(conn, lines.into_iter().flatten()),
        () = dialect::update_each(conn, drafts().flat_map(OrderDraft::changed_returns)),
    );
    Ok(())
}
