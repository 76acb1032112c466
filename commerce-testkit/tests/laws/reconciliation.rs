//! A statement is compared with the books to the cent.

use chrono::DateTime;
use commerce_core::money::{Currency, Money};
use commerce_core::reconciliation::{Booked, LineKind, LineRefused, Reason, Reconciliation, Report, StatementLine};
use proptest::prelude::*;

const KINDS: [LineKind; 3] = [LineKind::Payment, LineKind::Fee, LineKind::Payout];

fn euros(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn booked(operation: u8, minor: i64) -> Booked {
    let reference = operation.is_multiple_of(2).then(|| format!("ch_{operation}"));
    Booked { operation: format!("op-{operation}"), reference, amount: euros(minor), at: DateTime::UNIX_EPOCH }
}

fn line(number: u64, reference: String, gross: i64, fee: i64) -> StatementLine {
    let (gross, fee) = (euros(gross), euros(fee));
    let net = gross.minus(fee).unwrap();
    let (id, kind, at) = (format!("txn_{number}"), LineKind::Payment, DateTime::UNIX_EPOCH);
    StatementLine { number, id, kind, reference, gross, fee, net, at }
}

fn reconcile(ours: Vec<Booked>, theirs: Vec<StatementLine>) -> Report {
    let mut both = Reconciliation::default();
    for booked in ours {
        both.book(booked);
    }
    for line in theirs {
        both.take(line).unwrap();
    }
    both.finish().unwrap()
}

/// Operations with an amount each, and lines with the operation, the amount, the fee and the kind of each.
type Both = (Vec<(u8, i64)>, Vec<(u8, i64, i64, usize)>);

fn both() -> impl Strategy<Value = Both> {
    let amount = || prop_oneof![Just(100), Just(-100), -500..500_i64];
    let ours = proptest::collection::vec((0..8_u8, amount()), 0..12);
    let theirs = proptest::collection::vec((0..8_u8, amount(), 0..20_i64, 0..3_usize), 0..12);
    (ours, theirs)
}

proptest! {
    /// Every line and every amount is in one bucket, and the buckets leave nothing.
    #[test]
    fn every_cent_is_in_one_bucket((ours, theirs) in both()) {
        let lines = theirs.iter().zip(1..).map(|((operation, gross, fee, kind), number)| {
            let reference = if operation % 3 == 0 { format!("op-{operation}") } else { format!("ch_{operation}") };
            StatementLine { kind: KINDS[*kind], ..line(number, reference, *gross, *fee) }
        });
        let report = reconcile(ours.iter().map(|(id, minor)| booked(*id, *minor)).collect(), lines.collect());
        let Some(totals) = report.totals.get(&Currency::EUR) else {
            prop_assert!(ours.is_empty() && theirs.is_empty());
            return Ok(());
        };
        prop_assert!(totals.remainder.is_zero());
        let lines = totals.matched.count + totals.theirs_without_ours.count + totals.fees.count + totals.payouts.count;
        prop_assert_eq!(lines, totals.statement.count);
        prop_assert_eq!(totals.statement.count, u64::try_from(theirs.len()).unwrap());
        prop_assert_eq!(totals.theirs_without_ours.count, u64::try_from(report.theirs_without_ours.len()).unwrap());
        let booked = totals.matched.sum.plus(totals.ours_without_theirs.sum).unwrap();
        prop_assert_eq!(booked, totals.booked.sum);
        prop_assert_eq!(totals.statement.sum.minor(), theirs.iter().map(|(_, gross, fee, _)| gross - fee).sum::<i64>());
    }

    /// A statement of what was booked is matched, by our ids or by the processor's, in any order.
    #[test]
    fn what_was_booked_is_matched(ours in proptest::collection::btree_map(0..50_u8, 1..900_i64, 1..20), fee in 0..9_i64) {
        let lines = ours.iter().rev().zip(1..).map(|((id, minor), number)| {
            let reference = if id % 2 == 0 { format!("ch_{id}") } else { format!("op-{id}") };
            line(number, reference, *minor, fee)
        });
        let report = reconcile(ours.iter().map(|(id, minor)| booked(*id, *minor)).collect(), lines.collect());
        prop_assert!(report.is_settled(), "{report:?}");
        prop_assert_eq!(report.totals[&Currency::EUR].matched.count, u64::try_from(ours.len()).unwrap());
    }
}

#[test]
fn a_difference_is_named_on_both_sides() {
    let report = reconcile(
        vec![booked(2, 6000), booked(4, 1000)],
        vec![line(1, "ch_2".into(), 5000, 0), line(2, "ch_9".into(), 7, 0)],
    );
    let named = |unmatched: &[commerce_core::reconciliation::Unmatched]| {
        unmatched.iter().map(|one| (one.line, one.amount.minor(), one.reason)).collect::<Vec<_>>()
    };
    let theirs = named(&report.theirs_without_ours);
    assert_eq!(theirs, [(Some(1), 5000, Reason::AmountDiffers(euros(6000))), (Some(2), 7, Reason::Unknown)]);
    let ours = named(&report.ours_without_theirs);
    assert_eq!(ours, [(None, 6000, Reason::AmountDiffers(euros(5000))), (None, 1000, Reason::Unknown)]);
}

#[test]
fn another_currency_is_another_payment() {
    let dollars = |minor| Money::new(minor, Currency::USD);
    let paid = StatementLine { gross: dollars(60), fee: dollars(0), net: dollars(60), ..line(1, "ch_2".into(), 60, 0) };
    let report = reconcile(vec![booked(2, 60)], vec![paid]);
    assert_eq!(report.theirs_without_ours[0].reason, Reason::CurrencyDiffers);
    assert_eq!(report.ours_without_theirs[0].reason, Reason::CurrencyDiffers);
}

#[test]
fn doubled_and_wrong_lines_are_refused() {
    let mut both = Reconciliation::default();
    both.take(line(1, "ch_2".into(), 60, 0)).unwrap();
    let again = StatementLine { number: 2, ..line(1, "ch_2".into(), 60, 0) };
    assert_eq!(both.take(again), Err(LineRefused::Doubled { id: "txn_1".into(), first: 1 }));
    let wrong = StatementLine { net: euros(59), ..line(3, "ch_2".into(), 60, 0) };
    assert!(matches!(both.take(wrong), Err(LineRefused::WrongNet { .. })));
    assert_eq!(both.finish().unwrap().totals[&Currency::EUR].statement.count, 1);
}

/// What the shop booked before or after the statement is not missing in it.
#[test]
fn only_the_period_of_the_statement_counts() {
    let later = DateTime::from_timestamp(86_400, 0).unwrap();
    let tomorrow = Booked { at: later, ..booked(4, 100) };
    let report = reconcile(vec![booked(2, 60), tomorrow], vec![line(1, "ch_2".into(), 60, 0)]);
    assert!(report.is_settled(), "{report:?}");
}
