//! Files of products and their stock, as they are read.

#![allow(clippy::expect_used, reason = "a test says what it expects")]

use commerce_core::money::Currency;
use commerce_server::import::{Flaw, Sheet, SheetError};

const HEAD: &str = "sku,name,price,currency,on_hand";

#[track_caller]
fn flaws(text: &str) -> Vec<String> {
    let sheet = Sheet::read(text.as_bytes(), None).expect("rows");
    sheet.flaws.iter().map(Flaw::to_string).collect()
}

#[track_caller]
fn sheet(text: &str) -> Sheet {
    let sheet = Sheet::read(text.as_bytes(), None).expect("rows");
    assert_eq!(sheet.flaws, [], "a good file");
    sheet
}

#[test]
fn a_good_file_is_read() {
    let text = "\u{feff}SKU, name ,price,currency,on_hand,categories,tax_category,product_id,colour\r\n\
                shirt-r,\"Shirt, red\",19.90,EUR,5,clothes | summer|clothes,standard,shirt,red\r\n\
                \r\n\
                mug,\"Mug \"\"big\"\"\",0,EUR,0,,,,\r\n\
                shirt-b,\"Shirt, blue\",20,EUR,7,clothes,,shirt,blue\r\n";
    let sheet = sheet(text);
    assert_eq!((sheet.rows, sheet.products.len(), sheet.currency), (3, 2, Some(Currency::EUR)));
    assert_eq!(sheet.ignored_columns, ["colour"]);
    let shirt = sheet.products[0].import_row(None);
    assert_eq!((shirt.id.as_str(), shirt.product.name.as_str()), ("shirt", "Shirt"));
    assert_eq!(shirt.on_hand, [5, 7]);
    let categories: Vec<String> = shirt.product.categories.iter().map(ToString::to_string).collect();
    assert_eq!(categories, ["clothes", "summer"]);
    let names: Vec<_> =
        shirt.product.variants.iter().map(|variant| variant.name.as_ref().expect("a name").as_str()).collect();
    assert_eq!(names, ["red", "blue"]);
    let mug = sheet.products[1].import_row(None);
    assert_eq!((mug.id.as_str(), mug.product.name.as_str()), ("mug", "Mug \"big\""));
}

#[track_caller]
fn check_name(rows: &[&str], expected: &str) {
    let rows = rows.iter().enumerate().map(|(number, name)| format!("s{number},\"{name}\",1,EUR,1,p\n"));
    let sheet = sheet(&format!("{HEAD},product_id\n{}", rows.collect::<String>()));
    assert_eq!(sheet.products[0].import_row(None).product.name.as_str(), expected);
}

#[test]
fn the_name_of_a_product_is_what_its_variants_share() {
    check_name(&["Mug"], "Mug");
    check_name(&["Mug, large"], "Mug, large");
    check_name(&["Mug", "Mug"], "Mug");
    check_name(&["Shirt, red", "Shirt, blue"], "Shirt");
    check_name(&["Shirt, red, large", "Shirt, red, small"], "Shirt, red");
    check_name(&["Shirt", "Shirt, blue"], "Shirt");
    check_name(&["Shirt, blue", "Shirt"], "Shirt");
    check_name(&["Red shirt", "Blue shirt"], "Red shirt");
    check_name(&["Shirts, blue", "Shirt"], "Shirts, blue");
}

#[test]
fn missing_columns_are_named() {
    let error = Sheet::read("sku,name,colour\nmug,Mug,red\n".as_bytes(), None).expect_err("columns are missing");
    assert!(error.to_string().contains("missing columns: price, currency, on_hand"), "{error}");
    let error = Sheet::read("sku,name,price,currency\n".as_bytes(), None).expect_err("a column is missing");
    assert!(error.to_string().contains("missing column: on_hand"), "{error}");
}

#[test]
fn an_empty_file_says_what_it_needs() {
    for text in ["", "\n", "\n\n"] {
        assert!(matches!(Sheet::read(text.as_bytes(), None), Err(SheetError::Empty(_))), "{text:?}");
    }
    assert_eq!(sheet(HEAD).rows, 0);
}

#[test]
fn a_column_stands_once() {
    let error = Sheet::read(format!("{HEAD},Price\n").as_bytes(), None).expect_err("twice");
    assert!(error.to_string().contains("Price"), "{error}");
}

