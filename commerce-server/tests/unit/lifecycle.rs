use super::*;

#[test]
fn windows_bind_customers_only() {
    let windows = Windows { cancellation: Some(DurationText::seconds(60)), returns: None };
    let lifecycle = windows.apply(Lifecycle::standard()).expect("still a lifecycle");
    for transition in lifecycle.transitions().iter().filter(|transition| transition.trigger == Trigger::Cancel) {
        let seconds = transition.window.map(|window| window.seconds);
        assert_eq!(seconds.is_some(), transition.roles.contains(&Role::Customer), "{transition:?}");
    }
}

#[test]
fn returns_keep_their_beginning() {
    let windows = Windows { cancellation: None, returns: Some(DurationText::seconds(60)) };
    let lifecycle = windows.apply(Lifecycle::built_in("placed").expect("built in")).expect("still a lifecycle");
    let starts: Vec<_> = lifecycle.transitions().iter().filter_map(|transition| transition.window).collect();
    assert!(starts.contains(&Window { since: WindowStart::Entered, seconds: 60 }));
    assert!(starts.contains(&Window { since: WindowStart::Delivered, seconds: 60 }));
}

#[test]
fn an_unknown_name_tells_the_known_ones() {
    let error = LifecycleChoice::Named("swift".to_owned()).load().expect_err("unknown");
    assert!(error.to_string().contains("standard, placed"), "{error}");
}
