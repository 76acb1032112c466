//! PAY-1 to PAY-4, with several captures, voids, refunds and disputes in any order, while requests and answers are lost, late and doubled.
//! The processor is honest: it moves no money that it does not have.

use chrono::{DateTime, TimeDelta, Utc};
use commerce_core::ids::OperationId;
use commerce_core::money::Money;
use commerce_core::payment::{
    CaptureMode, DeclineCode, Finding, NewOperation, Operation, OperationAnswer, OperationKind, OperationOutcome,
    OperationState, Payment, PaymentBook, Subject, Verdict,
};
use commerce_core::port::{OperationAction, OperationRequest, PaymentToken, ProcessorEvent};
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::{order_of, parse};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use OperationKind::{Authorize, Capture, Dispute, Refund, Void};

/// Something that the shop, the processor, the customer's bank or the network does. Shares are percents; a number chooses one of several.
#[derive(Clone, Debug)]
enum Act {
    Request(OperationKind, i64, bool),
    /// The task or the customer sends an operation that is open.
    Send(usize, Verdict, Fate),
    /// The task asks about one.
    Ask(usize, Fate),
    /// An answer that was given before comes once more, or for the first time.
    Repeat(usize),
    /// The bank takes a share back, or staff refund it at the processor.
    TakeBack(OperationKind, i64),
    /// What was taken back, or a refund, is final, or the money is with the shop again.
    Settle(usize, bool),
    Wait(i64),
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    AnswerLost,
    RequestLost,
    NoConnection,
}

/// Money that went out without the shop, and whether it stayed out.
struct Foreign {
    event: ProcessorEvent,
    is_out: bool,
}

struct World {
    payment: Payment,
    book: PaymentBook,
    foreign: Vec<Foreign>,
    /// Answers and events that were given, or lost.
    given: Vec<(OperationId, OperationAnswer)>,
    now: DateTime<Utc>,
    ids: u128,
}

impl World {
    fn new(capture: CaptureMode) -> Self {
        let shop = CommitBuilder::new(1);
        let order = order_of(&shop.order(&[("MUG", 7)])).clone();
        let payment = Payment::new(&order, parse("honest"), capture, shop.at(0));
        Self { payment, book: PaymentBook::default(), foreign: Vec::new(), given: Vec::new(), now: shop.at(0), ids: 0 }
    }

