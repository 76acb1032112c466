//! Promotions and their uses.

use std::collections::{BTreeMap, BTreeSet};

use commerce_core::commit::ReadSet;
use commerce_core::document::{DocumentFilter, DocumentId, DocumentKind};
use commerce_core::ids::{OrderId, PromotionId, UserId};
use commerce_core::money::Money;
use commerce_core::port::{Page, PageRequest, PromotionCursor, PromotionWithUsage};
use commerce_core::promotion::{Promotion, PromotionRecord, Redemption, Usage, UsageCounter};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::loaded_state::Rows;
use super::{Answer, Conn, RunQueryDsl, dialect, documents, listing, one_more};
use crate::rows::promotion::{RedemptionRow, UsesRow};
use crate::rows::{read, read_counter};
use crate::schema::{promotion_redemptions, promotion_uses};

/// The redemptions of some promotions that count.
macro_rules! live_of {
    ($promotions:expr, $of:expr) => {
        promotion_redemptions::table
            .filter(dialect::in_list(promotion_redemptions::promotion_id, $promotions))
            .filter($of)
            .filter(promotion_redemptions::released_at.is_null())
    };
}

/// The number of rows by key.
macro_rules! counted {
    ($rows:expr, $key:expr) => {
        $rows.group_by($key).select(($key, count_star()))
    };
}

/// The candidates for a customer with these codes.
pub(in super::super) async fn candidates(conn: &mut Conn, codes: &[String], user: &UserId) -> Answer<Vec<Promotion>> {
    let mut keys: Vec<String> = codes.iter().map(|code| PromotionRecord::key_of_code(code)).collect();
    keys.push(PromotionRecord::AUTOMATIC.to_owned());
    let filter = DocumentFilter { keys: vec![keys], ..DocumentFilter::default() };
    let mut promotions: Vec<PromotionRecord> = documents::all(conn, DocumentKind::Promotion, &filter).await?;
    promotions.sort_by(|one, other| (one.created_at, one.id()).cmp(&(other.created_at, other.id())));
    let ids: Vec<&str> = promotions.iter().map(|record| record.id().as_str()).collect();
    dialect::pipeline!(conn; uses = uses_of(conn, &ids), by_customer = uses_by(conn, user, &ids));
    let usage = |record: &PromotionRecord| {
        let used_by_customer = by_customer.get(record.id().as_str()).copied().unwrap_or_default();
        Usage { used_by_customer, ..usage(record, &uses) }
    };
    Ok(promotions.iter().map(|record| record.candidate(usage(record))).collect())
}

/// Uses and amount (in minor units) by promotion.
type Uses = BTreeMap<String, (u64, i64)>;

async fn uses_of(conn: &mut Conn, promotions: &[&str]) -> Answer<Uses> {
    if promotions.is_empty() {
        return Ok(Uses::new());
    }
    let wanted = dialect::in_list(promotion_uses::promotion_id, promotions.iter().copied());
    let rows: Vec<UsesRow<'static>> =
        promotion_uses::table.filter(wanted).select(UsesRow::as_select()).load(conn).await?;
    let uses = |row: UsesRow<'static>| {
        Ok((row.promotion_id.into_owned(), (read_counter("promotion_uses.used", row.used)?, row.spent)))
    };
    rows.into_iter().map(uses).collect()
}

async fn uses_by(conn: &mut Conn, user: &UserId, promotions: &[&str]) -> Answer<BTreeMap<String, u64>> {
    if promotions.is_empty() {
        return Ok(BTreeMap::new());
    }
    let query = live_of!(promotions.iter().copied(), promotion_redemptions::user_id.eq(user.as_str()));
    let rows: Vec<(String, i64)> = counted!(query, promotion_redemptions::promotion_id).load(conn).await?;
    let uses = |(promotion, used)| Ok((promotion, read_counter("promotion_redemptions", used)?));
    rows.into_iter().map(uses).collect()
}

fn usage(record: &PromotionRecord, uses: &Uses) -> Usage {
    let (used, spent) = uses.get(record.id().as_str()).copied().unwrap_or_default();
    let budget_used = Some(Money::new(spent, record.promotion.currency()));
    Usage { used, used_by_customer: 0, budget_used }
}

