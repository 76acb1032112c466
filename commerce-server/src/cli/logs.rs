//! Logs on stderr.

use std::io::IsTerminal;

use crate::config::{LogFormat, LogLevel};

pub(super) fn start(format: LogFormat, level: &LogLevel) {
    let is_terminal = std::io::stderr().is_terminal();
    let logs = tracing_subscriber::fmt().with_env_filter(level.filter()).with_writer(std::io::stderr);
    let logs = logs.log_internal_errors(false); // printing them panics where stderr is a file on a full disk
    if format == LogFormat::Text || (format == LogFormat::Auto && is_terminal) {
        logs.with_ansi(is_terminal).with_target(false).init();
    } else {
        logs.json().flatten_event(true).with_current_span(true).with_span_list(false).init();
    }
}
