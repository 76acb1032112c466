//! Stripe's codes of declines in the words of the shop.

use commerce_core::payment::DeclineCode;

/// Codes of Stripe by what they mean. `docs/stripe.md` has the table for readers.
const CODES: [(DeclineCode, &[&str]); 13] = [
    (
        DeclineCode::CardDeclined,
        &[
            "call_issuer",
            "card_declined",
            "do_not_honor",
            "generic_decline",
            "no_action_taken",
            "not_permitted",
            "security_violation",
            "service_not_allowed",
            "transaction_not_allowed",
        ],
    ),
    (DeclineCode::InsufficientFunds, &["insufficient_funds"]),
    (DeclineCode::ExpiredCard, &["expired_card"]),
    (
        DeclineCode::IncorrectDetails,
        &[
            "incorrect_address",
            "incorrect_cvc",
            "incorrect_number",
            "incorrect_pin",
            "incorrect_zip",
            "invalid_account",
            "invalid_cvc",
            "invalid_expiry_month",
            "invalid_expiry_year",
            "invalid_number",
            "invalid_pin",
            "new_account_information_available",
            "payment_method_customer_decline",
            "resource_missing",
            "token_already_used",
        ],
    ),
    (DeclineCode::AuthenticationRequired, &["authentication_required", "authentication_not_handled"]),
    (
        DeclineCode::AuthenticationFailed,
        &["payment_intent_authentication_failure", "setup_intent_authentication_failure"],
    ),
    (
        DeclineCode::NotSupported,
        &[
            "amount_too_small",
            "card_not_supported",
            "currency_not_supported",
            "live_mode_test_card",
            "offline_pin_required",
            "online_or_offline_pin_required",
            "payment_method_currency_mismatch",
            "test_mode_live_card",
            "testmode_decline",
        ],
    ),
    (
        DeclineCode::LimitExceeded,
        &["card_velocity_exceeded", "invalid_amount", "pin_try_exceeded", "withdrawal_count_limit_exceeded"],
    ),
    (
        DeclineCode::CardBlocked,
        &[
            "do_not_try_again",
            "lost_card",
            "lost_or_stolen_card",
            "pickup_card",
            "restricted_card",
            "revocation_of_all_authorizations",
            "revocation_of_authorization",
            "stolen_card",
            "stop_payment_order",
        ],
    ),
    (
        DeclineCode::SuspectedFraud,
        &["elevated_risk_level", "fraudulent", "highest_risk_level", "merchant_blacklist", "rule"],
    ),
    (
        DeclineCode::InvalidAmount,
        &[
            "amount_too_large",
            "charge_already_captured",
            "charge_already_refunded",
            "charge_disputed",
            "charge_expired_for_capture",
            "charge_for_pending_refund_disputed",
            "payment_intent_unexpected_state",
        ],
    ),
    (DeclineCode::AccountClosed, &["expired_or_canceled_card"]),
    (
        DeclineCode::ProcessorError,
        &["approve_with_id", "issuer_not_available", "processing_error", "reenter_transaction", "try_again_later"],
    ),
];

/// What a code of Stripe means. `None` if it is not in the table.
pub(crate) fn known(code: &str) -> Option<DeclineCode> {
    CODES.iter().find(|(_, codes)| codes.contains(&code)).map(|(meaning, _)| *meaning)
}

/// What the codes of a declined card mean, the most precise first. Unknown codes are a decline without a reason.
pub(crate) fn of_card<'a>(codes: impl IntoIterator<Item = Option<&'a str>>) -> DeclineCode {
    codes.into_iter().flatten().find_map(known).unwrap_or(DeclineCode::CardDeclined)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use commerce_core::payment::DeclineCode;

    use super::{CODES, known, of_card};

    #[test]
    fn a_code_has_one_meaning() {
        let all: Vec<_> = CODES.iter().flat_map(|(_, codes)| *codes).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }

    #[test]
    fn the_precise_code_is_taken() {
        assert_eq!(of_card([Some("stolen_card"), Some("card_declined")]), DeclineCode::CardBlocked);
        assert_eq!(of_card([Some("of_next_year"), Some("expired_card")]), DeclineCode::ExpiredCard);
        assert_eq!(of_card([None, Some("of_next_year")]), DeclineCode::CardDeclined);
        assert_eq!(known("of_next_year"), None);
    }
}
