use super::*;

#[track_caller]
fn check(url: &str, shown: &str) {
    let url = DatabaseUrl::new(url).expect("a URL");
    assert_eq!(url.to_string(), shown);
    assert_eq!(format!("{url:?}"), shown);
}

#[test]
fn a_password_is_never_shown() {
    check("postgres://ann:hush@db:5432/shop", "postgres://ann:***@db:5432/shop");
    check("mysql://ann:hu:sh%40@[::1]/shop?ssl=on", "mysql://ann:***@[::1]/shop?ssl=on");
    check("postgres://:hush@db", "postgres://:***@db");
    check("postgres://db/shop?password=hush&user=ann", "postgres://db/shop?password=***&user=ann");
    check("postgres://db/shop?p%61ssword=hush", "postgres://db/shop?p%61ssword=***");
}

#[test]
fn what_has_no_password_is_shown_as_it_is() {
    for url in ["postgres:///shop?host=/run/postgresql", "mysql://ann@db/shop", "postgres://db:5432?a=b&c"] {
        check(url, url);
    }
}

#[test]
fn a_password_that_ends_nobody_knows_where_is_refused() {
    for url in ["postgres://a:b@c@db/shop", "postgres://a:b/c@db/shop", "mysql://a:b?c@db", "mysql://a:b#c@db"] {
        assert_eq!(DatabaseUrl::new(url), Err(DatabaseRefused::NotEncoded), "{url}");
    }
}
