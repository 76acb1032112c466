//! Idempotency records.

use std::borrow::Cow;

use commerce_core::commit::{IdempotencyKey, IdempotencyRecord};
use diesel::prelude::*;

use super::{CowStr, micros, read_instant};
use crate::fault::Answer;
use crate::schema::idempotency_keys;

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = idempotency_keys)]
pub(crate) struct IdempotencyRow<'a> {
    pub(crate) scope: CowStr<'a>,
    pub(crate) request_key: CowStr<'a>,
    pub(crate) fingerprint: CowStr<'a>,
    pub(crate) given_at: i64,
    pub(crate) reply: CowStr<'a>,
}

impl<'a> IdempotencyRow<'a> {
    pub(crate) fn of(record: &'a IdempotencyRecord) -> Self {
        Self {
            scope: Cow::Borrowed(&record.key.scope),
            request_key: Cow::Borrowed(&record.key.key),
            fingerprint: Cow::Borrowed(&record.fingerprint),
            given_at: micros(record.at),
            reply: Cow::Borrowed(&record.reply),
        }
    }

    pub(crate) fn into_record(self) -> Answer<IdempotencyRecord> {
        Ok(IdempotencyRecord {
            key: IdempotencyKey { scope: self.scope.into_owned(), key: self.request_key.into_owned() },
            fingerprint: self.fingerprint.into_owned(),
            reply: self.reply.into_owned(),
            at: read_instant("idempotency_keys.given_at", self.given_at)?,
        })
    }
}
