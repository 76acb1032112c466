//! Every case of the suite is stamped: the list in the macro and the functions are the same.

const LIST: &str = include_str!("../src/suite/store.rs");
const SUBJECTS: [(&str, &str); 7] = [
    ("carts", include_str!("../src/suite/store/carts.rs")),
    ("catalogue", include_str!("../src/suite/store/catalogue.rs")),
    ("commits", include_str!("../src/suite/store/commits.rs")),
    ("history", include_str!("../src/suite/store/history.rs")),
    ("orders", include_str!("../src/suite/store/orders.rs")),
    ("stock", include_str!("../src/suite/store/stock.rs")),
    ("tasks", include_str!("../src/suite/store/tasks.rs")),
];

#[test]
fn every_case_is_stamped() {
    let stamp = LIST.split_once("@stamp ($start)").and_then(|(_, rest)| rest.split_once('}')).unwrap().0;
    let mut listed: Vec<_> = stamp
        .split_terminator(';')
        .filter_map(|subject| subject.split_once(':'))
        .flat_map(|(subject, cases)| cases.split_whitespace().map(move |case| (subject.trim(), case)))
        .collect();
    let mut written: Vec<_> = SUBJECTS
        .iter()
        .flat_map(|(subject, source)| {
            let functions = source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
            functions.filter_map(|rest| rest.split_once('<')).map(|(case, _)| (*subject, case))
        })
        .collect();
    listed.sort_unstable();
    written.sort_unstable();
    assert_eq!(listed, written);
    assert!(listed.len() >= 80);
}
