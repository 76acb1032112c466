//! Orders.

use std::collections::BTreeMap;

use commerce_core::document::{Claim, ClaimKind};
use commerce_core::ids::{OrderId, ReturnId, UserId};
use commerce_core::order::{Order, Phase, Return};
use commerce_core::port::{OrderFilter, OrderRef, Page, PageRequest, ReturnFilter};
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::{Answer, Conn, Fault, RunQueryDsl, dialect, history, listing, one_more};
use crate::db_enum::DbEnum;
use crate::rows::micros;
use crate::rows::order::{Head, OrderRow, Parts, PaymentRow, RefundRow, ReturnLineRow, ReturnRow, ShipmentRow};
use crate::schema::{claims, orders, payments, refunds, return_lines, returns, shipments};

/// Orders with what each has exactly one of. The outer joins make every database begin with the orders.
macro_rules! heads {
    () => {
        orders::table
            .left_join(payments::table.on(payments::id.eq(orders::payment_id)))
            .left_join(shipments::table.on(shipments::order_id.eq(orders::id)))
            .select((
                OrderRow::as_select(),
                Option::<PaymentRow<'static>>::as_select(),
                Option::<ShipmentRow<'static>>::as_select(),
            ))
    };
}

/// An order.
pub(in super::super) async fn get(conn: &mut Conn, order_ref: &OrderRef) -> Answer<Option<Order>> {
    let Some(id) = resolve(conn, order_ref).await? else { return Ok(None) };
    let heads = heads!().filter(orders::id.eq(id)).load(conn).await?;
    Ok(complete(conn, heads).await?.pop())
}

async fn resolve(conn: &mut Conn, order_ref: &OrderRef) -> QueryResult<Option<DbUuid>> {
    match order_ref {
        OrderRef::Id(id) => Ok(Some(DbUuid(id.uuid()))),
        OrderRef::Number(number) => {
            let claim = Claim::new(ClaimKind::OrderNumber, number);
            let query = claims::table.find((claim.kind.name(), claim.key)).select(claims::owner);
            let owner: Option<String> = query.get_result(conn).await.optional()?;
            Ok(owner.and_then(|id| id.parse().ok()).map(DbUuid))
        }
        OrderRef::Payment(id) => {
            let query = payments::table.filter(payments::id.eq(DbUuid(id.uuid()))).select(payments::order_id);
            query.get_result(conn).await.optional()
        }
        OrderRef::Return(id) => {
            let query = returns::table.filter(returns::id.eq(DbUuid(id.uuid()))).select(returns::order_id);
            query.get_result(conn).await.optional()
        }
    }
}

/// Orders, newest first.
pub(in super::super) async fn list(
    conn: &mut Conn,
    filter: &OrderFilter,
    page: &PageRequest<OrderId>,
) -> Answer<Page<Order, OrderId>> {
    let mut query = heads!().into_boxed::<dialect::Db>();
    if let Some(user) = &filter.user {
        query = query.filter(orders::user_id.eq(user.as_str()));
    }
    if let Some(status) = &filter.status {
        query = query.filter(orders::status.eq(status.as_str()));
    }
    if let Some(from) = filter.from {
        query = query.filter(orders::created_at.ge(micros(from)));
    }
    if let Some(to) = filter.to {
        query = query.filter(orders::created_at.lt(micros(to)));
    }
    if let Some(after) = page.after {
        query = query.filter(orders::id.lt(DbUuid(after.uuid())));
    }
    let heads = query.order(orders::id.desc()).limit(one_more(page.limit)).load(conn).await?;
    Ok(listing(complete(conn, heads).await?, page.limit, |order| order.id))
}

