//! The dashboards and the alert rules of `deploy/`, as Prometheus itself reads them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::servers::{Need, on_path, provide};
use crate::{Outcome, finish};

const NEEDS: &[Need] = &[Need {
    what: "promtool",
    package: "prometheus",
    unit: Some("prometheus.service"),
    is_here: || on_path("promtool"),
}];

/// Checks the rules, runs their tests, and checks every expression of the dashboards as if it were a rule.
pub(crate) fn check() -> Outcome {
    provide(NEEDS)?;
    let rules = folder("prometheus");
    promtool(&["check", "rules", "alerts.yml"], &rules)?;
    promtool(&["test", "rules", "alerts_test.yml"], &rules)?;
    let scratch = std::env::temp_dir().join(format!("commerce-dashboards-{}.yml", std::process::id()));
    fs::write(&scratch, recorded(&expressions()?)).map_err(|error| format!("{}: {error}", scratch.display()))?;
    let outcome = promtool(&["check", "rules", &scratch.to_string_lossy()], &rules);
    fs::remove_file(&scratch).ok();
    outcome
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name)
}

fn promtool(arguments: &[&str], folder: &Path) -> Outcome {
    finish(Command::new("promtool").args(arguments).current_dir(folder))
}

/// The expressions of all dashboards, as they stand in JSON: with quotes, in which YAML reads them alike.
fn expressions() -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder("grafana")).map_err(|error| error.to_string())?;
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix("\"expr\": "));
        let before = found.len();
        found.extend(lines.map(|line| line.trim_end_matches(',').to_owned()));
        if found.len() == before || text.matches("\"expr\"").count() != found.len() - before {
            return Err(format!("{}: each expression belongs on a line of its own", path.display()));
        }
    }
    Ok(found)
}

fn recorded(expressions: &[String]) -> String {
    let rules = expressions.iter().enumerate();
    let rules = rules.map(|(at, expression)| format!("      - {{ record: \"dashboard:{at}\", expr: {expression} }}\n"));
    format!("groups:\n  - name: dashboards\n    rules:\n{}", rules.collect::<String>())
}
