//! Checks webhooks with the official libraries of Standard Webhooks.
//!
//! They are a Python and an npm package, named in `adapters/commerce-webhooks/standardwebhooks`, and installed into `target`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::servers::on_path;
use crate::{Outcome, finish, python, test_with};

const PROGRAMS: [&str; 3] = ["package.json", "package-lock.json", "verify.mjs"];

pub(crate) fn check() -> Outcome {
    let python = python::programs("standardwebhooks-python", &source().join("requirements.txt"))?.join("python");
    let node = node()?;
    let mut tests = test_with("commerce-webhooks/standardwebhooks", "official");
    finish(tests.env("WEBHOOKS_PYTHON", &python).env("WEBHOOKS_NODE", &node))
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters/commerce-webhooks/standardwebhooks")
}

/// A directory with the library for Node.js, and the program that uses it.
fn node() -> Result<PathBuf, String> {
    if !on_path("npm") {
        return Err("the webhooks need Node.js 20 or newer with npm: install it".to_owned());
    }
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let directory = program.with_file_name("standardwebhooks-node");
    fs::create_dir_all(&directory).map_err(|error| error.to_string())?;
    for name in PROGRAMS {
        fs::copy(source().join(name), directory.join(name)).map_err(|error| format!("{name}: {error}"))?;
    }
    finish(Command::new("npm").args(["ci", "--silent"]).current_dir(&directory))?;
    Ok(directory)
}
