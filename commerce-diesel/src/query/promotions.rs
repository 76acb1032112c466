//! Promotions and their uses.

use std::collections::BTreeMap;

use commerce_core::commit::Needs;
use commerce_core::ids::{OrderId, PromotionId, UserId};
use commerce_core::money::Money;
use commerce_core::port::{KeptPromotion, Listing, Page, PromotionPlace};
use commerce_core::promotion::{Campaign, Promotion, Redemption, Tally, Usage};
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::{Answer, Conn, RunQueryDsl, dialect, listing, one_more};
use crate::rows::promotion::{CustomerUsesRow, PromotionRow, RedemptionRow, UsesRow};
use crate::rows::{micros, read, read_counter};
use crate::schema::{promotion_customers, promotion_redemptions, promotion_uses, promotions};

type KeptRow = (PromotionRow<'static>, Option<UsesRow<'static>>);

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
    let mut rows: Vec<KeptRow> = kept!().filter(automatic).order(order).load(conn).await?;
    if !keys.is_empty() {
        let given = dialect::among(promotions::code_key, keys.iter().map(String::as_str));
        let coded: Vec<KeptRow> = kept!().filter(given).order(order).load(conn).await?;
        rows.extend(coded);
        rows.sort_by(|(left, _), (right, _)| (left.created_at, &left.id).cmp(&(right.created_at, &right.id)));
    }
    let by_customer = uses_by(conn, user, &rows).await?;
    rows.into_iter()
        .map(|row| {
            let KeptPromotion { campaign, usage } = into_kept(row)?;
            let used_by_customer = by_customer.get(campaign.id().as_str()).copied().unwrap_or_default();
            Ok(campaign.candidate(Usage { used_by_customer, ..usage }))
        })
        .collect()
}

async fn uses_by(conn: &mut Conn, user: &UserId, of: &[KeptRow]) -> Answer<BTreeMap<String, u64>> {
    if of.is_empty() {
        return Ok(BTreeMap::new());
    }
    let pairs = of.iter().map(|(promotion, _)| (promotion.id.as_ref(), user.as_str()));
    let columns = (promotion_customers::promotion_id, promotion_customers::user_id);
    let query = promotion_customers::table.filter(dialect::among(columns, pairs));
    let rows: Vec<CustomerUsesRow<'static>> = query.select(CustomerUsesRow::as_select()).load(conn).await?;
    let uses = |row: CustomerUsesRow<'static>| {
        Ok((row.promotion_id.into_owned(), read_counter("promotion_customers.used", row.used)?))
    };
    rows.into_iter().map(uses).collect()
}

fn into_kept((row, uses): KeptRow) -> Answer<KeptPromotion> {
    let campaign = row.into_campaign()?;
    let (used, spent) = uses.map_or((0, 0), |uses| (uses.used, uses.spent));
    let budget_used = Some(Money::new(spent, campaign.promotion.currency()));
    let usage = Usage { used: read_counter("promotion_uses.used", used)?, used_by_customer: 0, budget_used };
    Ok(KeptPromotion { campaign, usage })
}

/// A promotion.
pub(in super::super) async fn get(conn: &mut Conn, id: &PromotionId) -> Answer<Option<KeptPromotion>> {
    let row: Option<KeptRow> = kept!().filter(promotions::id.eq(id.as_str())).get_result(conn).await.optional()?;
    row.map(into_kept).transpose()
}

/// Promotions, newest first.
pub(in super::super) async fn list(
    conn: &mut Conn,
    page: &Page<PromotionPlace>,
) -> Answer<Listing<KeptPromotion, PromotionPlace>> {
    let mut query = kept!().into_boxed::<dialect::Db>();
    if let Some(PromotionPlace { created_at, id }) = &page.after {
        let at = micros(*created_at);
        let beside = promotions::created_at.eq(at).and(promotions::id.gt(id.as_str().to_owned()));
        query = query.filter(promotions::created_at.le(at)).filter(promotions::created_at.lt(at).or(beside));
    }
    let query = query.order((promotions::created_at.desc(), promotions::id)).limit(one_more(page.limit));
    let rows: Vec<KeptRow> = query.load(conn).await?;
    let kept = rows.into_iter().map(into_kept).collect::<Answer<Vec<_>>>()?;
    let place = |c: &Campaign| PromotionPlace { created_at: c.created_at, id: c.id().clone() };
    Ok(listing(kept, page.limit, |kept| place(&kept.campaign)))
}