    fn id(&mut self) -> OperationId {
        self.ids += 1;
        OperationId::new(uuid::Uuid::from_u128(self.ids))
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.payment.amount.currency())
    }

    /// What the processor still has of what it took.
    fn left_there(&self) -> i64 {
        let out = self.foreign.iter().filter(|foreign| foreign.is_out);
        self.book.captured() - self.book.refunded() - out.map(|foreign| foreign.event.amount.minor()).sum::<i64>()
    }

    fn open(&self, number: usize) -> Option<Operation> {
        let of_shop = |operation: &&Operation| operation.state.is_open() && operation.sent > 0;
        let open: Vec<_> = self.payment.operations.iter().filter(of_shop).cloned().collect();
        open.get(number.checked_rem(open.len())?).cloned()
    }

    fn act(&mut self, act: &Act) -> Result<(), TestCaseError> {
        match act {
            Act::Request(kind, share, is_final) => self.request(*kind, *share, *is_final)?,
            Act::Send(number, verdict, fate) => {
                if let Some(operation) = self.open(*number) {
                    self.send(&operation, verdict, *fate)?;
                }
            }
            Act::Ask(number, fate) => {
                if let Some(operation) = self.open(*number) {
                    self.ask(operation.id, *fate)?;
                }
            }
            Act::Repeat(number) => {
                if !self.given.is_empty() {
                    let (id, answer) = self.given[number % self.given.len()].clone();
                    self.record(id, &Finding::Answered(answer))?;
                }
            }
            Act::TakeBack(kind, share) => self.take_back(*kind, *share)?,
            Act::Settle(number, is_lost) => self.settle(*number, *is_lost)?,
            Act::Wait(seconds) => self.now += TimeDelta::seconds(*seconds),
        }
        self.check()
    }

    /// A request is within what is left, blocked amounts counted.
    fn request(&mut self, kind: OperationKind, share: i64, is_final: bool) -> Result<(), TestCaseError> {
        let totals = self.payment.totals();
        let whole = match kind {
            Authorize => self.payment.amount.minor(),
            Capture | Void => totals.capturable(),
            Refund | Dispute => totals.received(),
        };
        let amount = self.money(if kind == Void { whole } else { whole * share / 100 });
        let is_final = is_final && kind == Capture;
        let new = NewOperation { is_final, ..NewOperation::new(self.id(), kind, amount) };
        let before = Naive::of(&self.payment);
        if self.payment.request(new, self.now).is_err() {
            prop_assert_eq!(Naive::of(&self.payment), before, "a refused request changes nothing");
            return Ok(());
        }
        let after = Naive::of(&self.payment);
        match kind {
            Capture | Void => {
                prop_assert!(after.leaving() <= after.authorized, "PAY-1: {after:?}");
            }
            Refund => {
                prop_assert!(after.refunded + after.refunding <= after.captured, "PAY-2: {after:?}");
            }
            Authorize | Dispute => {}
        }
        Ok(())
    }

    fn send(&mut self, operation: &Operation, verdict: &Verdict, fate: Fate) -> Result<(), TestCaseError> {
        let (id, amount) = (operation.id, operation.amount);
        let finding = match fate {
            Fate::NoConnection => Finding::NotDone,
            Fate::RequestLost => Finding::Unanswered,
            Fate::Answered | Fate::AnswerLost => {
                let action = match operation.kind {
                    Authorize => OperationAction::Authorize { token: PaymentToken::new("tok".to_owned()) },
                    Capture => OperationAction::Capture { is_final: operation.is_final },
                    Void => OperationAction::Void,
                    Refund | Dispute => OperationAction::Refund,
                };
                let pays_more = operation.kind == Refund && amount.minor() > self.left_there();
                // One that is pending may come when the money is gone, so the honest processor does not hesitate with those.
                let verdict = match verdict {
                    _ if pays_more => Verdict::Declined(DeclineCode::InvalidAmount),
                    Verdict::Later(..) if operation.kind != Authorize => Verdict::Approved,
                    Verdict::Approved | Verdict::Declined(_) | Verdict::Later(..) => verdict.clone(),
                };
                let request = OperationRequest { id, payment: self.payment.terms(), amount, action };
                let answer = self.book.perform(&request, verdict);
                self.given.push((id, answer.clone()));
                if matches!(fate, Fate::Answered) { Finding::Answered(answer) } else { Finding::Unanswered }
            }
        };
        self.payment.send_again(id, self.now).map_err(|error| TestCaseError::fail(error.to_string()))?;
        self.record(id, &finding)
    }

    fn ask(&mut self, id: OperationId, fate: Fate) -> Result<(), TestCaseError> {
        self.book.settle(id);
        let answer = self.book.find(id).map(|entry| entry.answer.clone());
        self.given.extend(answer.iter().map(|answer| (id, answer.clone())));
        match (fate, answer) {
            (Fate::Answered, Some(answer)) => self.record(id, &Finding::Answered(answer)),
            (Fate::Answered, None) => self.record(id, &Finding::NotFound),
            _ => Ok(()),
        }
    }

    /// Only the processor's word ends an operation, and what it ended stays so.
    fn record(&mut self, id: OperationId, finding: &Finding) -> Result<(), TestCaseError> {
        let before = self.payment.operation(id).cloned();
        self.payment.record(id, finding.clone(), self.now).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let (Some(before), Some(after)) = (before, self.payment.operation(id)) else { return Ok(()) };
        let is_silent = matches!(finding, Finding::Unanswered);
        prop_assert!(!is_silent || before.state.is_open() == after.state.is_open(), "PAY-3: {before:?} {after:?}");
        let was_done = before.state == OperationState::Succeeded && !before.kind.pays_out();
        prop_assert!(!was_done || after.state == OperationState::Succeeded, "PAY-4: {before:?} {after:?}");
        let came_back = before.state == OperationState::Declined && before.kind.pays_out();
        prop_assert!(!came_back || after.state == OperationState::Declined, "PAY-4: {before:?} {after:?}");
        Ok(())
    }

    fn take_back(&mut self, kind: OperationKind, share: i64) -> Result<(), TestCaseError> {
        let amount = self.left_there() * share / 100;
        if amount <= 0 {
            return Ok(());
        }
        let number = self.foreign.len();
        let outcome = OperationOutcome::Pending { next: None };
        let answer =
            OperationAnswer { reference: Some(parse(&format!("out-{number}"))), ..OperationAnswer::new(outcome) };
        let (payment, id) = (Some(self.payment.id), parse(&format!("event-{number}")));
        let event =
            ProcessorEvent { id, at: self.now, payment, operation: None, kind, amount: self.money(amount), answer };
        self.foreign.push(Foreign { event: event.clone(), is_out: true });
        self.hear(&event)
    }

    /// An event is about an operation that is known, or makes one. One that is unclear comes again in the end.
    fn hear(&mut self, event: &ProcessorEvent) -> Result<(), TestCaseError> {
        let new = self.id();
        match self.payment.operation_of(event, new, self.now) {
            Subject::Operation(id) => {
                self.given.push((id, event.answer.clone()));
                self.record(id, &Finding::Answered(event.answer.clone()))
            }
            Subject::Nothing | Subject::Unclear => Ok(()),
        }
    }

    fn settle(&mut self, number: usize, is_lost: bool) -> Result<(), TestCaseError> {
        let Some(number) = number.checked_rem(self.foreign.len()) else { return Ok(()) };
        let foreign = &mut self.foreign[number];
        // What is with the shop again stays there.
        foreign.is_out &= is_lost;
        let amount = foreign.event.amount;
        let back = OperationAnswer::declined(DeclineCode::InvalidAmount).outcome;
        foreign.event.answer.outcome = if foreign.is_out { OperationOutcome::Succeeded { amount } } else { back };
        let event = foreign.event.clone();
        self.hear(&event)
    }

    /// The folds are what a naive count says, and what is done is covered.
    fn check(&self) -> Result<(), TestCaseError> {
        let (naive, totals) = (Naive::of(&self.payment), self.payment.totals());
        prop_assert_eq!((totals.authorized, totals.captured, totals.capturing), naive.taken());
        prop_assert_eq!((totals.refunded, totals.refunding), (naive.refunded, naive.refunding));
        prop_assert_eq!((totals.voided, totals.voiding), (naive.voided, naive.voiding));
        prop_assert!(naive.captured + naive.voided <= naive.authorized, "PAY-1: {naive:?}");
        // It can hear of money that was taken back before it hears that it was taken.
        let taken = naive.captured + naive.capturing + naive.authorizing;
        prop_assert!(naive.refunded <= taken, "PAY-2: {naive:?}");
        Ok(())
    }

    /// Faults stop: everything is asked about, and told again. Then the shop knows what the processor knows.
    fn converge(&mut self) -> Result<(), TestCaseError> {
        for number in 0..self.foreign.len() {
            self.settle(number, true)?;
        }
        while let Some(operation) = self.open(0) {
            self.now += TimeDelta::minutes(6);
            self.ask(operation.id, Fate::Answered)?;
        }
        for number in 0..self.foreign.len() {
            self.settle(number, true)?;
        }
        self.check()?;
        let (totals, out) = (self.payment.totals(), self.book.captured() - self.left_there());
        prop_assert_eq!((totals.captured, totals.refunded), (self.book.captured(), out));
        prop_assert_eq!((totals.capturing, totals.refunding, totals.voiding), (0, 0, 0));
        prop_assert!(totals.refunded <= totals.captured, "PAY-2: {totals:?}");
        prop_assert_eq!(totals.capturable(), self.book.held());
        Ok(())
    }
}

