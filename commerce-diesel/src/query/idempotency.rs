//! Idempotency records.

use chrono::{DateTime, Utc};
use commerce_core::commit::{IdempotencyKey, IdempotencyRecord};
use diesel::prelude::*;

use super::{Answer, Conn, RunQueryDsl, dialect};
use crate::rows::idempotency::IdempotencyRow;
use crate::rows::micros;
use crate::schema::idempotency_keys;

/// The most records that one call removes. Records of the same microsecond may exceed it.
const FORGET: i64 = 1000;

pub(in super::super) async fn get(conn: &mut Conn, key: &IdempotencyKey) -> Answer<Option<IdempotencyRecord>> {
    let query = idempotency_keys::table
        .filter(idempotency_keys::scope.eq(&key.scope))
        .filter(idempotency_keys::request_key.eq(&key.key));
    let row: Option<IdempotencyRow<'static>> =
        query.select(IdempotencyRow::as_select()).get_result(conn).await.optional()?;
    row.map(IdempotencyRow::into_record).transpose()
}

/// The existing records of some keys.
pub(super) async fn in_list<'a>(
    conn: &mut Conn,
    keys: impl Iterator<Item = &'a IdempotencyKey>,
) -> Answer<Vec<IdempotencyRecord>> {
    let pairs = keys.map(|key| (key.scope.as_str(), key.key.as_str()));
    let columns = (idempotency_keys::scope, idempotency_keys::request_key);
    let query = idempotency_keys::table.filter(dialect::in_list(columns, pairs));
    let rows: Vec<IdempotencyRow<'static>> = query.select(IdempotencyRow::as_select()).load(conn).await?;
    rows.into_iter().map(IdempotencyRow::into_record).collect()
}

/// Writes a record of no request. If it stays, it is removed with the old ones.
pub(in super::super) async fn write_trial(conn: &mut Conn, key: &str, text: &str) -> Answer<()> {
    let columns = (idempotency_keys::scope.eq(""), idempotency_keys::request_key.eq(key));
    let values = (columns, idempotency_keys::fingerprint.eq(""), idempotency_keys::given_at.eq(0));
    let record = (values, idempotency_keys::reply.eq(text));
    diesel::insert_into(idempotency_keys::table).values(record).execute(conn).await?;
    Ok(())
}

pub(in super::super) async fn remove_trial(conn: &mut Conn, key: &str) -> Answer<()> {
    let of_key = idempotency_keys::scope.eq("").and(idempotency_keys::request_key.eq(key));
    diesel::delete(idempotency_keys::table.filter(of_key)).execute(conn).await?;
    Ok(())
}

/// Removes the oldest records from before an instant. Returns their number.
pub(in super::super) async fn forget(conn: &mut Conn, before: DateTime<Utc>) -> Answer<u64> {
    let old = idempotency_keys::given_at.lt(micros(before));
    let query = idempotency_keys::table.filter(old).order(idempotency_keys::given_at).offset(FORGET - 1).limit(1);
    let last: Option<i64> = query.select(idempotency_keys::given_at).get_result(conn).await.optional()?;
    let reached = idempotency_keys::given_at.le(last.unwrap_or(i64::MAX));
    let forgotten = diesel::delete(idempotency_keys::table.filter(old).filter(reached)).execute(conn).await?;
    Ok(u64::try_from(forgotten).unwrap_or(u64::MAX))
}
