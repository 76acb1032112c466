//! Reconciliation: what a shop booked against the statement of its payment processor.
//!
//! Both sides are grouped by what moved the money (the processor's reference, or our id of the operation) and by currency.
//! A group is matched if both sums agree, so a refund that the processor paid, took back and paid again still matches one refund of
//! the shop.
//!
//! Every line of the statement is in exactly one bucket, and so is every booked amount:
//!
//! | bucket | statement | booked |
//! |---|---|---|
//! | matched | lines of a group whose sums agree | amounts of it |
//! | theirs without ours | other lines that move the money of a payment | |
//! | ours without theirs | | other amounts |
//! | fees | lines that are only a fee; the fees of all other lines | |
//! | payouts | transfers to the bank account of the shop | |
//!
//! [`Totals::remainder`] is what the buckets of a statement leave of its net amount. It is computed independently of them, from
//! the stated net amounts.

use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use thiserror::Error;

use crate::money::{Currency, Money, MoneyError};
use crate::payment::{CaptureMode, OperationKind, OperationState, Payment};

/// An amount that the shop knows to have moved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Booked {
    /// Our id of the operation.
    pub operation: String,
    /// The processor's id of the operation, if known.
    pub reference: Option<String>,
    /// Positive if the shop received it.
    pub amount: Money,
    pub at: DateTime<Utc>,
}

/// The meaning of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// Money of a payment: a capture, a refund, a dispute, or the reversal of one.
    Payment,
    /// A fee that belongs to no payment.
    Fee,
    /// A transfer to the bank account of the shop.
    Payout,
}

/// A line of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StatementLine {
    /// Its number in the file, from 1.
    pub number: u64,
    /// The processor's id of the line, unique within a statement.
    pub id: String,
    pub kind: LineKind,
    /// The processor's id of the operation, or ours.
    pub reference: String,
    /// Positive if the shop received it.
    pub gross: Money,
    /// Positive if the shop paid it.
    pub fee: Money,
    /// The change of the balance: gross less fee.
    pub net: Money,
    pub at: DateTime<Utc>,
}

/// Why a line is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum LineRefused {
    #[error("{id} is on line {first} already")]
    Doubled { id: String, first: u64 },
    #[error("{gross} less {fee} is not {net}")]
    WrongNet { gross: Money, fee: Money, net: Money },
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// Why a line or an amount has no counterpart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The other side does not know the operation.
    Unknown,
    /// The other side knows it in another currency.
    CurrencyDiffers,
    /// The other side has this sum.
    AmountDiffers(Money),
}

/// What one side has, and the other has not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Unmatched {
    /// The line of the statement. `None`: an amount of ours.
    pub line: Option<u64>,
    pub reference: String,
    pub amount: Money,
    pub reason: Reason,
}

/// A number of entries and their sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Bucket {
    pub count: u64,
    pub sum: Money,
}

/// The buckets of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// The lines of the statement; the sum of their net amounts.
    pub statement: Bucket,
    /// What the shop booked in the period of the statement, and what was booked at another time and is in the statement.
    pub booked: Bucket,
    /// Lines of operations on which both sides agree.
    pub matched: Bucket,
    /// Lines of payments without such an operation.
    pub theirs_without_ours: Bucket,
    /// Booked amounts that the statement lacks.
    pub ours_without_theirs: Bucket,
    /// Lines that are only a fee; the sum of all fees, negative if the shop paid them.
    pub fees: Bucket,
    /// Transfers to the bank account, negative.
    pub payouts: Bucket,
    /// What the buckets leave of the net amount of the statement.
    pub remainder: Money,
}

/// The result of a reconciliation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Report {
    pub totals: BTreeMap<Currency, Totals>,
    /// By line.
    pub theirs_without_ours: Vec<Unmatched>,
    pub ours_without_theirs: Vec<Unmatched>,
}

/// A reconciliation in progress: first what the shop booked, then the lines, then the [report](Reconciliation::finish).
#[derive(Clone, Debug, Default)]
pub struct Reconciliation {
    /// By what moved the money.
    groups: BTreeMap<String, BTreeMap<Currency, Group>>,
    /// The processor's ids of our operations.
    aliases: BTreeMap<String, String>,
    /// The number of each line, by its id.
    lines: BTreeMap<String, u64>,
    totals: BTreeMap<Currency, Totals>,
    period: Option<Period>,
}

impl Payment {
    /// What is known to have moved, for a reconciliation.
    pub fn booked(&self) -> impl Iterator<Item = Booked> {
        let moved = self.operations.iter().filter(|operation| operation.state == OperationState::Succeeded);
        moved.filter_map(|operation| {
            let amount = match operation.kind {
                OperationKind::Authorize if self.capture == CaptureMode::Automatic => operation.amount,
                OperationKind::Capture if operation.sent > 0 => operation.amount,
                OperationKind::Refund | OperationKind::Dispute => operation.amount.times(-1).ok()?,
                OperationKind::Authorize | OperationKind::Capture | OperationKind::Void => return None,
            };
            let reference = operation.reference.as_ref().map(ToString::to_string);
            Some(Booked { operation: operation.id.to_string(), reference, amount, at: operation.updated_at })
        })
    }
}

/// The first and the last instant of a statement.
type Period = (DateTime<Utc>, DateTime<Utc>);

/// What both sides have of one operation in one currency.
#[derive(Clone, Debug, Default)]
struct Group {
    ours: Vec<(DateTime<Utc>, Money)>,
    theirs: Vec<(u64, Money)>,
}