#[test]
fn every_bad_row_is_named_by_its_line() {
    let text = format!(
        "{HEAD}\n\
         mug,Mug,12.00,EUR,10\n\
         ,Mug,12.00,EUR,10\n\
         a,,12.00,EUR,10\n\
         \n\
         b,B,twelve,EUR,10\n\
         c,C,12.001,EUR,10\n\
         d,D,-1,EUR,10\n\
         e,E,1,XXX,10\n\
         f,F,1,EUR,ten\n\
         g,G,1,EUR,-1\n\
         h,H,1,EUR,1.5\n\
         i,I,1,USD,1\n\
         mug,Mug,1,EUR,1\n\
         j,J,1,EUR\n"
    );
    let flaws = flaws(&text);
    let lines: Vec<&str> = flaws.iter().map(|flaw| flaw.split(':').next().expect("a line")).collect();
    let expected: Vec<String> = [3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15].map(|line| format!("line {line}")).to_vec();
    assert_eq!(lines, expected, "{flaws:#?}");
    assert!(flaws[0].contains("sku is empty"), "{flaws:#?}");
    assert!(flaws[9].contains("line 2"), "{flaws:#?}");
    assert!(flaws[10].contains("line 2"), "{flaws:#?}");
}

#[test]
fn lines_are_counted_through_quoted_line_breaks() {
    let text = format!("{HEAD}\na,\"A\nB\",1,EUR,1\r\n\r\n\r\nb,B,x,EUR,1");
    assert_eq!(flaws(&text)[0], "line 2: name has line breaks or control characters");
    assert!(flaws(&text)[1].starts_with("line 6:"), "{:?}", flaws(&text));
}

#[test]
fn the_row_in_another_currency_is_named() {
    let rows = "a,A,free,usd,1\nb,B,1,EUR,1\nc,C,1,Usd,1\n";
    let sheet = |shop| Sheet::read(format!("{HEAD}\n{rows}").as_bytes(), shop).expect("rows");
    let flaws = |shop| sheet(shop).flaws.iter().map(Flaw::to_string).collect::<Vec<_>>();
    let bad = "line 2: price \"free\" is not an amount such as 59.98".to_owned();
    let other = "line 3: currency EUR differs from USD on line 2; a shop has one currency".to_owned();
    assert_eq!(flaws(None), [bad.clone(), other]);
    let not_ours =
        |line: u64, price: &str| format!("line {line}: currency USD is not the currency of this shop, EUR{price}");
    let both = not_ours(2, "; price \"free\" is not an amount such as 59.98");
    assert_eq!(flaws(Some(Currency::EUR)), [both, not_ours(4, "")]);
    assert_eq!(sheet(Some(Currency::USD)).products.len(), 1);
}

#[test]
fn a_product_with_a_bad_row_is_left_out_as_a_whole() {
    let text = format!("{HEAD},product_id\na,A,1,EUR,1,p\nb,B,1,EUR,1,q\nc,C,free,EUR,1,p\nd,D,1,EUR,1,\n");
    let sheet = Sheet::read(text.as_bytes(), None).expect("rows");
    let ids: Vec<_> = sheet.products.iter().map(|product| product.id.as_str()).collect();
    assert_eq!((ids, sheet.rows, sheet.flaws.len(), sheet.is_torn), (vec!["q", "d"], 2, 1, false));
    let torn = Sheet::read(format!("{text}e,E\n").as_bytes(), None).expect("rows");
    assert!(torn.is_torn, "it may be a variant of q");
}

#[test]
fn what_is_not_text_is_named_by_its_line() {
    let mut bytes = format!("{HEAD}\na,A,1,EUR,1\nb,").into_bytes();
    bytes.extend([0xff, 0xfe]);
    bytes.extend(b",1,EUR,1\n");
    let sheet = Sheet::read(bytes.as_slice(), None).expect("rows");
    assert_eq!(sheet.flaws[0].to_string(), "line 3: is not UTF-8 text");
    assert!(!sheet.is_torn, "the row has a product of its own");
}

#[test]
fn the_length_of_a_name_is_bounded() {
    let text = format!("{HEAD}\na,{},1,EUR,1\n{},B,1,EUR,1\n", "x".repeat(256), "y".repeat(65));
    assert_eq!(
        flaws(&text),
        ["line 2: name is longer than 255 characters", "line 3: sku is longer than 64 characters"]
    );
}
