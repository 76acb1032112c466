use std::fs;

use crate::running::{commerce, directory, fail, stderr, stdout, succeed};

#[test]
fn the_development_key_stays_on_this_machine() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        fail(directory().path(), &["--listen", address], 1, "development key");
    }
}

#[test]
fn short_secrets_are_refused() {
    let directory = directory();
    fs::write(directory.path().join("secret"), "guess me").expect("written");
    fail(directory.path(), &["--listen", "0.0.0.0:0", "--hs256-file", "secret"], 1, "32 bytes");
}

#[test]
fn unknown_settings_are_refused_with_their_place() {
    let directory = directory();
    fs::write(directory.path().join("shop.toml"), "currency = \"EUR\"\n\n[users]\nadress = \"x\"\n").expect("written");
    fail(directory.path(), &["--config", "shop.toml"], 1, "shop.toml: line 4, column 1: unknown field `adress`");
    fail(directory.path(), &["--config", "nowhere.toml"], 1, "nowhere.toml: No such file");
    fail(directory.path(), &["--listn", "127.0.0.1:1"], 2, "--listen");
}

#[track_caller]
fn check_refused(file: &str, words: &str) {
    let directory = directory();
    fs::write(directory.path().join("shop.toml"), file).expect("written");
    fail(directory.path(), &["--config", "shop.toml", "migrate"], 1, words);
    assert!(!directory.path().join("commerce.db").exists(), "nothing is made before the settings are right");
}

#[test]
fn what_is_not_known_is_refused_with_its_place() {
    check_refused(
        "listen = \"127.0.0.1:1\"\nlisten_on = \"x\"\n",
        "shop.toml: line 2, column 1: unknown field `listen_on`",
    );
    check_refused("[keys]\nsecret = \"x\"\n", "line 2, column 1: unknown field `secret`");
    check_refused("[[shipping_methods]]\nname = \"x\"\nfee = \"1\"\ncolour = 1\n", "unknown field `colour`");
    check_refused("listen = \n", "line 1");
    check_refused("lifecycle = \"swift\"", "neither a file nor a built-in lifecycle");
    check_refused("currency = \"XYZ\"", "unknown currency");
    check_refused("database = \"oracle://x\"", "a database is written as sqlite:PATH");
    check_refused("reservation = \"soon\"", "a duration");
}

#[test]
fn values_that_cannot_be_are_refused() {
    check_refused("idempotency_retention = \"1h\"", "at least 24h");
    check_refused("reservation = \"0s\"", "longer than 0s");
    check_refused("tax_rates = { standard = \"20\" }", "20 % is \"0.20\"");
    check_refused("shipping_methods = []", "at least one");
    check_refused("[connections]\nwriters = 2\n", "SQLite is a file");
    check_refused("database = \"mysql://x\"\n[connections]\nstatement_timeout = \"0s\"\n", "at least 1s");
    check_refused("database = \"mysql://x\"\n[connections]\nreaders = 0\n", "nonzero");
    check_refused("[clients]\nidle_timeout = \"0s\"\n", "at least 1s");
    check_refused("[clients]\nanswer_memory = 1\n", "16 to 65536");
    check_refused("[clients]\nconnections_per_address = 0\n", "nonzero");
    check_refused(
        "[clients]\ntrusted_proxies = [\"proxy.example.com\"]\n",
        "line 2, column 19: a network is an address",
    );
    check_refused("[keys]\njwks_url = \"http://id.example.com/jwks.json\"\n", "https://");
}

#[test]
fn what_is_no_database_is_refused_and_not_repeated() {
    for url in ["oracle://ann:hush@localhost/shop", "postgres:ann:hush", "mysql://ann:hush@x@localhost/shop", "hush.db"]
    {
        let output =
            commerce(directory().path()).env("COMMERCE_DATABASE", url).arg("migrate").output().expect("it runs");
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).starts_with("commerce: --database, COMMERCE_DATABASE: "), "{}", stderr(&output));
        assert!(!stderr(&output).contains("hush"), "{}", stderr(&output));
    }
    let output = commerce(directory().path())
        .env("COMMERCE_DATABASE", "postgres://ann:hush@localhost/shop")
        .arg("--help")
        .output()
        .expect("it runs");
    assert!(!stdout(&output).contains("hush"), "{}", stdout(&output));
}

#[test]
fn a_lifecycle_that_never_ends_is_refused() {
    let directory = directory();
    let text = "name = \"stuck\"\nstates = [{ name = \"open\", phase = \"awaiting_payment\" }]\ntransitions = []\n";
    fs::write(directory.path().join("stuck.toml"), text).expect("written");
    fail(directory.path(), &["--lifecycle", "stuck.toml"], 1, "open");
    fail(directory.path(), &["--lifecycle", "swift"], 1, "built-in lifecycle");
}

#[test]
fn flags_go_before_the_environment_and_that_before_the_file() {
    let directory = directory();
    fs::write(directory.path().join("shop.toml"), "database = \"sqlite:file.db\"\n").expect("written");
    let migrate = |variable: Option<&str>, flag: Option<&str>| {
        let mut command = commerce(directory.path());
        command.args(["migrate", "--config", "shop.toml"]);
        command.envs(variable.map(|value| ("COMMERCE_DATABASE", value)));
        command.args(flag.iter().flat_map(|value| ["--database", value]));
        stdout(&command.output().expect("it runs"))
    };
    assert!(migrate(None, None).contains("file.db"));
    assert!(migrate(Some("sqlite:variable.db"), None).contains("variable.db"));
    assert!(migrate(Some("sqlite:variable.db"), Some("sqlite:flag.db")).contains("flag.db"));
}

#[test]
fn help_tells_every_setting() {
    let help = succeed(directory().path(), &["--help"]);
    for words in ["--listen", "--database", "COMMERCE_USERS_TOKEN", "--orders-per-minute", "replay", "import"] {
        assert!(help.contains(words), "{words}");
    }
}

#[test]
fn a_misspelt_variable_is_named() {
    let run = |name: &str| commerce(directory().path()).env(name, "10").arg("migrate").output().expect("it runs");
    let output = run("COMMERCE_ORDERS_PER_MINUT");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("COMMERCE_ORDERS_PER_MINUT is not a setting"), "{}", stderr(&output));
    for other in ["COMMERCE_PORT", "COMMERCE_SERVICE_HOST", "COMMERCE_ORDERS_PER_MINUTE"] {
        assert_eq!(run(other).status.code(), Some(0), "{other}");
    }
}

#[test]
fn a_level_is_a_level() {
    fail(directory().path(), &["--log-level", "bogus", "migrate"], 2, "\"bogus\" is not a level");
    fail(directory().path(), &["--log-level", "info,loud", "migrate"], 2, "\"loud\" is not a level");
    succeed(directory().path(), &["--log-level", "info,commerce_http=debug", "migrate"]);
}

#[test]
fn a_set_of_published_keys_has_a_public_one() {
    let directory = directory();
    let symmetric = r#"{"keys":[{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA","alg":"HS256"}]}"#;
    fs::write(directory.path().join("jwks.json"), symmetric).expect("written");
    fail(directory.path(), &["--listen", "127.0.0.1:0", "--jwks-file", "jwks.json"], 1, "no public key");
}

#[test]
fn every_setting_can_be_printed() {
    let directory = directory();
    let example = succeed(directory.path(), &["config"]);
    assert!(example.contains("orders_per_minute = 120") && example.contains("unpaid_orders = 10"), "{example}");
}