impl Reconciliation {
    /// Adds an amount of the shop. Several amounts of one operation are added up.
    pub fn book(&mut self, booked: Booked) {
        let Booked { operation, reference, amount, at } = booked;
        let key = match reference {
            Some(reference) => {
                self.aliases.insert(operation, reference.clone());
                reference
            }
            None => operation,
        };
        self.group(key, amount.currency()).ours.push((at, amount));
    }

    /// Adds a line of the statement.
    ///
    /// # Errors
    /// [`LineRefused`]. The line is then not part of the statement.
    pub fn take(&mut self, line: StatementLine) -> Result<(), LineRefused> {
        let StatementLine { number, id, kind, reference, gross, fee, net, at } = line;
        if gross.minus(fee)? != net {
            return Err(LineRefused::WrongNet { gross, fee, net });
        }
        match self.lines.entry(id) {
            Entry::Occupied(known) => {
                return Err(LineRefused::Doubled { id: known.key().clone(), first: *known.get() });
            }
            Entry::Vacant(free) => free.insert(number),
        };
        let (from, to) = self.period.unwrap_or((at, at));
        self.period = Some((from.min(at), to.max(at)));
        let totals = self.totals.entry(gross.currency()).or_insert_with(|| Totals::none(gross.currency()));
        totals.statement.add(net)?;
        totals.fees.sum = totals.fees.sum.minus(fee)?;
        match kind {
            LineKind::Payment => {
                let key = self.aliases.get(&reference).cloned().unwrap_or(reference);
                self.group(key, gross.currency()).theirs.push((number, gross));
                Ok(())
            }
            LineKind::Fee => Ok(totals.fees.add(gross)?),
            LineKind::Payout => Ok(totals.payouts.add(gross)?),
        }
    }

    /// Compares both sides.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn finish(self) -> Result<Report, MoneyError> {
        let Self { groups, totals, period, .. } = self;
        let mut report = Report { totals, ..Report::default() };
        for (reference, sides) in &groups {
            for (currency, side) in sides {
                report.compare(reference, (*currency, side), sides, period)?;
            }
        }
        report.theirs_without_ours.sort_by_key(|unmatched| unmatched.line);
        for totals in report.totals.values_mut() {
            totals.settle()?;
        }
        Ok(report)
    }

    fn group(&mut self, key: String, currency: Currency) -> &mut Group {
        self.groups.entry(key).or_default().entry(currency).or_default()
    }
}

impl Group {
    const fn has_both_sides(&self) -> bool {
        !self.ours.is_empty() && !self.theirs.is_empty()
    }
}

fn sum<T>(currency: Currency, entries: &[(T, Money)]) -> Result<Money, MoneyError> {
    Money::sum(currency, entries.iter().map(|(_, amount)| *amount))
}

impl Report {
    /// Whether nothing is left on either side.
    pub const fn is_settled(&self) -> bool {
        self.theirs_without_ours.is_empty() && self.ours_without_theirs.is_empty()
    }

    /// Puts what one operation moved in one currency into its buckets.
    fn compare(
        &mut self,
        reference: &str,
        (currency, group): (Currency, &Group),
        all: &BTreeMap<Currency, Group>,
        period: Option<Period>,
    ) -> Result<(), MoneyError> {
        let (ours, theirs) = (sum(currency, &group.ours)?, sum(currency, &group.theirs)?);
        let is_matched = group.has_both_sides() && ours == theirs;
        let totals = self.totals.entry(currency).or_insert_with(|| Totals::none(currency));
        let reason = |other: Money| match () {
            () if group.has_both_sides() => Reason::AmountDiffers(other),
            () if all.len() > 1 => Reason::CurrencyDiffers,
            () => Reason::Unknown,
        };
        let unmatched = |line, amount, reason| Unmatched { line, reference: reference.into(), amount, reason };
        for (line, amount) in &group.theirs {
            if is_matched {
                totals.matched.add(*amount)?;
            } else {
                totals.theirs_without_ours.add(*amount)?;
                self.theirs_without_ours.push(unmatched(Some(*line), *amount, reason(ours)));
            }
        }
        let is_in_period = |at| period.is_none_or(|(from, to)| (from..=to).contains(at));
        let counted = group.ours.iter().filter(|(at, _)| !group.theirs.is_empty() || is_in_period(at));
        for (_, amount) in counted {
            totals.booked.add(*amount)?;
            if !is_matched {
                totals.ours_without_theirs.add(*amount)?;
                self.ours_without_theirs.push(unmatched(None, *amount, reason(theirs)));
            }
        }
        Ok(())
    }
}

impl Totals {
    const fn none(currency: Currency) -> Self {
        let none = Bucket { count: 0, sum: Money::zero(currency) };
        Self {
            statement: none,
            booked: none,
            matched: none,
            theirs_without_ours: none,
            ours_without_theirs: none,
            fees: none,
            payouts: none,
            remainder: none.sum,
        }
    }

    fn settle(&mut self) -> Result<(), MoneyError> {
        let buckets = [self.matched, self.theirs_without_ours, self.fees, self.payouts];
        self.remainder = buckets.iter().try_fold(self.statement.sum, |left, bucket| left.minus(bucket.sum))?;
        Ok(())
    }
}

impl Bucket {
    fn add(&mut self, amount: Money) -> Result<(), MoneyError> {
        self.sum = self.sum.plus(amount)?;
        self.count = self.count.saturating_add(1);
        Ok(())
    }
}
