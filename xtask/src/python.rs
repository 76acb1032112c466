//! Python packages that a stage needs, installed into `target`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::finish;
use crate::servers::on_path;

/// The directory of the programs of an environment with the packages of a requirements file.
pub(crate) fn programs(name: &str, requirements: &Path) -> Result<PathBuf, String> {
    if !on_path("python3") {
        return Err("this stage needs Python 3.11 or newer with venv and pip: install it".to_owned());
    }
    let environment = env::current_exe().map_err(|error| error.to_string())?.with_file_name(name);
    let programs = environment.join("bin");
    if !programs.join("python").exists() {
        finish(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    finish(Command::new(programs.join("python")).args(install).arg(requirements))?;
    Ok(programs)
}