async fn with_usage(conn: &mut Conn, promotions: Vec<PromotionRecord>) -> Answer<Vec<PromotionWithUsage>> {
    let ids: Vec<&str> = promotions.iter().map(|record| record.id().as_str()).collect();
    let uses = uses_of(conn, &ids).await?;
    let kept = |record: PromotionRecord| PromotionWithUsage { usage: usage(&record, &uses), record };
    Ok(promotions.into_iter().map(kept).collect())
}

pub(in super::super) async fn get(conn: &mut Conn, id: &PromotionId) -> Answer<Option<PromotionWithUsage>> {
    let found = documents::get(conn, &DocumentId::new(DocumentKind::Promotion, id)).await?;
    Ok(with_usage(conn, found.into_iter().collect()).await?.pop())
}

/// Promotions, newest first.
pub(in super::super) async fn list(
    conn: &mut Conn,
    filter: &DocumentFilter,
    page: &PageRequest<PromotionCursor>,
) -> Answer<Page<PromotionWithUsage, PromotionCursor>> {
    let after = page.after.as_ref().map(|place| (place.created_at, place.id.as_str()));
    let found = documents::newest(conn, DocumentKind::Promotion, filter, (after, page.limit)).await?;
    let place = |c: &PromotionRecord| PromotionCursor { created_at: c.created_at, id: c.id().clone() };
    Ok(listing(with_usage(conn, found).await?, page.limit, |kept| place(&kept.record)))
}

/// The redemptions of a promotion, newest first.
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

/// The usage counters that a batch changes.
#[allow(clippy::match_same_arms, reason = "the arms are equal if nothing has to be locked")]
pub(super) async fn usage_counters(
    conn: &mut Conn,
    read_set: &ReadSet<'_>,
    rows: Rows,
) -> Answer<BTreeMap<PromotionId, UsageCounter>> {
    if read_set.usage_counters.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = dialect::in_list(promotion_uses::promotion_id, ids(read_set));
    let query = promotion_uses::table.filter(wanted).order(promotion_uses::promotion_id).select(UsesRow::as_select());
    // The lock comes first: it protects all other rows.
    dialect::pipeline!(conn;
        uses = async {
            match rows {
                Rows::Locked => dialect::for_update!(query).load::<UsesRow<'static>>(conn).await,
                Rows::Read => query.load(conn).await,
            }
        },
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

fn ids<'r>(read_set: &'r ReadSet<'_>) -> impl Iterator<Item = &'r str> {
    read_set.usage_counters.keys().map(|id| id.as_str())
}

type Customers = BTreeMap<PromotionId, BTreeMap<UserId, u64>>;

/// The uses by the customers of a read set, of each of its promotions.
async fn customers(conn: &mut Conn, read_set: &ReadSet<'_>) -> Answer<Customers> {
    let users: BTreeSet<_> = read_set.usage_counters.values().flat_map(|needed| &needed.customers).collect();
    if users.is_empty() {
        return Ok(Customers::new());
    }
    let users = users.into_iter().map(|user| user.as_str());
    let query = live_of!(ids(read_set), dialect::in_list(promotion_redemptions::user_id, users));
    let key = (promotion_redemptions::promotion_id, promotion_redemptions::user_id);
    let rows: Vec<((String, String), i64)> = counted!(query, key).load(conn).await?;
    let mut customers = Customers::new();
    for ((promotion, user), used) in rows {
        let promotion = read("promotion_redemptions.promotion_id", &promotion)?;
        let user = read("promotion_redemptions.user_id", &user)?;
        customers.entry(promotion).or_default().insert(user, read_counter("promotion_redemptions", used)?);
    }
    Ok(customers)
}

/// The uses by the orders of a read set, of each of its promotions.
async fn live(conn: &mut Conn, read_set: &ReadSet<'_>) -> Answer<BTreeMap<PromotionId, Vec<Redemption>>> {
    let orders: BTreeSet<_> = read_set.usage_counters.values().flat_map(|needed| &needed.orders).collect();
    if orders.is_empty() {
        return Ok(BTreeMap::new());
    }
    let orders = orders.into_iter().map(|order| DbUuid(order.uuid()));
    let query = live_of!(ids(read_set), dialect::in_list(promotion_redemptions::order_id, orders));
    let rows: Vec<RedemptionRow<'static>> = query.select(RedemptionRow::as_select()).load(conn).await?;
    let mut live: BTreeMap<PromotionId, Vec<Redemption>> = BTreeMap::new();
    for row in rows {
        let redemption = row.into_redemption()?;
        live.entry(redemption.promotion.clone()).or_default().push(redemption);
    }
    Ok(live)
}
