//! The answers shown in the documentation are those the engine gives.

use commerce_server::cli::{Table, price_all};

const PAGE: &str = include_str!("../../../docs/why-did-my-code-not-work.md");

/// What stands between fences of a kind, in order.
fn fenced(kind: &str) -> Vec<&'static str> {
    let blocks = PAGE.split("\n```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(kind)?.strip_prefix('\n')).collect()
}

#[test]
fn every_answer_of_the_page_is_what_the_engine_says() {
    let (requests, answers) = (fenced("json"), fenced("text"));
    assert_eq!((requests.len(), answers.len()), (3, 3), "three requests, each with its answer");
    for (request, answer) in requests.into_iter().zip(answers) {
        let quotes = price_all(request).expect("the requests of the page are good");
        let tables: Vec<String> = quotes.iter().map(|quote| Table::of(quote).to_string()).collect();
        assert_eq!(tables, [format!("{answer}\n")], "the page says otherwise than the engine");
    }
}
