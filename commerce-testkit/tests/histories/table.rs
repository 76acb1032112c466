//! The histories: orders of one mug for 100.00 USD, ten of which are in stock.

/// What the processor says of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Succeeded(&'static str),
    Pending,
    Declined,
    /// There is no answer. As what is true: the processor does not know the operation.
    Nothing,
}

/// What happens in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A webhook about an operation, counted from 0, with the shop's id of it.
    Told(usize, Word),
    /// The same with the processor's ids only.
    Named(usize, Word),
    /// A webhook about a dispute of the payment, with the processor's ids only. Pending: it was opened; declined: the money is back.
    Disputed(Word),
    /// The customer cancels.
    Cancel,
    /// Seconds pass, and tasks are done.
    Wait(i64),
}

/// What happened before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// The customer pays, with this answer.
    Pay(Word),
    /// Staff record a bank transfer.
    Receive,
    /// Staff refund a part.
    Refund(&'static str),
    /// The customer cancels.
    Cancel,
    /// Seconds pass, and tasks are done.
    Wait(i64),
}

/// Our call to the processor between whose beginning and answer the first steps happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// The customer confirms.
    Confirm,
    /// The task of the payment sends or asks.
    Task,
}

#[derive(Debug)]
pub(crate) struct History {
    pub(crate) before: &'static [Deed],
    pub(crate) call: Call,
    /// Each of them can be the answer to the call.
    pub(crate) answers: &'static [Word],
    pub(crate) steps: &'static [Step],
    /// How each operation stands at the processor. The call is about the last one.
    pub(crate) truth: &'static [Word],
    /// The end, in the words of `Shop::end`.
    pub(crate) end: &'static str,
}

use Deed::{Pay, Receive, Refund};
use Step::{Cancel, Disputed, Named, Told, Wait};
use Word::{Declined, Nothing, Pending, Succeeded};

const WHOLE: Word = Succeeded("100.00 USD");
const LESS: Word = Succeeded("90.00 USD");
const REFUND: Word = Succeeded("60.00 USD");
const REST: Word = Succeeded("40.00 USD");

const PAID: &str = "Paid, Succeeded: 100.00 USD taken, 0.00 USD paid back; refunds: ; \
    operations: authorize succeeded 100.00 USD; available 9; 1 sent";
const CANCELLED: &str = "Cancelled, Refunded: 100.00 USD taken, 100.00 USD paid back; refunds: Processed 100.00 USD; \
    operations: authorize succeeded 100.00 USD, refund succeeded 100.00 USD; available 10; 2 sent";

pub(crate) const AUTHENTICATED_THEN_PAID: History = History {
    before: &[],
    call: Call::Confirm,
    answers: &[Pending, WHOLE, Nothing],
    steps: &[Told(0, Pending), Told(0, Pending), Told(0, WHOLE), Named(0, WHOLE), Wait(5)],
    truth: &[WHOLE],
    end: PAID,
};

pub(crate) const AUTHENTICATED_THEN_DECLINED: History = History {
    before: &[],
    call: Call::Confirm,
    answers: &[Pending, Declined, Nothing],
    steps: &[Told(0, Pending), Told(0, Pending), Told(0, Declined), Named(0, Declined), Wait(5)],
    truth: &[Declined],
    end: "Cancelled, Failed: 0.00 USD taken, 0.00 USD paid back; 1 declined; refunds: ; \
        operations: authorize declined 100.00 USD; available 10; 1 sent",
};

pub(crate) const DECLINED_THEN_PAID: History = History {
    before: &[],
    call: Call::Confirm,
    answers: &[Declined, Pending, Nothing],
    steps: &[Told(0, Pending), Told(0, Declined), Told(0, Pending), Told(0, WHOLE), Named(0, WHOLE), Wait(5)],
    truth: &[WHOLE],
    end: PAID,
};

pub(crate) const UNKNOWN_THEN_FOUND: History = History {
    before: &[Pay(Nothing)],
    call: Call::Task,
    answers: &[Nothing, Pending, WHOLE],
    steps: &[Told(0, Pending), Told(0, WHOLE), Named(0, WHOLE), Wait(5), Wait(60)],
    truth: &[WHOLE],
    end: PAID,
};

/// After five minutes the shop gives up, and then the processor did it after all.
pub(crate) const GIVEN_UP_THEN_PAID: History = History {
    before: &[Pay(Nothing)],
    call: Call::Task,
    answers: &[Nothing],
    steps: &[Told(0, Pending), Told(0, WHOLE), Named(0, WHOLE), Wait(60), Wait(360)],
    truth: &[Nothing],
    end: PAID,
};

pub(crate) const CANCELLED_AND_PAID: History = History {
    before: &[],
    call: Call::Confirm,
    answers: &[WHOLE, Pending, Nothing],
    steps: &[Cancel, Told(0, Pending), Told(0, WHOLE), Named(0, WHOLE), Told(0, Pending), Wait(5), Wait(60)],
    truth: &[WHOLE],
    end: CANCELLED,
};

