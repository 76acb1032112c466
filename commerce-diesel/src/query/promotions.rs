//! Promotions and their uses.

use std::collections::BTreeMap;

use commerce_core::commit::ReadSet;
use commerce_core::ids::{OrderId, PromotionId, UserId};
use commerce_core::money::Money;
use commerce_core::port::{Page, PageRequest, PromotionCursor, PromotionWithUsage};
use commerce_core::promotion::{Promotion, PromotionRecord, Redemption, Usage, UsageCounter};
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::{Answer, Conn, RunQueryDsl, dialect, listing, one_more};
use crate::rows::promotion::{CustomerUsesRow, PromotionRow, RedemptionRow, UsesRow};
use crate::rows::{micros, read, read_counter};
use crate::schema::{promotion_customers, promotion_redemptions, promotion_uses, promotions};

type PromotionWithUsageRow = (PromotionRow<'static>, Option<UsesRow<'static>>);

/// Promotions with their uses.
macro_rules! kept {
    () => {
        promotions::table
            .left_join(promotion_uses::table.on(promotion_uses::promotion_id.eq(promotions::id)))
            .select((PromotionRow::as_select(), Option::<UsesRow<'static>>::as_select()))
    };
}

/// The candidates for a customer who gave some codes.
pub(in super::super) async fn candidates(conn: &mut Conn, keys: &[String], user: &UserId) -> Answer<Vec<Promotion>> {
    let automatic = promotions::code_key.is_null().and(promotions::ended_at.is_null());
    let order = (promotions::created_at, promotions::id);
    let mut rows: Vec<PromotionWithUsageRow> = kept!().filter(automatic).order(order).load(conn).await?;
    if !keys.is_empty() {
        let given = dialect::in_list(promotions::code_key, keys.iter().map(String::as_str));
        let coded: Vec<PromotionWithUsageRow> = kept!().filter(given).order(order).load(conn).await?;
        rows.extend(coded);
        rows.sort_by(|(left, _), (right, _)| (left.created_at, &left.id).cmp(&(right.created_at, &right.id)));
    }
    let by_customer = uses_by(conn, user, &rows).await?;
    rows.into_iter()
        .map(|row| {
            let PromotionWithUsage { record, usage } = into_promotion_with_usage(row)?;
            let used_by_customer = by_customer.get(record.id().as_str()).copied().unwrap_or_default();
            Ok(record.candidate(Usage { used_by_customer, ..usage }))
        })
        .collect()
}

async fn uses_by(conn: &mut Conn, user: &UserId, of: &[PromotionWithUsageRow]) -> Answer<BTreeMap<String, u64>> {
    if of.is_empty() {
        return Ok(BTreeMap::new());
    }
    let pairs = of.iter().map(|(promotion, _)| (promotion.id.as_ref(), user.as_str()));
    let columns = (promotion_customers::promotion_id, promotion_customers::user_id);
    let query = promotion_customers::table.filter(dialect::in_list(columns, pairs));
    let rows: Vec<CustomerUsesRow<'static>> = query.select(CustomerUsesRow::as_select()).load(conn).await?;
    let uses = |row: CustomerUsesRow<'static>| {
        Ok((row.promotion_id.into_owned(), read_counter("promotion_customers.used", row.used)?))
    };
    rows.into_iter().map(uses).collect()
}

fn into_promotion_with_usage((row, uses): PromotionWithUsageRow) -> Answer<PromotionWithUsage> {
    let record = row.into_record()?;
    let (used, spent) = uses.map_or((0, 0), |uses| (uses.used, uses.spent));
    let budget_used = Some(Money::new(spent, record.promotion.currency()));
    let usage = Usage { used: read_counter("promotion_uses.used", used)?, used_by_customer: 0, budget_used };
    Ok(PromotionWithUsage { record, usage })
}

/// A promotion.
pub(in super::super) async fn get(conn: &mut Conn, id: &PromotionId) -> Answer<Option<PromotionWithUsage>> {
    let row: Option<PromotionWithUsageRow> =
        kept!().filter(promotions::id.eq(id.as_str())).get_result(conn).await.optional()?;
    row.map(into_promotion_with_usage).transpose()
}

/// Promotions, newest first.
pub(in super::super) async fn list(
    conn: &mut Conn,
    page: &PageRequest<PromotionCursor>,
) -> Answer<Page<PromotionWithUsage, PromotionCursor>> {
    let mut query = kept!().into_boxed::<dialect::Db>();
    if let Some(PromotionCursor { created_at, id }) = &page.after {
        let at = micros(*created_at);
        let beside = promotions::created_at.eq(at).and(promotions::id.gt(id.as_str().to_owned()));
        query = query.filter(promotions::created_at.le(at)).filter(promotions::created_at.lt(at).or(beside));
    }
    let query = query.order((promotions::created_at.desc(), promotions::id)).limit(one_more(page.limit));
    let rows: Vec<PromotionWithUsageRow> = query.load(conn).await?;
    let kept = rows.into_iter().map(into_promotion_with_usage).collect::<Answer<Vec<_>>>()?;
    let place = |c: &PromotionRecord| PromotionCursor { created_at: c.created_at, id: c.id().clone() };
    Ok(listing(kept, page.limit, |kept| place(&kept.record)))
}

/// The uses of a promotion, newest first.
pub(in super::super) async fn redemptions(
    conn: &mut Conn,
    id: &PromotionId,
    page: &PageRequest<OrderId>,
) -> Answer<Page<Redemption, OrderId>> {
    let of = promotion_redemptions::table.filter(promotion_redemptions::promotion_id.eq(id.as_str().to_owned()));
    let mut query = of.select(RedemptionRow::as_select()).into_boxed::<dialect::Db>();
    if let Some(after) = page.after {
        query = query.filter(promotion_redemptions::order_id.lt(DbUuid(after.uuid())));
    }
    let query = query.order(promotion_redemptions::order_id.desc()).limit(one_more(page.limit));
    let rows: Vec<RedemptionRow<'static>> = query.load(conn).await?;
    let redemptions = rows.into_iter().map(RedemptionRow::into_redemption).collect::<Answer<Vec<_>>>()?;
    Ok(listing(redemptions, page.limit, |redemption| redemption.order))
}

/// The versions of promotions that a batch names.
pub(super) async fn versions(conn: &mut Conn, read_set: &ReadSet<'_>) -> Answer<BTreeMap<PromotionId, u64>> {
    if read_set.promotions.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = dialect::in_list(promotions::id, read_set.promotions.iter().map(|id| id.as_str()));
    let query = promotions::table.filter(wanted).order(promotions::id).select((promotions::id, promotions::version));
    let rows: Vec<(String, i64)> = dialect::for_update!(query).load(conn).await?;
    let known =
        |(id, version): (String, i64)| Ok((read("promotions.id", &id)?, read_counter("promotions.version", version)?));
    rows.into_iter().map(known).collect()
}

/// The uses of promotions that a batch takes or gives back.
pub(super) async fn usage_counters(
    conn: &mut Conn,
    read_set: &ReadSet<'_>,
) -> Answer<BTreeMap<PromotionId, UsageCounter>> {
    if read_set.usage_counters.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = dialect::in_list(promotion_uses::promotion_id, read_set.usage_counters.keys().map(|id| id.as_str()));
    let query = promotion_uses::table.filter(wanted).order(promotion_uses::promotion_id).select(UsesRow::as_select());
    // The lock first: under it nothing of the rest can move.
    dialect::pipeline!(conn;
        uses = dialect::for_update!(query).load::<UsesRow<'static>>(conn),
        mut customers = customers(conn, read_set),
        mut live = live(conn, read_set),
    );
    let mut usage_counters = BTreeMap::new();
    for row in uses {
        let id: PromotionId = read("promotion_uses.promotion_id", &row.promotion_id)?;
        let used = read_counter("promotion_uses.used", row.used)?;
        let by_customer = customers.remove(&id).unwrap_or_default();
        let known = live.remove(&id).unwrap_or_default();
        usage_counters.insert(id, UsageCounter::new(used, row.spent, by_customer, known));
    }
    Ok(usage_counters)
}

type Customers = BTreeMap<PromotionId, BTreeMap<UserId, u64>>;

async fn customers(conn: &mut Conn, read_set: &ReadSet<'_>) -> Answer<Customers> {
    let pairs =
        read_set.usage_counters.iter().flat_map(|(id, who)| who.iter().map(|(user, _)| (id.as_str(), user.as_str())));
    let columns = (promotion_customers::promotion_id, promotion_customers::user_id);
    let query = promotion_customers::table.filter(dialect::in_list(columns, pairs));
    let rows: Vec<CustomerUsesRow<'static>> = query.select(CustomerUsesRow::as_select()).load(conn).await?;
    let mut customers = Customers::new();
    for row in rows {
        let promotion = read("promotion_customers.promotion_id", &row.promotion_id)?;
        let user = read("promotion_customers.user_id", &row.user_id)?;
        let used = read_counter("promotion_customers.used", row.used)?;
        customers.entry(promotion).or_default().insert(user, used);
    }
    Ok(customers)
}

async fn live(conn: &mut Conn, read_set: &ReadSet<'_>) -> Answer<BTreeMap<PromotionId, Vec<Redemption>>> {
    let pairs = read_set
        .usage_counters
        .iter()
        .flat_map(|(id, who)| who.iter().map(|(_, order)| (id.as_str(), DbUuid(order.uuid()))));
    let columns = (promotion_redemptions::promotion_id, promotion_redemptions::order_id);
    let query = promotion_redemptions::table.filter(dialect::in_list(columns, pairs));
    let query = query.filter(promotion_redemptions::released_at.is_null());
    let rows: Vec<RedemptionRow<'static>> = query.select(RedemptionRow::as_select()).load(conn).await?;
    let mut live: BTreeMap<PromotionId, Vec<Redemption>> = BTreeMap::new();
    for row in rows {
        let redemption = row.into_redemption()?;
        live.entry(redemption.promotion.clone()).or_default().push(redemption);
    }
    Ok(live)
}
