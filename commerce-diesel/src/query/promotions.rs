//! Promotions and their uses.

use std::collections::BTreeMap;

use commerce_core::commit::Needs;
use commerce_core::document::{Document, DocumentId, DocumentKind};
use commerce_core::ids::{OrderId, PromotionId, UserId};
use commerce_core::money::Money;
use commerce_core::port::{KeptPromotion, Listing, Page, PromotionPlace};
use commerce_core::promotion::{Campaign, Promotion, Redemption, Tally, Usage};
use diesel::prelude::*;

use super::{Answer, Conn, RunQueryDsl, dialect, documents, listing, one_more};
use crate::id::Id;
use crate::rows::promotion::{CustomerUsesRow, RedemptionRow, UsesRow};
use crate::rows::{read, read_counter};
use crate::schema::{promotion_customers, promotion_redemptions, promotion_uses};

/// The candidates for a customer who gave some codes.
pub(in super::super) async fn candidates(conn: &mut Conn, codes: &[String], user: &UserId) -> Answer<Vec<Promotion>> {
    let mut keys: Vec<String> = codes.iter().map(|code| Campaign::key_of_code(code)).collect();
    keys.push(Campaign::AUTOMATIC.to_owned());
    let found = documents::with_keys(conn, DocumentKind::Promotion, &keys).await?;
    let campaigns = found.into_iter().map(campaign).collect::<Answer<Vec<_>>>()?;
    let ids: Vec<&str> = campaigns.iter().map(|campaign| campaign.id().as_str()).collect();
    dialect::together!(conn; uses = uses_of(conn, &ids), by_customer = uses_by(conn, user, &ids));
    let usage = |campaign: &Campaign| {
        let used_by_customer = by_customer.get(campaign.id().as_str()).copied().unwrap_or_default();
        Usage { used_by_customer, ..usage(campaign, &uses) }
    };
    Ok(campaigns.iter().map(|campaign| campaign.candidate(usage(campaign))).collect())
}

fn campaign(document: Document) -> Answer<Campaign> {
    Ok(document.try_into()?)
}

/// Uses and minor units per promotion.
type Uses = BTreeMap<String, (u64, i64)>;

async fn uses_of(conn: &mut Conn, promotions: &[&str]) -> Answer<Uses> {
    if promotions.is_empty() {
        return Ok(Uses::new());
    }
    let wanted = dialect::among(promotion_uses::promotion_id, promotions.iter().copied());
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
    let pairs = promotions.iter().map(|promotion| (*promotion, user.as_str()));
    let columns = (promotion_customers::promotion_id, promotion_customers::user_id);
    let query = promotion_customers::table.filter(dialect::among(columns, pairs));
    let rows: Vec<CustomerUsesRow<'static>> = query.select(CustomerUsesRow::as_select()).load(conn).await?;
    let uses = |row: CustomerUsesRow<'static>| {
        Ok((row.promotion_id.into_owned(), read_counter("promotion_customers.used", row.used)?))
    };
    rows.into_iter().map(uses).collect()
}

fn usage(campaign: &Campaign, uses: &Uses) -> Usage {
    let (used, spent) = uses.get(campaign.id().as_str()).copied().unwrap_or_default();
    let budget_used = Some(Money::new(spent, campaign.promotion.currency()));
    Usage { used, used_by_customer: 0, budget_used }
}

async fn with_usage(conn: &mut Conn, found: Vec<Document>) -> Answer<Vec<KeptPromotion>> {
    let campaigns = found.into_iter().map(campaign).collect::<Answer<Vec<_>>>()?;
    let ids: Vec<&str> = campaigns.iter().map(|campaign| campaign.id().as_str()).collect();
    let uses = uses_of(conn, &ids).await?;
    let kept = |campaign: Campaign| KeptPromotion { usage: usage(&campaign, &uses), campaign };
    Ok(campaigns.into_iter().map(kept).collect())
}

/// A promotion.
pub(in super::super) async fn get(conn: &mut Conn, id: &PromotionId) -> Answer<Option<KeptPromotion>> {
    let found = documents::get(conn, &DocumentId::new(DocumentKind::Promotion, id)).await?;
    Ok(with_usage(conn, found.into_iter().collect()).await?.pop())
}

/// Promotions, newest first.
pub(in super::super) async fn list(
    conn: &mut Conn,
    page: &Page<PromotionPlace>,
) -> Answer<Listing<KeptPromotion, PromotionPlace>> {
    let after = page.after.as_ref().map(|place| (place.created_at, place.id.as_str()));
    let found = documents::newest(conn, DocumentKind::Promotion, after, page.limit).await?;
    let place = |c: &Campaign| PromotionPlace { created_at: c.created_at, id: c.id().clone() };
    Ok(listing(with_usage(conn, found).await?, page.limit, |kept| place(&kept.campaign)))
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
        query = query.filter(promotion_redemptions::order_id.lt(Id(after.uuid())));
    }
    let query = query.order(promotion_redemptions::order_id.desc()).limit(one_more(page.limit));
    let rows: Vec<RedemptionRow<'static>> = query.load(conn).await?;
    let redemptions = rows.into_iter().map(RedemptionRow::into_redemption).collect::<Answer<Vec<_>>>()?;
    Ok(listing(redemptions, page.limit, |redemption| redemption.order))
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
    let pairs = needs.tallies.iter().flat_map(|(id, who)| who.iter().map(|(_, order)| (id.as_str(), Id(order.uuid()))));
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
