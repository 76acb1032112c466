//! Receipts of idempotent requests.

use std::borrow::Cow;

use commerce_core::commit::{Receipt, ReceiptKey};
use diesel::prelude::*;

use super::{Words, micros, read_instant};
use crate::fault::Answer;
use crate::schema::idempotency_keys;

/// A receipt.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = idempotency_keys)]
pub(crate) struct ReceiptRow<'a> {
    pub(crate) scope: Words<'a>,
    pub(crate) request_key: Words<'a>,
    pub(crate) fingerprint: Words<'a>,
    pub(crate) given_at: i64,
    pub(crate) reply: Words<'a>,
}

impl<'a> ReceiptRow<'a> {
    pub(crate) fn of(receipt: &'a Receipt) -> Self {
        Self {
            scope: Cow::Borrowed(&receipt.key.scope),
            request_key: Cow::Borrowed(&receipt.key.key),
            fingerprint: Cow::Borrowed(&receipt.fingerprint),
            given_at: micros(receipt.at),
            reply: Cow::Borrowed(&receipt.reply),
        }
    }

    pub(crate) fn into_receipt(self) -> Answer<Receipt> {
        Ok(Receipt {
            key: ReceiptKey { scope: self.scope.into_owned(), key: self.request_key.into_owned() },
            fingerprint: self.fingerprint.into_owned(),
            reply: self.reply.into_owned(),
            at: read_instant("idempotency_keys.given_at", self.given_at)?,
        })
    }
}
