use super::*;

#[test]
fn an_answer_without_a_body_is_replayed_without_one() {
    let again = Recorded::replay(&Recorded::of(&Answer::empty(StatusCode::NO_CONTENT))).unwrap();
    assert_eq!((again.status, again.body.len()), (StatusCode::NO_CONTENT, 0));
}

#[test]
fn keys_of_carts_are_told_by_the_path() {
    let is_of_carts = |scope: &str| is_of_carts(&IdempotencyKey { scope: scope.to_owned(), key: "/carts".to_owned() });
    for scope in ["ann POST /carts", "ann POST /carts/{id}/items", "root POST /carts admin", " POST /carts"] {
        assert!(is_of_carts(scope), "{scope}");
    }
    for scope in ["ann POST /checkouts", "/carts POST /orders", "/carts POST /orders admin", "ann POST /cartsx"] {
        assert!(!is_of_carts(scope), "{scope}");
    }
}
