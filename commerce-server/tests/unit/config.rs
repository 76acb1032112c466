use commerce_core::money::{Money, Rounding};
use commerce_core::order::UnpaidLimits;
use commerce_core::pricing::TaxLevel;
use commerce_core::settings::Settings;

use super::*;

/// Flags as given on a command line, and the file they name.
fn load(file: &str, flags: &[&str]) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("shop.toml");
    fs::write(&path, file).expect("written");
    let path = path.to_str().expect("text");
    let arguments = [&["--config", path], flags].concat();
    let matches = command().get_matches_from(arguments);
    Config::from_arg_matches(&matches).expect("flags").load(&matches)
}

const FULL: &str = include_str!("../../shop.example.toml");

#[test]
fn a_file_may_say_everything() {
    let config = load(FULL, &[]).expect("settings");
    assert_eq!(config.metrics_listen.map(|address| address.port()), Some(9100));
    assert!(config.database.key_path().is_absolute(), "paths are taken from the directory of the file");
    assert_eq!(config.keys.audience.as_deref(), Some("shop"));
    assert!(config.users.url().is_some());
    assert!(config.contract().expect("settings").is_none(), "the example names no contract");
    assert!(config.publish.targets().expect("settings").is_empty(), "the example publishes nothing");
    assert_eq!(config.users.time_out().as_secs(), 2);
    assert_eq!(config.clients.limits(10_000).trusted_proxies.len(), 1);
    let settings = config.settings(Currency::EUR).expect("a shop");
    assert_eq!(settings.shipping_methods[0].fee, Money::new(490, Currency::EUR));
    assert_eq!(settings.tax.rates[0].rate.to_string(), "0.05");
    assert_eq!((settings.tax_level, settings.rounding), (TaxLevel::Line, Rounding::HalfAwayFromZero));
    let windows = settings.lifecycle.transitions().iter().filter(|transition| transition.window.is_some()).count();
    assert!(windows > 0);
    assert_eq!((settings.reservation.num_minutes(), settings.unpaid), (30, UnpaidLimits::USUAL));
}

#[test]
fn flags_go_before_the_file() {
    let flags =
        ["--listen", "127.0.0.1:9", "--database", "sqlite:other.db", "--lifecycle", "simple", "--currency", "usd"];
    let flags = [&flags[..], &["--max-connections", "5", "--unpaid-orders", "0", "--unpaid-units", "7"]].concat();
    let config = load(FULL, &flags).expect("settings");
    assert_eq!(config.listen().port(), 9);
    assert_eq!(config.max_connections.map(NonZeroU32::get), Some(5));
    assert_eq!(config.database, Database::Sqlite("other.db".into()));
    assert_eq!(config.currency, Some(Currency::USD));
    let settings = config.settings(Currency::USD).expect("a shop");
    assert_eq!(settings.lifecycle.name().as_str(), "simple");
    assert_eq!((settings.unpaid.orders, settings.unpaid.units), (None, Some(7)));
}

#[test]
fn without_a_word_it_is_a_small_safe_shop() {
    let config = load("", &[]).expect("settings");
    assert_eq!(config.listen(), LISTEN);
    assert_eq!(config.orders_per_minute, None);
    assert_eq!(config.max_connections, None);
    let limits = crate::listener::Limits::default();
    assert_eq!(config.clients.limits(limits.connections), limits);
    assert_eq!(config.clients.limits(20).per_client, 100, "the total is the limit");
    assert!(config.keys.is_development());
    assert_eq!(config.settings(Currency::JPY).expect("a shop"), Settings::new(Currency::JPY));
}

#[test]
fn a_fee_is_an_amount_of_the_currency() {
    let config = load("[[shipping_methods]]\nname = \"x\"\nfee = \"1.50\"\n", &[]).expect("settings");
    assert!(config.settings(Currency::JPY).expect_err("no decimals").to_string().contains("JPY has 0 decimals"));
}

#[test]
fn the_password_of_a_database_is_never_shown() {
    let said = "database = \"postgres://ann:hush@db/shop\"\n[connections]\nwriters = 3\n";
    let config = load(said, &["--database-readers", "9"]).expect("settings");
    assert_eq!(config.database.to_string(), "postgres://ann:***@db/shop");
    assert!(!format!("{config:?}").contains("hush"));
    for said in ["postgres://ann:hu@sh@db/shop", "hush://ann@db/shop"] {
        let file = load(&format!("database = \"{said}\""), &[]).expect_err("refused").to_string();
        let flag = load("", &["--database", said]).expect_err("refused").to_string();
        assert!(!file.contains("hu") && !flag.contains("hu"), "{file} {flag}");
    }
}

#[test]
fn a_lifecycle_may_stand_in_the_file() {
    let inline = r#"
        [lifecycle]
        name = "own"
        states = [
            { name = "open", phase = "awaiting_payment" },
            { name = "paid", phase = "paid" },
            { name = "sent", phase = "shipped" },
            { name = "done", phase = "completed" },
            { name = "off", phase = "cancelled" },
        ]
        transitions = [
            { from = "open", to = "paid", trigger = "pay", roles = ["system", "admin"], stock = "confirm" },
            { from = "paid", to = "sent", trigger = "advance", roles = ["admin"], stock = "fulfil" },
            { from = "sent", to = "done", trigger = "advance", roles = ["admin"] },
            { from = "open", to = "off", trigger = "expiry", roles = ["system"], stock = "release" },
            { from = "open", to = "off", trigger = "cancel", roles = ["customer", "admin"], stock = "release" },
        ]
    "#;
    let config = load(inline, &[]).expect("settings");
    assert_eq!(config.settings(Currency::EUR).expect("a shop").lifecycle.name().as_str(), "own");
    let lost = load(&inline.replace("\"paid\", trigger", "\"nowhere\", trigger"), &[]).expect_err("a state is missing");
    assert!(lost.to_string().contains("nowhere"), "{lost}");
}

#[test]
fn unsafe_settings_are_refused_with_the_reason() {
    let open = load("listen = \"0.0.0.0:80\"", &[]).expect("settings");
    assert!(open.check_listening().expect_err("unsafe").to_string().contains("development key"));
    let directory = tempfile::tempdir().expect("a directory");
    let secret = directory.path().join("secret");
    fs::write(&secret, "long enough to be a secret of thirty-two bytes\n").expect("written");
    let config = load(&format!("listen = \"0.0.0.0:80\"\n[keys]\nhs256_file = {secret:?}\n"), &[]).expect("settings");
    config.check_listening().expect("safe");
    assert!(!format!("{config:?}").contains("long enough"));
}
