//! Checks the documents of the API and of its events as their users do: linters, parsers, generated clients, and the page in a browser,
//! against a real server.
//!
//! They are npm packages. `clients/package.json` names them, and which of their commands run.

use std::env::{self, consts::EXE_SUFFIX};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::servers::{self, Need, on_path};
use crate::{Outcome, finish};

const NEEDS: &[Need] = &[Need { what: "Chromium", package: "chromium", unit: None, is_here: || on_path("chromium") }];

/// The products of the shop, which the examples of the document order.
const PRODUCTS: &str = "sku,name,price,currency,on_hand\nmug,Coffee mug,12,USD,100\n";

/// Runs all checks. `build` provides the program `commerce` beside this one.
pub(crate) fn check(build: fn() -> Outcome) -> Outcome {
    if !on_path("npm") {
        return Err("the clients need Node.js 20.19 or newer with npm: install it".to_owned());
    }
    servers::provide(NEEDS)?;
    build()?;
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients");
    let npm = |arguments: &[&str]| {
        let mut npm = Command::new("npm");
        npm.args(arguments)
            .current_dir(&clients)
            .env("REDOCLY_TELEMETRY", "off")
            .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
        npm
    };
    no_download_addresses(&clients)?;
    finish(&mut npm(&["ci"]))?;
    let shop = Shop::open()?;
    fs::create_dir_all(clients.join("generated")).map_err(|error| error.to_string())?;
    let document = shop.commerce(&["openapi"])?;
    fs::write(clients.join("generated/openapi.json"), document).map_err(|error| error.to_string())?;
    let mut check = npm(&["run", "check"]);
    check
        .env("SHOP", &shop.url)
        .env("ADMIN_TOKEN", shop.token("admin")?)
        .env("CUSTOMER_TOKEN", shop.token("customer")?);
    finish(&mut check)
}

/// The lock file names versions and digests. Where packages are downloaded is up to each machine.
fn no_download_addresses(clients: &Path) -> Outcome {
    let lock = fs::read_to_string(clients.join("package-lock.json")).map_err(|error| error.to_string())?;
    if lock.contains("\"resolved\"") {
        return Err("clients/package-lock.json has download addresses: remove the fields \"resolved\"".to_owned());
    }
    Ok(())
}

/// A server with a new shop, which ends with this value.
struct Shop {
    program: PathBuf,
    directory: PathBuf,
    url: String,
    server: Child,
}

impl Shop {
    fn open() -> Result<Self, String> {
        Self::start().map_err(|error| format!("the server does not start: {error}"))
    }

    fn start() -> std::io::Result<Self> {
        let here = env::current_exe()?;
        let program = here.with_file_name(format!("commerce{EXE_SUFFIX}"));
        let directory = here.with_file_name("clients-shop");
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(&directory)?;
        let mut import = Command::new(&program);
        let mut import = import.args(["import", "-"]).current_dir(&directory).stdin(Stdio::piped()).spawn()?;
        import.stdin.take().map_or(Ok(()), |mut input| input.write_all(PRODUCTS.as_bytes()))?;
        import.wait()?;
        let mut server = Command::new(&program);
        server.args(["--listen", "127.0.0.1:0"]).current_dir(&directory).stdout(Stdio::piped());
        let mut server = server.stderr(fs::File::create(directory.join("log"))?).spawn()?;
        let said = server.stdout.take().map(|said| BufReader::new(said).lines());
        let url =
            said.and_then(|mut lines| lines.find_map(|line| Some(line.ok()?.split_once("serves ")?.1.to_owned())));
        let shop = Self { program, directory, url: url.clone().unwrap_or_default(), server };
        url.map(|_| shop).ok_or_else(|| std::io::Error::other("it names no address"))
    }

    /// What the program prints.
    fn commerce(&self, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new(&self.program).args(arguments).current_dir(&self.directory).output();
        let output = output.map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        String::from_utf8(output.stdout).map_err(|error| error.to_string())
    }

    fn token(&self, role: &str) -> Result<String, String> {
        Ok(self.commerce(&["token", "--sub", role, "--role", role])?.trim().to_owned())
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let ended = self.server.kill().and_then(|()| self.server.wait());
        if let Err(error) = ended {
            eprintln!("   the server does not end: {error}");
        }
    }
}