/// The uses of a promotion, newest first.
pub(in super::super) async fn redemptions(
    conn: &mut Conn,
    id: &PromotionId,
    page: &Page<OrderId>,
) -> Answer<Listing<Redemption, OrderId>> {
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
pub(super) async fn versions(conn: &mut Conn, needs: &Needs<'_>) -> Answer<BTreeMap<PromotionId, u64>> {
    if needs.campaigns.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = dialect::among(promotions::id, needs.campaigns.iter().map(|id| id.as_str()));
    let query = promotions::table.filter(wanted).order(promotions::id).select((promotions::id, promotions::version));
    let rows: Vec<(String, i64)> = dialect::for_update!(query).load(conn).await?;
    let known =
        |(id, version): (String, i64)| Ok((read("promotions.id", &id)?, read_counter("promotions.version", version)?));
    rows.into_iter().map(known).collect()
}

/// The uses of promotions that a batch takes or gives back.
pub(super) async fn tallies(conn: &mut Conn, needs: &Needs<'_>) -> Answer<BTreeMap<PromotionId, Tally>> {
    if needs.tallies.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = dialect::among(promotion_uses::promotion_id, needs.tallies.keys().map(|id| id.as_str()));
    let query = promotion_uses::table.filter(wanted).order(promotion_uses::promotion_id).select(UsesRow::as_select());
    // The lock first: under it nothing of the rest can move.
    dialect::together!(conn;
        uses = dialect::for_update!(query).load::<UsesRow<'static>>(conn),
        mut customers = customers(conn, needs),
        mut live = live(conn, needs),
    );
    let mut tallies = BTreeMap::new();
    for row in uses {
        let id: PromotionId = read("promotion_uses.promotion_id", &row.promotion_id)?;
        let used = read_counter("promotion_uses.used", row.used)?;
        let by_customer = customers.remove(&id).unwrap_or_default();
        let known = live.remove(&id).unwrap_or_default();
        tallies.insert(id, Tally::new(used, row.spent, by_customer, known));
    }
    Ok(tallies)
}

type Customers = BTreeMap<PromotionId, BTreeMap<UserId, u64>>;

async fn customers(conn: &mut Conn, needs: &Needs<'_>) -> Answer<Customers> {
    let pairs = needs.tallies.iter().flat_map(|(id, who)| who.iter().map(|(user, _)| (id.as_str(), user.as_str())));
    let columns = (promotion_customers::promotion_id, promotion_customers::user_id);
    let query = promotion_customers::table.filter(dialect::among(columns, pairs));
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

async fn live(conn: &mut Conn, needs: &Needs<'_>) -> Answer<BTreeMap<PromotionId, Vec<Redemption>>> {
    let pairs =
        needs.tallies.iter().flat_map(|(id, who)| who.iter().map(|(_, order)| (id.as_str(), DbUuid(order.uuid()))));
    let columns = (promotion_redemptions::promotion_id, promotion_redemptions::order_id);
    let query = promotion_redemptions::table.filter(dialect::among(columns, pairs));
    let query = query.filter(promotion_redemptions::given_back_at.is_null());
    let rows: Vec<RedemptionRow<'static>> = query.select(RedemptionRow::as_select()).load(conn).await?;
    let mut live: BTreeMap<PromotionId, Vec<Redemption>> = BTreeMap::new();
    for row in rows {
        let redemption = row.into_redemption()?;
        live.entry(redemption.promotion.clone()).or_default().push(redemption);
    }
    Ok(live)
}
