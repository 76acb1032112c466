//! Thirteen histories of payments, in every order: what the processor tells, what the customer does and how time passes are permuted,
//! one of these steps happens twice, and the answer to our own call comes at each place between them. Each history has one end.
//! `docs/payments.md` names them.
//!
//! `HISTORIES` says how many orders of the steps are played (12; CI plays 120, which is all of five steps). `HISTORIES=all` plays
//! all orders, each with each step doubled and with each answer.

#![expect(clippy::expect_used, reason = "a history fails by panicking")]

mod play;
mod processor;
mod shop;
mod steps;
mod table;

/// Makes a test of each history.
macro_rules! histories {
    ($($name:ident: $history:ident),+ $(,)?) => {$(
        #[test]
        fn $name() {
            play::check(&table::$history);
        }
    )+};
}

histories! {
    authenticated_then_paid: AUTHENTICATED_THEN_PAID,
    authenticated_then_declined: AUTHENTICATED_THEN_DECLINED,
    declined_then_paid: DECLINED_THEN_PAID,
    unknown_then_found: UNKNOWN_THEN_FOUND,
    given_up_then_paid: GIVEN_UP_THEN_PAID,
    cancelled_and_paid: CANCELLED_AND_PAID,
    paid_by_two_attempts: PAID_BY_TWO_ATTEMPTS,
    paid_in_another_way_too: PAID_IN_ANOTHER_WAY_TOO,
    paid_too_little: PAID_TOO_LITTLE,
    refunded: REFUNDED,
    refund_done_then_failed: REFUND_DONE_THEN_FAILED,
    refunded_in_two_parts: REFUNDED_IN_TWO_PARTS,
    disputed_then_reinstated: DISPUTED_THEN_REINSTATED,
}
