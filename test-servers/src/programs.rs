//! Finds programs and runs them.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use super::ServerError;

/// The directories of `PATH`, and those where servers are kept, which are not on the path of every user.
pub(super) fn usual_directories() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let servers = ["/usr/sbin", "/usr/libexec", "/usr/local/sbin"].map(PathBuf::from);
    env::split_paths(&path).collect::<Vec<_>>().into_iter().chain(servers)
}

/// A command that knows nothing of the environment that could change what it does.
pub(super) fn plain(command: &mut Command) -> &mut Command {
    let path = env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    command.env_clear().env("PATH", path).env("LC_ALL", "C")
}

/// Runs a command to its end and gives what it said.
pub(super) fn run(command: &mut Command) -> Result<String, ServerError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |output: String| ServerError::Command { program: program.clone(), output };
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(failed(format!("{}\n{}{}", output.status, tail(&said), tail(&errors))))
}

/// The last lines of a text.
pub(super) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].iter().flat_map(|line| [line, "\n"]).collect()
}

/// A directory that has all these programs.
pub(super) fn has_all(directory: &std::path::Path, programs: &[&str]) -> bool {
    programs.iter().all(|program| directory.join(OsStr::new(program)).is_file())
}
