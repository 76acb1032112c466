use super::*;

#[test]
fn an_answer_without_a_body_is_replayed_without_one() {
    let again = Recorded::replay(&Recorded::of(&Answer::empty(StatusCode::NO_CONTENT))).unwrap();
    assert_eq!((again.status, again.body.len()), (StatusCode::NO_CONTENT, 0));
}
