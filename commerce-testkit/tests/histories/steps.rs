//! Tasks of payments and orders. Every call to the store fails once, without effect and with it, every answer of the processor is lost
//! once, and during every call to the store another worker does the same. Then time passes, and the end is as if nothing had happened.

use std::time::Duration;

use commerce_testkit::Fault;
use tokio::runtime::Builder;

use crate::shop::Shop;
use crate::table::{
    CANCELLED_AND_PAID, Deed, PAID_TOO_LITTLE, REFUNDED, REFUNDED_IN_TWO_PARTS, UNKNOWN_THEN_FOUND, Word,
};

use Deed::{Cancel, Pay, Refund, Wait};
use Word::{Declined, Nothing, Pending, Succeeded};

/// A situation in which tasks are due.
struct Case {
    name: &'static str,
    before: &'static [Deed],
    /// Webhooks that were received, and not taken yet.
    received: &'static [(usize, Word)],
    /// After this time.
    seconds: i64,
    truth: &'static [Word],
    end: &'static str,
}

const WHOLE: Word = Succeeded("100.00 USD");

const CASES: &[Case] = &[
    Case {
        name: "a payment is found",
        before: &[Pay(Nothing)],
        received: &[],
        seconds: 5,
        truth: &[WHOLE],
        end: UNKNOWN_THEN_FOUND.end,
    },
    Case {
        name: "a payment was never received",
        before: &[Pay(Nothing), Wait(5), Wait(60)],
        received: &[],
        seconds: 300,
        truth: &[Nothing],
        end: "Cancelled, Pending: 0.00 USD taken, 0.00 USD paid back; 0 declined; refunds: ; \
            operations: authorize declined 100.00 USD; available 10; 1 sent",
    },
    Case {
        name: "a pending payment is declined",
        before: &[Pay(Pending)],
        received: &[],
        seconds: 5,
        truth: &[Declined],
        end: "Cancelled, Failed: 0.00 USD taken, 0.00 USD paid back; 1 declined; refunds: ; \
            operations: authorize declined 100.00 USD; available 10; 1 sent",
    },
    Case {
        name: "a payment is found after the cancellation",
        before: &[Pay(Nothing), Cancel],
        received: &[],
        seconds: 5,
        truth: &[WHOLE],
        end: CANCELLED_AND_PAID.end,
    },
    Case {
        name: "a refund is sent",
        before: &[Pay(WHOLE), Refund("60.00 USD")],
        received: &[],
        seconds: 0,
        truth: &[WHOLE, Succeeded("60.00 USD")],
        end: REFUNDED.end,
    },
    Case {
        name: "two refunds are sent",
        before: &[Pay(WHOLE), Refund("60.00 USD"), Refund("40.00 USD")],
        received: &[],
        seconds: 0,
        truth: &[WHOLE, Succeeded("60.00 USD"), Succeeded("40.00 USD")],
        end: REFUNDED_IN_TWO_PARTS.end,
    },
    Case {
        name: "a refund is declined",
        before: &[Pay(WHOLE), Refund("60.00 USD")],
        received: &[],
        seconds: 0,
        truth: &[WHOLE, Declined],
        end: "Paid, Succeeded: 100.00 USD taken, 0.00 USD paid back; refunds: Failed 60.00 USD; \
            operations: authorize succeeded 100.00 USD, refund declined 60.00 USD; available 9; 2 sent",
    },
    Case {
        name: "an event pays",
        before: &[Pay(Nothing)],
        received: &[(0, WHOLE)],
        seconds: 0,
        truth: &[WHOLE],
        end: UNKNOWN_THEN_FOUND.end,
    },
    Case {
        name: "events of another amount",
        before: &[Pay(Pending)],
        received: &[(0, Pending), (0, Succeeded("90.00 USD"))],
        seconds: 0,
        truth: &[Succeeded("90.00 USD")],
        end: PAID_TOO_LITTLE.end,
    },
    Case {
        name: "an event after the cancellation",
        before: &[Pay(Pending), Cancel],
        received: &[(0, WHOLE)],
        seconds: 0,
        truth: &[WHOLE],
        end: CANCELLED_AND_PAID.end,
    },
    Case {
        name: "an unpaid order expires",
        before: &[Pay(Declined)],
        received: &[],
        seconds: 1_801,
        truth: &[Declined],
        end: "Cancelled, Failed: 0.00 USD taken, 0.00 USD paid back; 1 declined; refunds: ; \
            operations: authorize declined 100.00 USD; available 10; 1 sent",
    },
];

/// What goes wrong while the tasks are done.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// The call of the store with this number.
    Store(usize, Fault),
    /// The processor's answer about an operation is lost.
    Processor(usize),
}

/// More steps than any case has.
const MOST: usize = 500;

#[test]
fn every_step_fails_once_and_runs_twice() {
    let late = Fault::Late(Duration::from_secs(1));
    for case in CASES {
        let mut steps = 0;
        for fault in [Fault::Refused, Fault::Lost, late] {
            let strikes = |call: &usize| run(case, Trouble::Store(*call, fault));
            steps = (0..MOST).take_while(strikes).count();
            assert!((4..MOST).contains(&steps), "{}: {steps} steps with {fault:?}", case.name);
        }
        for operation in 0..case.truth.len() {
            run(case, Trouble::Processor(operation));
        }
        eprintln!("{}: {steps} steps", case.name);
    }
}

/// Returns whether the trouble struck.
fn run(case: &'static Case, trouble: Trouble) -> bool {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let shop = Shop::open(case.truth).await;
        for deed in case.before {
            shop.deed(*deed).await;
        }
        for (number, (operation, word)) in case.received.iter().enumerate() {
            shop.receive(number, *operation, *word, true).await;
        }
        shop.pass(case.seconds);
        let struck = work(&shop, trouble).await;
        for seconds in [5, 60, 300, 3600, 3600] {
            shop.wait(seconds).await;
        }
        assert_eq!(shop.end().await, case.end, "{} with {trouble:?}", case.name);
        struck
    })
}

async fn work(shop: &Shop, trouble: Trouble) -> bool {
    match trouble {
        Trouble::Store(call, fault) => {
            shop.store.strike(call, fault);
            let another = async {
                let struck = !shop.store.relent();
                if struck && matches!(fault, Fault::Late(_)) {
                    shop.pass(61); // the lease of the first worker ends
                    shop.work().await;
                }
                struck
            };
            // The first worker comes as far as it can before the other begins.
            tokio::join!(biased; shop.work(), another).1
        }
        Trouble::Processor(operation) => {
            shop.processor.say(operation, Nothing);
            shop.work().await;
            true
        }
    }
}
