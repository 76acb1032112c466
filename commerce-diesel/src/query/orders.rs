//! Orders: the event that created an order has what was placed; its row has the state.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use commerce_core::document::DocumentKind;
use commerce_core::ids::{OrderId, ReturnId, UserId};
use commerce_core::order::{Order, OrderEvent, Phase, Return, Unpaid};
use commerce_core::payment::Payment;
use commerce_core::port::{OrderFilter, OrderRef, Page, PageRequest, ReturnFilter};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_bulk::DbUuid;
use uuid::Builder;

use super::{Answer, Conn, Fault, RunQueryDsl, dialect, listing, one_more};
use crate::db_enum::DbEnum;
use crate::fixed::{around, fixed};
use crate::rows::document::read_document;
use crate::rows::event::ORDER;
use crate::rows::{micros, read_instant, read_stored};
use crate::schema::sql_types::Id;
use crate::schema::{document_keys, events, orders, returns};

/// Orders with the events that created them.
macro_rules! orders_with_events {
    () => {
        orders_with_events!((orders::state, events::body.nullable()))
    };
    ($columns:expr) => {{
        let created = events::stream_kind.eq(ORDER).and(events::sequence.eq(1));
        let of_order = events::stream_id.eq(fixed::<Text>(dialect::STREAM_OF_ORDER));
        let joined = orders::table.left_join(events::table.on(created.and(of_order)));
        joined.select($columns).into_boxed::<dialect::Db>()
    }};
}

/// The one that is referred to.
macro_rules! referred {
    ($query:expr, $order_ref:expr) => {
        match $order_ref {
            OrderRef::Id(id) => $query.filter(orders::id.eq(DbUuid(id.uuid()))),
            OrderRef::Payment(id) => $query.filter(orders::payment_id.eq(DbUuid(id.uuid()))),
            // Not `IN`: PostgreSQL might look at all orders for the one that is named.
            OrderRef::Number(number) => {
                let number = number.to_string().into_sql::<Text>();
                $query.filter(orders::id.eq(around::<Id, _>(dialect::ORDER_OF_NUMBER, number, ")")))
            }
            OrderRef::Return(id) => {
                let id = DbUuid(id.uuid()).into_sql::<Id>();
                $query.filter(orders::id.eq(around::<Id, _>("(SELECT order_id FROM returns WHERE id = ", id, ")")))
            }
        }
    };
}

pub(in super::super) async fn get(conn: &mut Conn, order_ref: &OrderRef) -> Answer<Option<Order>> {
    let rows: Vec<Row> = referred!(orders_with_events!(), order_ref).load(conn).await?;
    rows.into_iter().next().map(assemble).transpose()
}

/// An order with its payment.
pub(in super::super) async fn with_payment(
    conn: &mut Conn,
    order_ref: &OrderRef,
) -> Answer<Option<(Order, Option<Payment>)>> {
    // Not a join: PostgreSQL might read all payments of a new shop.
    let payment = fixed::<Nullable<Text>>(dialect::PAYMENT_OF_ORDER);
    let query = orders_with_events!(((orders::state, events::body.nullable()), payment));
    let rows: Vec<(Row, Option<String>)> = referred!(query, order_ref).load(conn).await?;
    let Some((row, payment)) = rows.into_iter().next() else { return Ok(None) };
    let payment = payment.map(|body| read_document(DocumentKind::Payment, &body)).transpose()?;
    Ok(Some((assemble(row)?, payment)))
}

/// The orders with some ids.
pub(in super::super) async fn by_id(conn: &mut Conn, ids: &[OrderId]) -> Answer<Vec<Order>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = dialect::in_list(orders::id, ids.iter().map(|id| DbUuid(id.uuid())));
    let rows: Vec<Row> = orders_with_events!().filter(wanted).load(conn).await?;
    rows.into_iter().map(assemble).collect()
}

/// Orders, newest first.
pub(in super::super) async fn list(
    conn: &mut Conn,
    filter: &OrderFilter,
    page: &PageRequest<OrderId>,
) -> Answer<Page<Order, OrderId>> {
    let mut query = orders_with_events!();
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
    for key in &filter.keys {
        let found = document_keys::table.filter(document_keys::kind.eq(ORDER)).filter(document_keys::lookup.eq(key));
        query = query.filter(orders::id.eq_any(found.select(fixed::<Id>(dialect::ORDER_OF_KEY))));
    }
    if let Some(after) = page.after {
        query = query.filter(orders::id.lt(DbUuid(after.uuid())));
    }
    let rows: Vec<Row> = query.order(orders::id.desc()).limit(one_more(page.limit)).load(conn).await?;
    let found = rows.into_iter().map(assemble).collect::<Answer<Vec<_>>>()?;
    Ok(listing(found, page.limit, |order| order.id))
}