/// Returns with their orders, newest first.
pub(in super::super) async fn list_returns(
    conn: &mut Conn,
    filter: &ReturnFilter,
    page: &PageRequest<ReturnId>,
) -> Answer<Page<(OrderId, Return), ReturnId>> {
    let joined = returns::table.inner_join(orders::table.on(orders::id.eq(returns::order_id)));
    let mut query = joined.select(ReturnRow::as_select()).into_boxed::<dialect::Db>();
    if let Some(user) = &filter.user {
        query = query.filter(orders::user_id.eq(user.as_str()));
    }
    if let Some(order) = filter.order {
        query = query.filter(returns::order_id.eq(DbUuid(order.uuid())));
    }
    if let Some(status) = filter.status {
        query = query.filter(returns::status.eq(status.db_name()));
    }
    if let Some(after) = page.after {
        query = query.filter(returns::id.lt(DbUuid(after.uuid())));
    }
    let rows: Vec<ReturnRow<'_>> = query.order(returns::id.desc()).limit(one_more(page.limit)).load(conn).await?;
    let mut parts = Parts::new(BTreeMap::new(), Vec::new(), Vec::new(), lines(conn, &rows).await?);
    let read = |row: &ReturnRow<'_>| Ok((OrderId::new(row.order_id.0), parts.read_return(row)?));
    let found = rows.iter().map(read).collect::<Answer<_>>()?;
    Ok(listing(found, page.limit, |(_, known)| known.id))
}

/// How many orders of a customer stand.
pub(in super::super) async fn standing(conn: &mut Conn, user: &UserId) -> Answer<u32> {
    let over = Phase::ALL.into_iter().filter(|phase| phase.is_undone()).map(Phase::name);
    let of = orders::table.filter(orders::user_id.eq(user.as_str()));
    let standing = over.fold(of.into_boxed::<dialect::Db>(), |query, phase| query.filter(orders::phase.ne(phase)));
    let count: i64 = standing.count().get_result(conn).await?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

type JoinedRow = (OrderRow<'static>, Option<PaymentRow<'static>>, Option<ShipmentRow<'static>>);

async fn complete(conn: &mut Conn, heads: Vec<JoinedRow>) -> Answer<Vec<Order>> {
    let ids: Vec<DbUuid> = heads.iter().map(|(order, ..)| order.id).collect();
    let mut parts = parts(conn, &ids).await?;
    heads.into_iter().map(|row| parts.assemble(head(row)?)).collect()
}

fn head((order, payment, shipment): JoinedRow) -> Answer<Head> {
    let payment = payment.ok_or(Fault::Corrupt("orders.payment_id"))?;
    Ok((order, payment, shipment))
}

async fn parts(conn: &mut Conn, orders: &[DbUuid]) -> Answer<Parts> {
    if orders.is_empty() {
        return Ok(Parts::default());
    }
    dialect::pipeline!(conn;
        placed = placed(conn, orders),
        repaid = repaid(conn, orders),
        back = back(conn, orders),
    );
    let lines = lines(conn, &back).await?;
    Ok(Parts::new(placed, repaid, back, lines))
}

async fn placed(conn: &mut Conn, orders: &[DbUuid]) -> Answer<BTreeMap<OrderId, Order>> {
    let orders: Vec<OrderId> = orders.iter().map(|id| OrderId::new(id.0)).collect();
    history::placed(conn, &orders).await
}

async fn repaid(conn: &mut Conn, orders: &[DbUuid]) -> QueryResult<Vec<RefundRow<'static>>> {
    let query = refunds::table.filter(dialect::in_list(refunds::order_id, orders.iter().copied()));
    query.order((refunds::order_id, refunds::position)).select(RefundRow::as_select()).load(conn).await
}

async fn back(conn: &mut Conn, orders: &[DbUuid]) -> QueryResult<Vec<ReturnRow<'static>>> {
    let query = returns::table.filter(dialect::in_list(returns::order_id, orders.iter().copied()));
    query.order((returns::order_id, returns::position)).select(ReturnRow::as_select()).load(conn).await
}

async fn lines(conn: &mut Conn, returns: &[ReturnRow<'_>]) -> QueryResult<Vec<ReturnLineRow>> {
    if returns.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = dialect::in_list(return_lines::return_id, returns.iter().map(|row| row.id));
    let query = return_lines::table.filter(wanted).order((return_lines::return_id, return_lines::position));
    query.select(ReturnLineRow::as_select()).load(conn).await
}
