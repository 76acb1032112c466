//! What was booked against the statement of the processor.

use std::fmt::Write as _;
use std::fs;

use commerce_core::actor::Role;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::home::{Home, on_each_database};
use crate::running::{Caller, Server, directory, fail, order_of, run, stderr, stdout, succeed};

on_each_database!(every_line_is_in_one_bucket);

const PLAIN: &str = "id,kind,reference,amount,fee,currency,time";
const STRIPE: &str = "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,reporting_category,source_id,description";

/// Places an order and pays it. Returns its payment.
async fn paid(ann: &Caller, key: &str) -> Value {
    let order = ann.order(key, &order_of("mug", 1)).await.expect("an answer");
    assert_eq!(order.status, StatusCode::CREATED, "{order:?}");
    let path = format!("/v1/payments/{}/confirm", order.body["payment"]["id"].as_str().expect("a payment"));
    let paid = ann.send(Method::POST, &path, None, &json!({ "token": "tok_ok" })).await.expect("an answer");
    assert_eq!(paid.status, StatusCode::OK, "{paid:?}");
    paid.body
}

async fn every_line_is_in_one_bucket(home: Home) {
    home.stock(&[("mug", 10)]);
    let server = Server::start(home.path(), &[]);
    let ann = Caller::guest(server.address).acting(home.path(), "ann", Role::Customer);
    let payments = [paid(&ann, "one").await, paid(&ann, "two").await];
    let [first, second] = payments.each_ref().map(|payment| &payment["operations"][0]);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let (total, time) = (text(&payments[0]["captured"]), text(&first["updated_at"]));
    let file = |name: &str, content: &str| fs::write(home.path().join(name), content).expect("written");

    // The first by our id, the second by the processor's.
    let by_both = format!(
        "{PLAIN}\nl1,capture,{},{total},0.30,EUR,{time}\nl2,capture,{},{total},0.30,EUR,{time}\nl3,fee,,-1.00,,EUR,{time}\n\
         l4,payout,po_1,-5.00,,EUR,{time}\n",
        text(&first["id"]),
        text(&second["reference"]),
    );
    file("whole.csv", &by_both);
    let told = succeed(home.path(), &["reconcile", "whole.csv"]);
    assert_row(&told, &["statement", "4 lines"]);
    assert_row(&told, &["matched", "2 lines"]);
    assert_row(&told, &["fees", "1 line", "-1.60"]);
    assert_row(&told, &["payouts", "1 line", "-5.00"]);
    assert_row(&told, &["remainder", "0.00"]);
    assert_row(&told, &["ours without theirs", "0 operations", "0.00"]);

    let (reference, later) = (text(&first["reference"]), time.replace('T', " ").replace('Z', ""));
    let later = later.split('.').next().expect("seconds");
    let stripe = format!(
        "{STRIPE}\ntxn_1,{later},{later},eur,{total},0.30,{},charge,{reference},\ntxn_2,{later},{later},eur,7.00,0,7.00,charge,ch_9,\n",
        less(&total, 30),
    );
    file("stripe.csv", &stripe);
    let output = run(home.path(), &["reconcile", "stripe.csv"]);
    assert_eq!(output.status.code(), Some(1));
    let told = stdout(&output);
    assert!(told.contains("line 3: ch_9: 7.00 EUR: the shop does not know it"), "{told}");
    assert!(stderr(&output).contains("without counterpart"), "{}", stderr(&output));
}

#[track_caller]
fn assert_row(told: &str, words: &[&str]) {
    let row = told.lines().find(|line| line.trim_start().starts_with(words[0]));
    assert!(row.is_some_and(|row| words.iter().all(|word| row.contains(word))), "{words:?} in {told}");
}

/// An amount less some cents.
fn less(amount: &str, cents: i64) -> String {
    let all: i64 = amount.replace('.', "").parse().expect("cents");
    format!("{}.{:02}", (all - cents) / 100, (all - cents) % 100)
}

#[test]
fn bad_lines_are_named_and_nothing_is_compared() {
    let directory = directory();
    succeed(directory.path(), &["migrate"]);
    let write = |text: &str| fs::write(directory.path().join("bad.csv"), text).expect("written");
    let time = "2026-02-16T09:30:00Z";
    let lines = [
        format!("l1,capture,r1,5.00,0,EUR,{time}"),
        format!("l1,capture,r2,5.00,0,EUR,{time}"),
        format!("l2,gift,r1,5.00,0,EUR,{time}"),
        format!("l3,capture,r1,5.001,0,EUR,{time}"),
        "l4,capture,r1,5.00,0,EUR,yesterday".to_owned(),
        format!(",capture,r1,5.00,0,EUR,{time}"),
        format!("l5,capture,,5.00,0,EUR,{time}"),
        format!("l6,capture,r1,5.00,0,XYZ,{time}"),
    ];
    write(&format!("{PLAIN}\n{}\n", lines.join("\n")));
    let output = run(directory.path(), &["reconcile", "bad.csv"]);
    let (status, complaint) = (output.status.code(), stderr(&output));
    assert_eq!((status, stdout(&output).as_str()), (Some(1), ""));
    let expected = [
        "line 3: l1 is on line 2 already",
        "line 4: kind \"gift\" is not one of payment",
        "line 5: amount 5.001 is refused",
        "line 6: time \"yesterday\" is not a time",
        "line 7: id \"\" is not",
        "line 8: reference is empty",
        "line 9: currency \"XYZ\"",
        "7 bad lines",
    ];
    for words in expected {
        assert!(complaint.contains(words), "{words}: {complaint}");
    }
    write("a,b\n1,2\n");
    fail(directory.path(), &["reconcile", "bad.csv"], 1, "missing columns: id, kind, reference");
    write("");
    fail(directory.path(), &["reconcile", "bad.csv"], 1, "the file is empty");
}

#[test]
fn a_net_amount_that_is_none_is_refused() {
    let directory = directory();
    succeed(directory.path(), &["migrate"]);
    let line = "txn_1,2026-02-16 09:30:00,2026-02-16 09:30:00,eur,10.00,0.30,9.80,charge,ch_1,";
    fs::write(directory.path().join("net.csv"), format!("{STRIPE}\n{line}\n")).expect("written");
    let complaint = stderr(&run(directory.path(), &["reconcile", "net.csv"]));
    assert!(complaint.contains("line 2: 10.00 EUR less 0.30 EUR is not 9.80 EUR"), "{complaint}");
    assert!(complaint.contains("1 bad line"), "{complaint}");
}

/// Lines that the shop does not know, each in its bucket. `RECONCILE_LINES` says how many (1,000).
#[test]
fn many_lines() {
    let lines = std::env::var("RECONCILE_LINES").ok().and_then(|lines| lines.parse().ok()).unwrap_or(1_000_u32);
    let home = directory();
    let directory = home.path();
    succeed(directory, &["migrate"]);
    let mut file = format!("{PLAIN}\n");
    for line in 0..lines {
        writeln!(file, "l{line},capture,ch_{line},1.00,0.01,EUR,2026-02-16T09:30:00Z").expect("a string grows");
    }
    fs::write(directory.join("many.csv"), file).expect("written");
    let began = std::time::Instant::now();
    let output = run(directory, &["reconcile", "many.csv"]);
    eprintln!("{lines} lines in {} ms", began.elapsed().as_millis());
    let told = stdout(&output);
    assert_row(&told, &["theirs without ours", &format!("{lines} lines")]);
    assert_row(&told, &["remainder", "0.00"]);
}