/// Returns with their orders, newest first.
pub(in super::super) async fn list_returns(
    conn: &mut Conn,
    filter: &ReturnFilter,
    page: &PageRequest<ReturnId>,
) -> Answer<Page<(OrderId, Return), ReturnId>> {
    let created = events::stream_kind.eq(ORDER).and(events::sequence.eq(1));
    let of_order = events::stream_id.eq(fixed::<Text>(dialect::STREAM_OF_ORDER));
    let joined = returns::table.inner_join(orders::table.on(orders::id.eq(returns::order_id)));
    let joined = joined.left_join(events::table.on(created.and(of_order)));
    let columns = (returns::id, (orders::state, events::body.nullable()));
    let mut query = joined.select(columns).into_boxed::<dialect::Db>();
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
    let rows: Vec<(DbUuid, Row)> = query.order(returns::id.desc()).limit(one_more(page.limit)).load(conn).await?;
    let found = rows.into_iter().map(|(id, row)| take_return(assemble(row)?, ReturnId::new(id.0)));
    let found = found.collect::<Answer<_>>()?;
    Ok(listing(found, page.limit, |(_, known)| known.id))
}

fn take_return(order: Order, id: ReturnId) -> Answer<(OrderId, Return)> {
    let mut returns = order.returns.into_iter();
    Ok((order.id, returns.find(|known| known.id == id).ok_or(Fault::Corrupt("orders.state"))?))
}

/// The number of active orders of a customer.
pub(in super::super) async fn standing(conn: &mut Conn, user: &UserId) -> Answer<u32> {
    let over = Phase::ALL.iter().filter(|phase| phase.is_undone()).map(|phase| phase.name());
    let of = orders::table.filter(orders::user_id.eq(user.as_str()));
    let standing = over.fold(of.into_boxed::<dialect::Db>(), |query, phase| query.filter(orders::phase.ne(phase)));
    let count: i64 = standing.count().get_result(conn).await?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The unpaid orders of customers that were placed after an instant.
///
/// Ids contain the time, so the index of the orders of a user leads to these orders alone.
pub(super) async fn unpaid(
    conn: &mut Conn,
    customers: &BTreeMap<&UserId, DateTime<Utc>>,
) -> Answer<BTreeMap<UserId, Unpaid>> {
    let Some(since) = customers.values().min() else { return Ok(BTreeMap::new()) };
    let of_customers = dialect::in_list(orders::user_id, customers.keys().map(|user| user.as_str()));
    let phase = orders::phase.eq(Phase::Draft.name()).or(orders::phase.eq(Phase::AwaitingPayment.name()));
    let recent = orders::id.ge(first_id(*since)).and(orders::created_at.gt(micros(*since)));
    let query = orders::table.filter(of_customers).filter(recent).filter(phase);
    let rows: Vec<(String, i64, i64)> =
        query.select((orders::user_id, orders::units, orders::created_at)).load(conn).await?;
    let mut unpaid: BTreeMap<_, _> = customers.keys().map(|user| (UserId::clone(user), Unpaid::default())).collect();
    for (user, units, at) in rows {
        if let Some(known) = unpaid.get_mut(user.as_str()) {
            *known = known.plus(units, read_instant("orders.created_at", at)?);
        }
    }
    Ok(unpaid)
}

/// An id that is not greater than those minted since an instant. Clocks of processes may differ by a minute.
fn first_id(since: DateTime<Utc>) -> DbUuid {
    let millis = u64::try_from(since.timestamp_millis()).unwrap_or_default().saturating_sub(60_000);
    DbUuid(Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid())
}

/// The state of an order, and the event that created it.
type Row = (Option<String>, Option<String>);

fn assemble((state, created): Row) -> Answer<Order> {
    let created = created.ok_or(Fault::Corrupt("events.stream_id"))?;
    let OrderEvent::Created { order } = read_stored("events.body", &created)? else {
        return Err(Fault::Corrupt("events.body"));
    };
    Ok(match state {
        Some(state) => order.with_state(read_stored("orders.state", &state)?),
        None => *order,
    })
}