/// The sums of a payment, counted one by one.
#[derive(Debug, Default, PartialEq, Eq)]
struct Naive {
    authorized: i64,
    /// Perhaps held, and taken at once.
    authorizing: i64,
    captured: i64,
    capturing: i64,
    refunded: i64,
    refunding: i64,
    voided: i64,
    voiding: i64,
}

impl Naive {
    fn of(payment: &Payment) -> Self {
        let sum = |kinds: &[OperationKind], states: &[OperationState]| -> i64 {
            let counted = payment.operations.iter();
            let counted = counted.filter(|one| kinds.contains(&one.kind) && states.contains(&one.state));
            counted.map(|one| one.amount.minor()).sum()
        };
        let (done, open) = (
            [OperationState::Succeeded],
            [OperationState::Requested, OperationState::Pending, OperationState::Unknown],
        );
        let authorized = sum(&[Authorize], &done);
        let is_automatic = payment.capture == CaptureMode::Automatic;
        let at_once = if is_automatic { authorized } else { 0 };
        Self {
            authorized,
            authorizing: if is_automatic { sum(&[Authorize], &open) } else { 0 },
            captured: at_once + sum(&[Capture], &done),
            capturing: sum(&[Capture], &open),
            refunded: sum(&[Refund, Dispute], &done),
            refunding: sum(&[Refund, Dispute], &open),
            voided: sum(&[Void], &done),
            voiding: sum(&[Void], &open),
        }
    }

