//! `commerce reconcile`: compares what the shop booked with a statement of the payment processor.

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};
use commerce_core::actor::{Actor, Role};
use commerce_core::money::{Currency, Money};
use commerce_core::reconciliation::{Bucket, Reason, Reconciliation, Report, Totals, Unmatched};
use indicatif::ProgressBar;

use super::failure::Failure;
use super::input::Input;
use super::opened::{OpenStore, block_on};
use super::{print, progress};
use crate::config::Config;
use crate::import::{SheetError, read_statement};
use crate::plural::counted;

#[derive(Debug, Args)]
pub(super) struct ReconcileArgs {
    /// A CSV file: the itemized balance report of Stripe ("Balance change from activity"), or one with the columns id, kind
    /// (payment, capture, refund, dispute, fee or payout), reference, amount, currency, time and optionally fee and net; - for the
    /// standard input. A reference is the processor's id of an operation, or the shop's.
    #[arg(value_name = "FILE", value_parser = PathBufValueParser::new().map(Input))]
    file: Input,
}

/// Prints the buckets of each currency and everything that has no counterpart. Fails if there is any, or if a line is bad.
pub(super) fn run(args: &ReconcileArgs, config: &Config) -> Result<(), Failure> {
    let mut both = block_on(booked(config))??;
    match read_statement(args.file.open()?, &mut both) {
        Ok(_) => {}
        Err(SheetError::Flaws(flaws)) => return Err(args.file.refused(&flaws, counted(flaws.len(), "bad line"))),
        Err(error) => return Err(args.file.failed(error)),
    }
    let report = both.finish().map_err(|error| args.file.failed(error))?;
    print(&written(&report))?;
    match report.theirs_without_ours.len() + report.ours_without_theirs.len() {
        0 => Ok(()),
        open => Err(Failure::Unreconciled(open)),
    }
}

/// What the shop booked.
async fn booked(config: &Config) -> Result<Reconciliation, Failure> {
    let opened = OpenStore::existing(config).await?;
    let engine = opened.engine(config, opened.currency(config, Currency::USD).await?)?;
    let bar = progress(ProgressBar::new_spinner(), "{spinner} reading: {human_pos} payments, {elapsed}");
    let both = engine.reconciliation(&ACCOUNTANT, |payments| bar.inc(payments)).await;
    bar.finish_and_clear();
    Ok(both?)
}

const ACCOUNTANT: Actor = Actor { role: Role::Admin, user: None };

fn written(report: &Report) -> String {
    let totals = report.totals.iter().map(|(currency, totals)| table(*currency, totals));
    let theirs =
        report.theirs_without_ours.iter().map(|one| sentence(one, "the shop does not know it", "the shop has"));
    let ours =
        report.ours_without_theirs.iter().map(|one| sentence(one, "the statement lacks it", "the statement has"));
    totals.chain(theirs).chain(ours).collect::<Vec<_>>().join("\n")
}

fn table(currency: Currency, totals: &Totals) -> String {
    let row = |name: &str, entries: &str, bucket: &Bucket| {
        format!("  {name:<20} {:>16} {:>18}", counted(bucket.count, entries), amount(bucket.sum))
    };
    let rows = [
        currency.to_string(),
        row("statement", "line", &totals.statement),
        row("matched", "line", &totals.matched),
        row("theirs without ours", "line", &totals.theirs_without_ours),
        row("fees", "line", &totals.fees),
        row("payouts", "line", &totals.payouts),
        format!("  {:<20} {:>16} {:>18}", "remainder", "", amount(totals.remainder)),
        row("booked", "operation", &totals.booked),
        row("ours without theirs", "operation", &totals.ours_without_theirs),
    ];
    rows.join("\n")
}

fn amount(money: Money) -> String {
    money.to_decimal().to_string()
}

fn sentence(one: &Unmatched, unknown: &str, other_side: &str) -> String {
    let line = one.line.map(|line| format!("line {line}: ")).unwrap_or_default();
    let reason = match one.reason {
        Reason::Unknown => unknown.to_owned(),
        Reason::CurrencyDiffers => format!("{other_side} it in another currency"),
        Reason::AmountDiffers(other) => format!("{other_side} {other}"),
    };
    format!("{line}{}: {}: {reason}", one.reference, one.amount)
}
