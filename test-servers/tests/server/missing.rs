//! A server that is not installed.

use std::env;
use std::process::Command;

#[test]
fn a_missing_server_fails_the_test_and_says_what_to_do() {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "postgres::settings_are_those_of_the_caller"]);
    let output = command.env("COMMERCE_TEST_POSTGRES_BIN", "/nowhere").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("apt-get install -y --no-install-recommends postgresql"), "{said}");
}
