//! Idempotency records.

use std::borrow::Cow;

use commerce_core::commit::{IdempotencyKey, IdempotencyRecord, RecordedReply};
use diesel::prelude::*;

use super::{CowStr, counter, micros, read, read_counter, read_instant};
use crate::fault::Answer;
use crate::schema::idempotency_keys;

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = idempotency_keys)]
pub(crate) struct IdempotencyRow<'a> {
    pub(crate) scope: CowStr<'a>,
    pub(crate) request_key: CowStr<'a>,
    pub(crate) fingerprint: CowStr<'a>,
    pub(crate) given_at: i64,
    pub(crate) order_version: Option<i64>,
    pub(crate) reply: CowStr<'a>,
}

impl<'a> IdempotencyRow<'a> {
    pub(crate) fn of(record: &'a IdempotencyRecord) -> Self {
        let (order_version, reply) = match &record.reply {
            RecordedReply::Text(text) => (None, Cow::Borrowed(text.as_str())),
            RecordedReply::Order(id, version) => (Some(counter(*version)), Cow::Owned(id.to_string())),
        };
        Self {
            scope: Cow::Borrowed(&record.key.scope),
            request_key: Cow::Borrowed(&record.key.key),
            fingerprint: Cow::Borrowed(&record.fingerprint),
            given_at: micros(record.at),
            order_version,
            reply,
        }
    }

    pub(crate) fn into_record(self) -> Answer<IdempotencyRecord> {
        let reply = match self.order_version {
            None => RecordedReply::Text(self.reply.into_owned()),
            Some(version) => RecordedReply::Order(
                read("idempotency_keys.reply", &self.reply)?,
                read_counter("idempotency_keys.order_version", version)?,
            ),
        };
        Ok(IdempotencyRecord {
            key: IdempotencyKey { scope: self.scope.into_owned(), key: self.request_key.into_owned() },
            fingerprint: self.fingerprint.into_owned(),
            reply,
            at: read_instant("idempotency_keys.given_at", self.given_at)?,
        })
    }
}
