use commerce_core::pricing::CodeRejection;
use commerce_core::promotion::{Limit, PromotionExhausted};
use serde_json::json;

use super::*;

#[track_caller]
fn check(error: EngineError, status: u16, members: &Value) {
    let (answered, _, body) = Problem::from(error).written("1");
    let document: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(answered.as_u16(), status, "{document}");
    for (name, value) in members.as_object().unwrap() {
        assert_eq!(document[name], *value, "{document}");
    }
}

#[test]
fn a_code_that_stopped_working_is_named_with_its_reason() {
    for (reason, name) in [(CodeRejection::UsageLimit, "usage_limit"), (CodeRejection::Expired, "expired")] {
        let error = EngineError::CodeRejected { code: "TEN".to_owned(), reason };
        check(error, 422, &json!({ "code": "promotion_rejected", "promotion_code": "TEN", "reason": name }));
    }
}

#[test]
fn a_promotion_that_others_used_up_is_named_with_its_limit() {
    for (limit, name) in
        [(Limit::Uses, "uses"), (Limit::UsesPerCustomer, "uses_per_customer"), (Limit::Budget, "budget")]
    {
        let exhausted = PromotionExhausted { promotion: "ten".parse().unwrap(), limit };
        let error = EngineError::Refused(Refusal::PromotionExhausted(exhausted));
        let members = json!({
            "code": "promotion_rejected", "promotion_id": "ten", "reason": "usage_limit", "limit": name,
        });
        check(error, 422, &members);
    }
}

#[test]
fn what_exists_already_is_a_conflict() {
    check(
        EngineError::AlreadyExists(Resource::Document(DocumentKind::Promotion)),
        409,
        &json!({ "code": "already_exists" }),
    );
}
