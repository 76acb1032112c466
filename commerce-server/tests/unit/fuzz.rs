//! Fuzzers of files, settings, addresses and headers that the program reads. `commerce_testkit::fuzz` says how to set them.

use std::path::PathBuf;

use commerce_core::money::Currency;
use commerce_testkit::fuzz::{self, Target, fuzz};

use crate::config::{Config, Database};
use crate::import::{CustomerSheet, Sheet};

/// Fuzzes a parser with texts.
pub(crate) fn run(parser: &str, seeds: &[&str], parse: impl FnMut(&[u8]) -> bool) {
    let corpus = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus")).join(parser);
    let seeds = seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    fuzz(Target { corpus: &corpus, seeds, mutate: fuzz::bytes, limit: None }, parse);
}

pub(crate) fn text(input: &[u8]) -> &str {
    std::str::from_utf8(input).unwrap_or_default()
}

#[test]
fn no_file_of_products_breaks_the_import() {
    let seeds = [
        "sku,name,price,currency,on_hand\nmug,Coffee mug,12,USD,100\n",
        "name,sku,price,currency,on_hand,categories,tax_category,product_id\n\"Shirt, red\",S-R,20.00,EUR,3,a|b,standard,shirt\n\"Shirt, blue\",S-B,21,EUR,0,a,,shirt\n",
        "\u{feff}sku;name;price\r\n\"a\"\"b\";x\r\n",
    ];
    run("products", &seeds, |input| Sheet::read(input, None).is_ok_and(|sheet| sheet.flaws.is_empty()));
}

#[test]
fn no_file_of_customers_breaks_the_import() {
    let seeds = ["id,groups,tax_number\nann,vip|staff,DE 123\nbob,,\n"];
    run("customers", &seeds, |input| CustomerSheet::read(input).is_ok());
}

#[test]
fn no_file_of_settings_breaks_the_program() {
    let seeds = [include_str!("../../shop.example.toml"), "[lifecycle]\nname = \"own\"\ninitial = \"new\"\n"];
    run("settings", &seeds, |input| {
        toml::from_str::<Config>(text(input)).is_ok_and(|config| config.settings(Currency::KWD).is_ok())
    });
}

#[test]
fn no_url_of_a_database_breaks_its_reader() {
    let seeds = [
        "sqlite:commerce.db",
        "sqlite:///var/lib/shop.db",
        "postgres://shop:hush%40@db.example.com:5432/shop?sslmode=require&sslrootcert=ca.pem",
        "mysql://shop:hush@[::1]:3306/shop?ssl-mode=REQUIRED",
        "mariadb://db/shop",
    ];
    run("databases", &seeds, |input| {
        let Ok(database) = text(input).parse::<Database>() else { return false };
        assert!(!database.to_string().is_empty());
        true
    });
}
