use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::*;

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn messages_that_a_broker_returns_are_logged_at_no_level() {
    for level in
        ["info", "trace", "info,lapin=debug", "lapin::returned_messages=trace", "lapin::returned_messages=warn,"]
    {
        let (log, level) = (Log::default(), level.parse::<LogLevel>().expect("a level"));
        let writer = log.clone();
        let logs = tracing_subscriber::fmt().with_env_filter(level.filter()).with_writer(move || writer.clone());
        tracing::subscriber::with_default(logs.finish(), || {
            tracing::warn!(target: "lapin::returned_messages", message = "Main Street 1");
            tracing::trace!(target: "lapin::channels", frame = "Main Street 1");
            tracing::error!(target: "lapin", "Main Street 1");
        });
        let logged = log.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(logged.is_empty(), "{level:?}: {}", String::from_utf8_lossy(&logged));
    }
}

#[test]
fn the_levels_of_an_operator_are_kept() {
    let filter = "warn,commerce_http=debug".parse::<LogLevel>().expect("a level").filter().to_string();
    assert!(filter.contains("warn") && filter.contains("commerce_http=debug"), "{filter}");
}
