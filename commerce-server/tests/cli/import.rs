use std::fs;
use std::path::Path;

use commerce_core::actor::Role;
use http::{Method, StatusCode};
use serde_json::json;

use crate::home::{Home, on_each_database};
use crate::running::{
    Caller, Server, commerce, directory, fail, order_of, products, run, stderr, stdout, stocked, succeed,
};

on_each_database!(
    products_with_variants_and_categories_are_imported,
    running_it_again_changes_nothing,
    it_works_beside_a_running_server,
    what_the_file_does_not_say_stays,
    customers_are_imported_with_their_groups,
);

fn write(directory: &Path, text: &str) {
    fs::write(directory.join("shop.csv"), text).expect("written");
}

fn rows(count: u32) -> String {
    let rows: Vec<String> = (0..count).map(|n| format!("sku-{n},Product {n},{n}.25,EUR,{n}\n")).collect();
    rows.concat()
}

const HEAD: &str = "sku,name,price,currency,on_hand";

async fn products_with_variants_and_categories_are_imported(home: Home) {
    let text = "sku,name,price,currency,on_hand,categories,tax_category,product_id\n\
                shirt-r,\"Shirt, red\",19.90,EUR,5,clothes|summer,standard,shirt\n\
                shirt-b,\"Shirt, blue\",21,EUR,7,clothes,standard,shirt\n\
                mug,Mug,4.50,EUR,9,,,\n";
    write(home.path(), text);
    let told = succeed(home.path(), &["import", "shop.csv"]);
    assert_eq!(told, "shop.csv: 3 rows, 2 products: 2 added, 0 changed, 0 unchanged\n");
    let server = Server::start(home.path(), &[]);
    let guest = Caller::guest(server.address);
    let shirt = guest.get("/v1/products/shirt").await.body;
    assert_eq!(
        (shirt["name"].as_str(), shirt["variants"].as_array().map(Vec::len)),
        (Some("Shirt"), Some(2)),
        "{shirt}"
    );
    let categories = guest.get("/v1/categories").await.body;
    assert!(categories.to_string().contains("summer"), "{categories}");
    let admin = guest.acting(home.path(), "ada", Role::Admin);
    assert_eq!(admin.get("/v1/inventory/shirt-b").await.body["on_hand"], 7);
}

async fn running_it_again_changes_nothing(home: Home) {
    let rows = rows(1_000);
    write(home.path(), &format!("{HEAD}\n{rows}"));
    assert!(succeed(home.path(), &["import", "shop.csv"]).contains("1000 added, 0 changed, 0 unchanged"));
    assert!(succeed(home.path(), &["import", "shop.csv"]).contains("0 added, 0 changed, 1000 unchanged"));
    let events = succeed(home.path(), &["replay", "--verify"]);
    write(home.path(), &format!("{HEAD}\n{}", rows.replace("sku-7,Product 7,7.25", "sku-7,Product 7,7.26")));
    assert!(succeed(home.path(), &["import", "shop.csv"]).contains("0 added, 1 changed, 999 unchanged"));
    assert!(events.starts_with("2000 events"), "{events}");
}

#[test]
fn bad_rows_are_named_and_nothing_is_imported() {
    let directory = directory();
    let many = rows(700);
    write(directory.path(), &format!("{HEAD}\n{many}mug,Mug,free,EUR,1\n,Mug,1,EUR,1\nsku-3,Again,1,EUR,-1\n"));
    let output = run(directory.path(), &["import", "shop.csv"]);
    let complaint = stderr(&output);
    assert_eq!(output.status.code(), Some(1));
    for words in
        ["line 702: price \"free\"", "line 703: sku is empty", "line 704: on_hand \"-1\"", "nothing was imported"]
    {
        assert!(complaint.contains(words), "{complaint}");
    }
    assert!(!directory.path().join("commerce.db").exists(), "a bad file makes no shop");
}