    const fn taken(&self) -> (i64, i64, i64) {
        (self.authorized, self.captured, self.capturing)
    }

    /// What has left the hold, or perhaps has.
    const fn leaving(&self) -> i64 {
        self.captured + self.capturing + self.voided + self.voiding
    }
}

fn act() -> impl Strategy<Value = Act> {
    let number = || 0..60_usize;
    let kind = prop_oneof![
        3 => Just(Authorize),
        5 => Just(Capture),
        1 => Just(Void),
        5 => Just(Refund),
    ];
    let share = || prop_oneof![3 => 1..=60_i64, 2 => Just(100), 1 => -1..=120_i64];
    let fate = || {
        prop_oneof![
            5 => Just(Fate::Answered), 2 => Just(Fate::AnswerLost), 1 => Just(Fate::RequestLost), 1 => Just(Fate::NoConnection)
        ]
    };
    let pending = || OperationOutcome::Pending { next: None };
    let verdict = prop_oneof![
        5 => Just(Verdict::Approved),
        1 => Just(Verdict::Declined(DeclineCode::CardDeclined)),
        1 => Just(Verdict::Later(pending(), None)),
        1 => Just(Verdict::Later(pending(), Some(DeclineCode::CardDeclined))),
    ];
    let out = select(vec![Dispute, Refund]);
    prop_oneof![
        5 => (kind, share(), any::<bool>()).prop_map(|(kind, share, is_final)| Act::Request(kind, share, is_final)),
        6 => (number(), verdict, fate()).prop_map(|(number, verdict, fate)| Act::Send(number, verdict, fate)),
        2 => (number(), fate()).prop_map(|(number, fate)| Act::Ask(number, fate)),
        1 => number().prop_map(Act::Repeat),
        1 => (out, 1..=100_i64).prop_map(|(kind, share)| Act::TakeBack(kind, share)),
        1 => (number(), any::<bool>()).prop_map(|(number, is_lost)| Act::Settle(number, is_lost)),
        1 => (0..=400_i64).prop_map(Act::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_more_moves_than_there_is(is_manual: bool, acts in vec(act(), 1..60)) {
        let mut world = World::new(if is_manual { CaptureMode::Manual } else { CaptureMode::Automatic });
        world.act(&Act::Request(Authorize, 100, false))?;
        for act in &acts {
            world.act(act)?;
        }
        world.converge()?;
    }
}
