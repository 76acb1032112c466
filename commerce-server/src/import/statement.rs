//! Statements of payment processors, from CSV files.
//!
//! A file is a balance report of Stripe ("Balance change from activity", itemized), or a plain one of any processor. The names of its
//! columns tell which. Amounts are in major units, times are UTC.

use std::io::Read;

use chrono::{DateTime, NaiveDateTime, Utc};
use commerce_core::money::Money;
use commerce_core::reconciliation::{LineKind, Reconciliation, StatementLine};

use super::row::Reader;
use super::sheet::Rows;
use super::{Known, SheetError};

/// The columns of a plain statement. `kind` is payment, capture, refund, dispute, fee or payout. `amount` is positive if the shop
/// received it, `fee` if the shop paid it. Without `net`, it is the amount less the fee.
pub const PLAIN: Known =
    Known { required: &["id", "kind", "reference", "amount", "currency", "time"], optional: &["fee", "net"] };

/// The columns of a balance report of Stripe.
pub const STRIPE: Known = Known {
    required: &["balance_transaction_id", "reporting_category", "source_id", "gross", "currency", "created_utc"],
    optional: &["fee", "net"],
};

/// The names of columns that differ between kinds of files.
#[derive(Clone, Copy)]
struct Names {
    id: &'static str,
    kind: &'static str,
    reference: &'static str,
    gross: &'static str,
    time: &'static str,
}

const IN_PLAIN: Names = Names { id: "id", kind: "kind", reference: "reference", gross: "amount", time: "time" };

const IN_STRIPE: Names = Names {
    id: "balance_transaction_id",
    kind: "reporting_category",
    reference: "source_id",
    gross: "gross",
    time: "created_utc",
};

/// Reads a statement into a reconciliation. Returns the number of lines.
///
/// # Errors
/// [`SheetError`]: the file is not a statement, or has bad lines, the first [`MAX_FLAWS`](super::MAX_FLAWS) of which are named.
pub fn read_statement(file: impl Read, into: &mut Reconciliation) -> Result<usize, SheetError> {
    let is_stripe = |name: &str| name.trim().eq_ignore_ascii_case(IN_STRIPE.id);
    let kind = |columns: &csv::StringRecord| if columns.iter().any(is_stripe) { STRIPE } else { PLAIN };
    let rows = Rows::read_as(file, kind, |number, reader| {
        let line = read_line(number, reader)?;
        into.take(line).map_err(|refused| reader.refuse(refused.to_string())).ok()
    })?;
    if rows.flaws.is_empty() { Ok(rows.good.len()) } else { Err(SheetError::Flaws(rows.flaws)) }
}

fn read_line(number: u64, reader: &mut Reader<'_>) -> Option<StatementLine> {
    let is_stripe = reader.text(IN_STRIPE.id).is_some();
    let names = if is_stripe { IN_STRIPE } else { IN_PLAIN };
    let id = reader.value(names.id, "the id of the line", not_empty);
    let kind = if is_stripe {
        reader.text(names.kind).map(kind_of_category)
    } else {
        reader.value(names.kind, "one of payment, capture, refund, dispute, fee, payout", plain_kind)
    };
    let reference = reader.text(names.reference).unwrap_or_default().to_owned();
    if kind == Some(LineKind::Payment) && reference.is_empty() {
        reader.note(names.reference, "is empty");
    }
    let at = reader.value(names.time, "a time such as 2026-02-16T09:30:00Z", time);
    let gross = reader.money(names.gross)?;
    let fee = optional_money(reader, "fee", Some(Money::zero(gross.currency())))?;
    let net = optional_money(reader, "net", gross.minus(fee).ok())?;
    Some(StatementLine { number, id: id?, kind: kind?, reference, gross, fee, net, at: at? })
}

/// The amount in a column that may be absent or empty.
fn optional_money(reader: &mut Reader<'_>, column: &str, default: Option<Money>) -> Option<Money> {
    if reader.text(column).unwrap_or_default().is_empty() { default } else { reader.money(column) }
}

fn not_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whatever else changes the balance of an account at Stripe (adjustments, reserves, top-ups) is listed as unknown to the shop.
fn kind_of_category(category: &str) -> LineKind {
    match category {
        "fee" | "network_cost" | "tax" => LineKind::Fee,
        "payout" | "payout_reversal" | "payout_minimum_balance_hold" | "payout_minimum_balance_release" => {
            LineKind::Payout
        }
        _ => LineKind::Payment,
    }
}

fn plain_kind(kind: &str) -> Option<LineKind> {
    match kind {
        "payment" | "capture" | "refund" | "dispute" => Some(LineKind::Payment),
        "fee" => Some(LineKind::Fee),
        "payout" => Some(LineKind::Payout),
        _ => None,
    }
}

/// RFC 3339, or as Stripe writes it.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let written = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").map(|time| time.and_utc());
    DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).or(written).ok()
}
