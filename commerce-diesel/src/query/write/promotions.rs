//! Promotions and their uses.

use std::collections::BTreeMap;

use commerce_core::commit::Facts;
use commerce_core::ids::PromotionId;
use commerce_core::promotion::{Redemption, RedemptionChange, Tally};
use diesel::prelude::*;

use super::super::{Answer, Conn, RunQueryDsl, dialect};
use crate::changes::Changes;
use crate::id::Id;
use crate::rows::promotion::{CustomerUsesRow, PromotionRow, RedemptionRow, UsesRow};
use crate::rows::{counter, micros};
use crate::schema::{promotion_customers, promotion_redemptions, promotion_uses, promotions};
use crate::update::update_row;

/// Writes the promotions, and the uses of those that were used, in the order of their ids.
pub(super) async fn write(conn: &mut Conn, changes: &Changes<'_>, settled: &Facts) -> Answer<()> {
    for draft in changes.campaigns.values() {
        let row = PromotionRow::of(draft.document)?;
        if draft.new {
            dialect::insert_all(conn, promotions::table, [row]).await?;
        } else {
            let known = promotions::id.eq(row.id.as_ref());
            update_row::<PromotionRow<'static>, _, _, _>(promotions::table, known, &row).execute(conn).await?;
        }
    }
    write_tallies(conn, &settled.tallies).await
}

/// Writes the uses that changed, in the order of promotions.
pub(in super::super) async fn write_tallies(conn: &mut Conn, tallies: &BTreeMap<PromotionId, Tally>) -> Answer<()> {
    for (id, tally) in tallies.iter().filter(|(_, tally)| !tally.changes().is_empty()) {
        write_uses(conn, id, tally).await?;
        write_customers(conn, id, tally).await?;
        for change in tally.changes() {
            write_redemption(conn, change).await?;
        }
    }
    Ok(())
}

async fn write_uses(conn: &mut Conn, id: &PromotionId, tally: &Tally) -> QueryResult<()> {
    let row = UsesRow::of(id, tally.used(), tally.spent());
    let known = promotion_uses::promotion_id.eq(id.as_str());
    let update = update_row::<UsesRow<'static>, _, _, _>(promotion_uses::table, known, &row);
    if update.execute(conn).await? == 0 {
        dialect::insert_all(conn, promotion_uses::table, [row]).await?;
    }
    Ok(())
}

async fn write_customers(conn: &mut Conn, id: &PromotionId, tally: &Tally) -> QueryResult<()> {
    for (user, used) in tally.by_customer() {
        let (promotion_id, user_id) = (id.as_str().into(), user.as_str().into());
        let row = CustomerUsesRow { promotion_id, user_id, used: counter(*used) };
        let known =
            promotion_customers::promotion_id.eq(id.as_str()).and(promotion_customers::user_id.eq(user.as_str()));
        let update = update_row::<CustomerUsesRow<'static>, _, _, _>(promotion_customers::table, known, &row);
        if update.execute(conn).await? == 0 {
            dialect::insert_all(conn, promotion_customers::table, [row]).await?;
        }
    }
    Ok(())
}

async fn write_redemption(conn: &mut Conn, change: &RedemptionChange) -> QueryResult<()> {
    match change {
        RedemptionChange::Add(redemption) => {
            dialect::insert_all(conn, promotion_redemptions::table, [RedemptionRow::of(redemption)]).await
        }
        RedemptionChange::GiveBack(redemption) => give_back(conn, redemption).await,
    }
}

async fn give_back(conn: &mut Conn, redemption: &Redemption) -> QueryResult<()> {
    let known = promotion_redemptions::table.find((redemption.promotion.as_str(), Id(redemption.order.uuid())));
    let at = promotion_redemptions::given_back_at.eq(redemption.given_back_at.map(micros));
    diesel::update(known).set(at).execute(conn).await?;
    Ok(())
}
