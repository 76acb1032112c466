//! The end of requests that would last long.

use std::sync::Arc;

use tokio::sync::watch;

/// Ends the requests that wait for events, and the streams of events, so that a shutdown need not wait for them. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Drain(Arc<watch::Sender<bool>>);

impl Drain {
    /// Begins. Requests that come later do not wait.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it begins.
    pub(crate) async fn begun(&self) {
        if self.0.subscribe().wait_for(|begun| *begun).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
