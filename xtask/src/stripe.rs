//! Checks the Stripe adapter against localstripe and the signatures of Stripe's own library.
//!
//! They are Python packages, named in `adapters/commerce-stripe/localstripe/requirements.txt`, and installed into `target`.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::servers::on_path;
use crate::{Outcome, finish};

pub(crate) fn check() -> Outcome {
    let python = installed()?;
    let counterpart = Counterpart::start(&python)?;
    let tests = ["test", "-p", "commerce-stripe", "--features", "localstripe", "--test", "localstripe"];
    let mut tests_command = Command::new(env!("CARGO"));
    finish(tests_command.args(tests).env("LOCALSTRIPE", &counterpart.url).env("LOCALSTRIPE_PYTHON", &python))
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters/commerce-stripe/localstripe")
}

/// A Python with the packages, beside this program.
fn installed() -> Result<PathBuf, String> {
    if !on_path("python3") {
        return Err("localstripe needs Python 3.11 or newer with venv and pip: install it".to_owned());
    }
    let environment = env::current_exe().map_err(|error| error.to_string())?.with_file_name("localstripe");
    let python = environment.join("bin/python");
    if !python.exists() {
        finish(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    finish(Command::new(&python).args(install).arg(directory().join("requirements.txt")))?;
    Ok(python)
}

/// localstripe, which ends with this value.
struct Counterpart {
    url: String,
    server: Child,
}

impl Counterpart {
    fn start(python: &Path) -> Result<Self, String> {
        let fail = |error: std::io::Error| format!("localstripe does not start: {error}");
        let mut server = Command::new(python);
        server.arg(directory().join("serve.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = server.spawn().map_err(fail)?;
        let mut port = String::new();
        if let Some(said) = server.stdout.take() {
            BufReader::new(said).read_line(&mut port).map_err(fail)?;
        }
        let port: u16 = port.trim().parse().map_err(|_| "localstripe names no port".to_owned())?;
        Ok(Self { url: format!("http://127.0.0.1:{port}"), server })
    }
}

impl Drop for Counterpart {
    fn drop(&mut self) {
        let ended = self.server.kill().and_then(|()| self.server.wait());
        if let Err(error) = ended {
            eprintln!("   localstripe does not end: {error}");
        }
    }
}
