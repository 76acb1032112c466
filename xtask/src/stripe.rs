//! Checks the Stripe adapter against localstripe and the signatures of Stripe's own library.
//!
//! They are Python packages, named in `adapters/commerce-stripe/localstripe/requirements.txt`, and installed into `target`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{Outcome, finish, python, test_with};

pub(crate) fn check() -> Outcome {
    let python = python::programs("localstripe", &directory().join("requirements.txt"))?.join("python");
    let counterpart = Counterpart::start(&python)?;
    let mut tests = test_with("commerce-stripe/localstripe", "localstripe");
    finish(tests.env("LOCALSTRIPE", &counterpart.url).env("LOCALSTRIPE_PYTHON", &python))
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters/commerce-stripe/localstripe")
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
