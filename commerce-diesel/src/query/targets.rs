//! How far targets have confirmed the feed.

use commerce_core::ids::TargetName;
use commerce_core::publishing::TargetState;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};

use super::{Answer, Conn, RunQueryDsl};
use crate::rows::counter;
use crate::rows::target::TargetRow;
use crate::schema::publish_targets;

pub(in super::super) async fn get(conn: &mut Conn, name: &TargetName) -> Answer<Option<TargetState>> {
    let query = publish_targets::table.find(name.as_str()).select(TargetRow::as_select());
    let row: Option<TargetRow> = query.get_result(conn).await.optional()?;
    row.map(TargetRow::into_state).transpose()
}

pub(in super::super) async fn list(conn: &mut Conn) -> Answer<Vec<TargetState>> {
    let query = publish_targets::table.order(publish_targets::name).select(TargetRow::as_select());
    let rows: Vec<TargetRow> = query.load(conn).await?;
    rows.into_iter().map(TargetRow::into_state).collect()
}

/// Replaces the state of a target if its version is the one that was read.
pub(in super::super) async fn replace(
    conn: &mut Conn,
    before: Option<&TargetState>,
    after: Option<&TargetState>,
) -> Answer<bool> {
    let Some(before) = before else { return insert(conn, after).await };
    let same =
        publish_targets::table.find(before.name.as_str()).filter(publish_targets::version.eq(counter(before.version)));
    let found = match after {
        Some(after) => diesel::update(same).set(TargetRow::of(after)).execute(conn).await?,
        None => diesel::delete(same).execute(conn).await?,
    };
    Ok(found > 0)
}

async fn insert(conn: &mut Conn, state: Option<&TargetState>) -> Answer<bool> {
    let Some(state) = state else { return Ok(true) };
    match diesel::insert_into(publish_targets::table).values(TargetRow::of(state)).execute(conn).await {
        Ok(_) => Ok(true),
        Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
