//! Rebuilding orders and the uses of promotions, stream by stream.

use std::collections::BTreeMap;

use commerce_core::commit::ReadSet;
use commerce_core::document::{Claim, ClaimKind};
use commerce_core::ids::{OrderId, PromotionId};
use commerce_core::order::{CorruptHistory, Order};
use commerce_core::promotion::UsageCounter;
use commerce_core::replay::{RebuiltOrder, ReplayError};

use diesel::prelude::*;

use super::super::{dialect, promotions};
use super::{Answer, Conn, Fault, PAGE, Progress, RunQueryDsl, history, size, write};
use crate::changes::{Changes, OrderDraft};
use crate::prepared;
use crate::rows::document::{ClaimRow, DocumentKeyRow};
use crate::rows::event::ORDER;
use crate::schema::{
    claims, document_keys, orders, promotion_customers, promotion_redemptions, promotion_uses, returns,
};

/// Rebuilds all orders. Returns their number.
pub(super) async fn rebuild(conn: &mut Conn, progress: &mut Progress<impl FnMut(u64)>) -> Answer<u64> {
    clear(conn).await?;
    let (mut after, mut count) = (String::new(), 0_u64);
    loop {
        let streams = history::order_streams(conn, &after, PAGE).await?;
        let Some(last) = streams.last() else { return Ok(count) };
        let rebuilt = fold(conn, &streams).await?;
        after.clone_from(last);
        write_orders(conn, rebuilt.iter().map(|rebuilt| &rebuilt.order)).await?;
        write_uses(conn, &rebuilt).await?;
        count = count.saturating_add(size(rebuilt.len()));
        progress.add(rebuilt.len());
    }
}

async fn clear(conn: &mut Conn) -> Answer<()> {
    diesel::delete(returns::table).execute(conn).await?;
    diesel::delete(orders::table).execute(conn).await?;
    diesel::delete(document_keys::table.filter(document_keys::kind.eq(ORDER))).execute(conn).await?;
    diesel::delete(claims::table.filter(claims::kind.eq(ClaimKind::OrderNumber.name()))).execute(conn).await?;
    diesel::delete(promotion_redemptions::table).execute(conn).await?;
    diesel::delete(promotion_customers::table).execute(conn).await?;
    diesel::delete(promotion_uses::table).execute(conn).await?;
    Ok(())
}

async fn fold(conn: &mut Conn, streams: &[String]) -> Answer<Vec<RebuiltOrder>> {
    let mut rebuilt = Vec::with_capacity(streams.len());
    for (order, entries) in history::of_streams(conn, streams).await? {
        let whole = RebuiltOrder::of(&entries).and_then(|whole| of_stream(order, whole));
        rebuilt.push(whole.map_err(|source| Fault::History(ReplayError::Order { order, source }))?);
    }
    Ok(rebuilt)
}

/// Checks that a stream creates the order that it is named after.
fn of_stream(order: OrderId, rebuilt: RebuiltOrder) -> Result<RebuiltOrder, CorruptHistory> {
    if rebuilt.order.id == order { Ok(rebuilt) } else { Err(CorruptHistory::NoBeginning) }
}

async fn write_orders(conn: &mut Conn, orders: impl Iterator<Item = &Order>) -> Answer<()> {
    let orders: Vec<&Order> = orders.collect();
    let numbers = orders.iter().map(|order| (Claim::new(ClaimKind::OrderNumber, &order.number), order.id.to_string()));
    let numbers: Vec<_> = numbers.collect();
    dialect::insert_each(conn, numbers.iter().map(|(claim, owner)| ClaimRow::of(claim, owner))).await?;
    let states = orders.iter().map(|order| prepared::state(order)).collect::<Result<Vec<_>, _>>();
    let states = states.map_err(|_| Fault::Corrupt("orders.state"))?;
    let states = states.iter().map(Option::as_deref);
    let keys: Vec<_> = orders.iter().map(|order| (order.id, order.keys())).collect();
    let keys: Vec<_> = keys.iter().flat_map(|(id, keys)| DocumentKeyRow::of_order(*id, keys)).collect();
    dialect::insert_each(conn, keys).await?;
    let drafts =
        orders.into_iter().zip(states).map(|(order, state)| (order.id, OrderDraft { new: true, order, state }));
    write::orders::write(conn, &Changes { orders: drafts.collect(), ..Changes::default() }).await
}

async fn write_uses(conn: &mut Conn, rebuilt: &[RebuiltOrder]) -> Answer<()> {
    let mut read_set = ReadSet::default();
    for (effect, _) in rebuilt.iter().flat_map(|rebuilt| &rebuilt.uses) {
        let redemption = effect.redemption();
        read_set.usage_counters.entry(&redemption.promotion).or_default().insert((&redemption.user, redemption.order));
    }
    let mut usage_counters: BTreeMap<PromotionId, UsageCounter> = promotions::usage_counters(conn, &read_set).await?;
    for (effect, at) in rebuilt.iter().flat_map(|rebuilt| &rebuilt.uses) {
        usage_counters.entry(effect.redemption().promotion.clone()).or_default().follow(effect, *at);
    }
    write::promotions::write_usage_counters(conn, &usage_counters).await
}