#[test]
fn of_a_bad_file_the_good_rows_are_imported_on_request() {
    let directory = stocked(&[("mug", 1)]);
    let text = "sku,name,price,currency,on_hand,product_id\n\
                tea,Tea,1,EUR,1,\nmug,Mug,1,EUR,1,cup\nred,\"Shirt, red\",1,EUR,1,shirt\nblue,\"Shirt, blue\",free,EUR,1,shirt\n";
    write(directory.path(), text);
    let output = run(directory.path(), &["import", "shop.csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).ends_with("nothing was imported: 1 bad row\n"), "{}", stderr(&output));
    let output = run(directory.path(), &["import", "--partial", "shop.csv"]);
    assert_eq!(stdout(&output), "shop.csv: 2 rows, 2 products: 1 added, 0 changed, 0 unchanged\n");
    for words in ["line 5: price \"free\"", "line 3: SKU mug already belongs to product mug"] {
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
    write(directory.path(), &format!("{text}torn,Torn\n"));
    let output = run(directory.path(), &["import", "--partial", "shop.csv"]);
    assert!(stderr(&output).ends_with("nothing was imported: 2 bad rows\n"), "{}", stderr(&output));
    write(directory.path(), "id,groups\nann,vip\n,vip\n");
    let told = succeed(directory.path(), &["import", "--customers", "--partial", "shop.csv"]);
    assert_eq!(told, "shop.csv: 1 customer: 1 added, 0 changed, 0 unchanged\n");
}

#[test]
fn missing_columns_and_files_are_named() {
    let directory = directory();
    write(directory.path(), "sku,name,cost\nmug,Mug,1\n");
    fail(directory.path(), &["import", "shop.csv"], 1, "missing columns: price, currency, on_hand");
    write(directory.path(), "");
    fail(directory.path(), &["import", "shop.csv"], 1, "the file is empty");
    fail(directory.path(), &["import", "nowhere.csv"], 1, "nowhere.csv: No such file");
    fail(directory.path(), &["import"], 2, "<FILE>");
}

#[test]
fn another_currency_than_the_shops_is_refused() {
    let directory = stocked(&[("mug", 1)]);
    write(directory.path(), &format!("{HEAD}\ntea,Tea,1,USD,1\n"));
    let output = run(directory.path(), &["import", "shop.csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("line 2: currency USD is not the currency of this shop, EUR"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_sku_of_another_product_is_refused() {
    let directory = stocked(&[("mug", 1)]);
    write(directory.path(), "sku,name,price,currency,on_hand,product_id\ntea,Tea,1,EUR,1,tea\nmug,Mug,1,EUR,1,cup\n");
    let output = run(directory.path(), &["import", "shop.csv"]);
    assert!(stderr(&output).contains("line 3: SKU mug already belongs to product mug"), "{}", stderr(&output));
    assert!(succeed(directory.path(), &["replay", "--verify"]).starts_with("2 events"));
}

#[test]
fn the_standard_input_is_a_file_too() {
    let directory = directory();
    write(directory.path(), &format!("{HEAD}\ntea,Tea,1,USD,1\n"));
    let input = fs::File::open(directory.path().join("shop.csv")).expect("a file");
    let output = commerce(directory.path()).args(["import", "-"]).stdin(input).output().expect("it runs");
    assert!(stdout(&output).contains("1 added"), "{}", stderr(&output));
}

async fn it_works_beside_a_running_server(home: Home) {
    home.stock(&[("mug", 10)]);
    let server = Server::start(home.path(), &[]);
    let ann = Caller::guest(server.address).acting(home.path(), "ann", Role::Customer);
    assert_eq!(ann.order("1", &order_of("mug", 4)).await.expect("an answer").status, StatusCode::CREATED);
    let file = products(home.path(), &[("mug", 3), ("tea", 5)]);
    let output = run(home.path(), &["import", &file]);
    assert!(stderr(&output).contains("line 2: on_hand 3 of mug is less than the 4 reserved"), "{}", stderr(&output));
    let file = products(home.path(), &[("mug", 20), ("tea", 5)]);
    assert!(succeed(home.path(), &["import", &file]).contains("1 added, 1 changed"));
    let admin = Caller::guest(server.address).acting(home.path(), "ada", Role::Admin);
    assert_eq!(admin.get("/v1/inventory/mug").await.body["available"], 16);
    assert_eq!(ann.order("2", &order_of("tea", 5)).await.expect("an answer").status, StatusCode::CREATED);
}

async fn customers_are_imported_with_their_groups(home: Home) {
    write(home.path(), "id,groups,tax_number,colour\nann,vip|staff,DE 1,red\nbob,,,\n");
    let told = || succeed(home.path(), &["import", "--customers", "shop.csv"]);
    assert_eq!(told(), "shop.csv: 2 customers: 2 added, 0 changed, 0 unchanged\n");
    assert_eq!(told(), "shop.csv: 2 customers: 0 added, 0 changed, 2 unchanged\n");
    let server = Server::start(home.path(), &[]);
    let admin = Caller::guest(server.address).acting(home.path(), "ada", Role::Admin);
    let change = json!({ "groups": ["vip"], "metadata": { "a": 1 } });
    let changed = admin.send(Method::PUT, "/v1/customers/ann", None, &change).await.expect("an answer");
    assert!(changed.status.is_success(), "{changed:?}");
    write(home.path(), "tax_number,id\nDE 2,ann\n");
    assert_eq!(told(), "shop.csv: 1 customer: 0 added, 1 changed, 0 unchanged\n");
    let ann = admin.get("/v1/customers/ann").await.body;
    assert_eq!((&ann["groups"], &ann["tax_number"], &ann["version"]), (&json!(["vip"]), &json!("DE 2"), &json!(3)));
    assert_eq!(ann["metadata"], json!({ "a": 1 }));
}

#[test]
fn bad_customers_are_named_and_nothing_is_imported() {
    let directory = directory();
    let many = (0..400).map(|n| format!("user-{n},g{n},\n")).collect::<Vec<_>>().concat();
    let text = format!("id,groups,tax_number\n{many},vip,\nann,{},\nuser-3,,{}\n", "x".repeat(65), "1".repeat(33));
    write(directory.path(), &text);
    let output = run(directory.path(), &["import", "--customers", "shop.csv"]);
    let complaint = stderr(&output);
    assert_eq!(output.status.code(), Some(1));
    for words in [
        "line 402: id is empty",
        "line 403: groups \"x",
        "line 404: tax_number is longer than 32 characters; id user-3 occurs on line 5 already",
        "nothing was imported",
    ] {
        assert!(complaint.contains(words), "{complaint}");
    }
    write(directory.path(), "groups\nvip\n");
    let complaint = stderr(&run(directory.path(), &["import", "--customers", "shop.csv"]));
    assert!(
        complaint.contains("missing column: id; a file has the columns id and may have groups,tax_number"),
        "{complaint}"
    );
    assert!(!directory.path().join("commerce.db").exists(), "a bad file makes no shop");
}

async fn what_the_file_does_not_say_stays(home: Home) {
    home.stock(&[("mug", 10)]);
    let server = Server::start(home.path(), &[]);
    let admin = Caller::guest(server.address).acting(home.path(), "ada", Role::Admin);
    let change = json!({
        "name": "Product mug", "description": "Holds tea.", "active": false, "currency": "EUR",
        "variants": [{ "sku": "mug", "price": "2.50", "tax_category": "standard" }],
    });
    let changed = admin.send(Method::PUT, "/v1/products/mug", None, &change).await.expect("an answer");
    assert!(changed.status.is_success(), "{changed:?}");
    let file = products(home.path(), &[("mug", 11)]);
    succeed(home.path(), &["import", &file]);
    let mug = admin.get("/v1/products/mug").await.body;
    assert_eq!((mug["description"].as_str(), mug["active"].as_bool()), (Some("Holds tea."), Some(false)), "{mug}");
    assert_eq!(mug["variants"][0]["tax_category"], "standard");
}