/// The first attempt counts as not received, and then both succeed.
pub(crate) const PAID_BY_TWO_ATTEMPTS: History = History {
    before: &[Pay(Nothing), Deed::Wait(5), Deed::Wait(60), Deed::Wait(360)],
    call: Call::Confirm,
    answers: &[WHOLE, Pending, Nothing],
    steps: &[
        Told(0, Pending),
        Told(0, WHOLE),
        Told(0, WHOLE),
        Told(1, Pending),
        Told(1, WHOLE),
        Told(1, WHOLE),
        Wait(5),
    ],
    truth: &[Nothing, WHOLE],
    end: "Paid, PartiallyRefunded: 200.00 USD taken, 100.00 USD paid back; refunds: Processed 100.00 USD; \
        operations: authorize succeeded 100.00 USD, authorize succeeded 100.00 USD, refund succeeded 100.00 USD; \
        available 9; 3 sent",
};

pub(crate) const PAID_IN_ANOTHER_WAY_TOO: History = History {
    before: &[Pay(Nothing), Receive],
    call: Call::Task,
    answers: &[WHOLE, Pending, Nothing],
    steps: &[Told(0, Pending), Told(0, WHOLE), Named(0, WHOLE), Told(0, Declined), Wait(5), Wait(60)],
    truth: &[WHOLE],
    end: "Paid, PartiallyRefunded: 200.00 USD taken, 100.00 USD paid back; refunds: Processed 100.00 USD; \
        operations: authorize succeeded 100.00 USD, capture succeeded 100.00 USD, refund succeeded 100.00 USD; \
        available 9; 2 sent",
};

pub(crate) const PAID_TOO_LITTLE: History = History {
    before: &[],
    call: Call::Confirm,
    answers: &[LESS, Pending, Nothing],
    steps: &[Told(0, Pending), Told(0, LESS), Named(0, LESS), Cancel, Wait(5)],
    truth: &[LESS],
    end: "Cancelled, Refunded: 90.00 USD taken, 90.00 USD paid back; refunds: Processed 90.00 USD; \
        operations: authorize succeeded 90.00 USD, refund succeeded 90.00 USD; available 10; 2 sent",
};

pub(crate) const REFUNDED: History = History {
    before: &[Pay(WHOLE), Refund("60.00 USD")],
    call: Call::Task,
    answers: &[REFUND, Pending, Nothing],
    steps: &[Told(0, WHOLE), Told(0, Pending), Told(1, Pending), Told(1, REFUND), Named(1, REFUND), Wait(5), Wait(60)],
    truth: &[WHOLE, REFUND],
    end: "Paid, PartiallyRefunded: 100.00 USD taken, 60.00 USD paid back; refunds: Processed 60.00 USD; \
        operations: authorize succeeded 100.00 USD, refund succeeded 60.00 USD; available 9; 2 sent",
};

/// Such as days later, because the account is closed.
pub(crate) const REFUND_DONE_THEN_FAILED: History = History {
    before: &[Pay(WHOLE), Refund("60.00 USD")],
    call: Call::Task,
    answers: &[REFUND, Pending, Nothing],
    steps: &[Told(1, Pending), Told(1, REFUND), Named(1, REFUND), Told(1, Declined), Wait(5)],
    truth: &[WHOLE, Declined],
    end: "Paid, Succeeded: 100.00 USD taken, 0.00 USD paid back; refunds: Failed 60.00 USD; \
        operations: authorize succeeded 100.00 USD, refund declined 60.00 USD; available 9; 2 sent",
};

/// The bank takes the money, and gives it back. It may tell so before the shop knows of the payment.
pub(crate) const DISPUTED_THEN_REINSTATED: History = History {
    before: &[],
    call: Call::Confirm,
    answers: &[WHOLE, Pending, Nothing],
    steps: &[Told(0, WHOLE), Disputed(Pending), Disputed(WHOLE), Disputed(Declined), Wait(5)],
    truth: &[WHOLE],
    end: "Paid, Succeeded: 100.00 USD taken, 0.00 USD paid back; refunds: Failed 100.00 USD; \
        operations: authorize succeeded 100.00 USD, dispute declined 100.00 USD; available 9; 1 sent",
};

pub(crate) const REFUNDED_IN_TWO_PARTS: History = History {
    before: &[Pay(WHOLE), Refund("60.00 USD"), Refund("40.00 USD")],
    call: Call::Task,
    answers: &[REST, Pending, Nothing],
    steps: &[
        Told(1, Pending),
        Told(1, REFUND),
        Named(1, REFUND),
        Told(2, Pending),
        Told(2, REST),
        Named(2, REST),
        Wait(5),
    ],
    truth: &[WHOLE, REFUND, REST],
    end: "Paid, Refunded: 100.00 USD taken, 100.00 USD paid back; refunds: Processed 40.00 USD, Processed 60.00 USD; \
        operations: authorize succeeded 100.00 USD, refund succeeded 40.00 USD, refund succeeded 60.00 USD; \
        available 9; 3 sent",
};
