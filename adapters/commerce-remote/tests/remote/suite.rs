//! The contract of the port.

use std::fs;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use commerce_core::port::{Processor, ProcessorEvent};
use commerce_outbound::signature::sign;
use commerce_remote::Remote;
use commerce_remote::wire::SIGNATURE;
use commerce_testkit::suite::processor::{Fixture, SentWebhook, Wanted};
use remote_double::{Line, Settings};
use tempfile::TempDir;

use crate::{SECRET, remote_at};

struct OnDouble {
    remote: Arc<Remote>,
    directory: TempDir,
}

impl Fixture for OnDouble {
    fn processor(&self) -> Arc<dyn Processor> {
        self.remote.clone()
    }

    fn token(&self, wanted: Wanted) -> Option<&'static str> {
        match wanted {
            Wanted::Approved => Some("tok_ok"),
            Wanted::Declined => Some("tok_declined"),
            Wanted::PendingThenApproved => Some("tok_3ds"),
            Wanted::PendingThenDeclined => Some("tok_3ds_failed"),
            Wanted::RequestLost => Some("tok_timeout"),
            Wanted::AnswerLost => Some("tok_timeout_paid"),
            Wanted::Unreachable => None,
        }
    }

    fn webhook(&self, at: DateTime<Utc>, event: &ProcessorEvent) -> Option<SentWebhook> {
        let books = fs::read_to_string(self.directory.path().join("books")).expect("the books");
        let mut lines = books.lines().map(|line| serde_json::from_str::<Line>(line).expect("a line"));
        let sent = lines.find(|line| line.event.id == event.id)?.event;
        let body = serde_json::to_vec(&sent).expect("an event");
        Some(SentWebhook { headers: vec![(SIGNATURE.to_owned(), sign(SECRET, &body, at.timestamp()))], body })
    }
}

async fn start() -> OnDouble {
    let directory = tempfile::tempdir().expect("a directory");
    let settings = Settings { books: Some(directory.path().join("books")), ..Settings::default() };
    let address = remote_double::start(settings).await.expect("it starts");
    OnDouble { remote: Arc::new(remote_at(format!("http://{address}"))), directory }
}

commerce_testkit::processor_suite!(start);
