//! The signals that end the server.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::super::failure::Failure;

/// The exit code after a second signal.
const TOLD_TWICE: i32 = 130;

/// Handlers of SIGHUP.
///
/// # Errors
/// The handler cannot be installed.
pub(super) fn hang_ups() -> Result<Signal, Failure> {
    signal(SignalKind::hangup()).map_err(|source| Failure::System { what: "signals", source })
}

/// Handlers of SIGTERM and SIGINT.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Installs the handlers.
    pub(super) fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|source| Failure::System { what: "signals", source });
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Waits for the first signal. The second one exits the program at once.
    pub(super) async fn ended(mut self) {
        self.next().await;
        tracing::info!("ending: no new connections, requests in flight are answered");
        tokio::spawn(async move {
            self.next().await;
            std::process::exit(TOLD_TWICE);
        });
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
