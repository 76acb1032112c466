//! The program `journey` drives the program `commerce`, which the tests of the workspace build beside it.

use std::process::Command;

#[test]
fn a_short_run_shows_that_all_works() -> std::io::Result<()> {
    let status = Command::new(env!("CARGO_BIN_EXE_journey")).arg("--test").status()?;
    assert!(status.success(), "{status}");
    Ok(())
}
