//! Orders.

use diesel::prelude::*;

use super::super::{Answer, Conn, RunQueryDsl, dialect};
use crate::changes::{Changes, OrderDraft};
use crate::rows::order::{AddressRow, ItemRow, OrderRow, OrderState, PaymentRow, RefundRow, ReturnRow};
use crate::schema::{orders, payments, refunds, return_lines, returns, shipments};
use crate::update::update_row;

/// Writes new orders whole, and of others what has changed.
pub(in super::super) async fn write(conn: &mut Conn, changes: &Changes<'_>) -> Answer<()> {
    insert(conn, changes).await?;
    for draft in changes.orders.values().filter(|draft| draft.quote.is_none()) {
        update(conn, draft).await?;
    }
    for draft in changes.orders.values() {
        write_parts(conn, draft).await?;
    }
    Ok(())
}

async fn insert(conn: &mut Conn, changes: &Changes<'_>) -> QueryResult<()> {
    let new = || changes.orders.values().filter_map(|draft| Some((draft.order, draft.quote?)));
    dialect::insert_each(conn, new().map(|(order, quote)| OrderRow::of(order, quote))).await?;
    dialect::insert_each(conn, new().map(|(order, _)| PaymentRow::of(order))).await?;
    dialect::insert_each(conn, new().map(|(order, _)| AddressRow::of(order))).await?;
    dialect::insert_each(conn, new().flat_map(|(order, _)| ItemRow::all(order))).await
}

async fn update(conn: &mut Conn, draft: &OrderDraft<'_>) -> QueryResult<()> {
    let state = OrderState::of(draft.order);
    let known = orders::id.eq(state.id);
    update_row::<OrderState<'static>, _, _, _>(orders::table, known, &state).execute(conn).await?;
    if draft.payment {
        let row = PaymentRow::of(draft.order);
        let known = payments::id.eq(row.id);
        update_row::<PaymentRow<'static>, _, _, _>(payments::table, known, &row).execute(conn).await?;
    }
    Ok(())
}

async fn write_parts(conn: &mut Conn, draft: &OrderDraft<'_>) -> QueryResult<()> {
    if let Some(row) = draft.shipment() {
        diesel::delete(shipments::table.find(row.order_id)).execute(conn).await?;
        dialect::insert_all(conn, shipments::table, [row]).await?;
    }
    dialect::insert_all(conn, refunds::table, draft.new_refunds()).await?;
    for row in draft.changed_refunds() {
        let known = refunds::order_id.eq(row.order_id).and(refunds::position.eq(row.position));
        update_row::<RefundRow<'static>, _, _, _>(refunds::table, known, &row).execute(conn).await?;
    }
    for (row, lines) in draft.new_returns() {
        dialect::insert_all(conn, returns::table, [row]).await?;
        dialect::insert_all(conn, return_lines::table, lines).await?;
    }
    for row in draft.changed_returns() {
        let known = returns::id.eq(row.id);
        update_row::<ReturnRow<'static>, _, _, _>(returns::table, known, &row).execute(conn).await?;
    }
    Ok(())
}
