//! The file keeps the contract of a publisher, also after crashes and when it is moved.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::future::{Ready, ready};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::port::{PublishFailure, Publisher};
use commerce_core::publishing::Message;
use commerce_events::FileTarget;
use commerce_testkit::suite::publisher::{Fixture, message};
use tempfile::TempDir;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

struct OneFile(TempDir);

impl OneFile {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("out").join("events.jsonl")
    }

    fn target(&self) -> FileTarget {
        fs::create_dir_all(self.path().parent().expect("a parent")).expect("a directory");
        FileTarget::new(self.path())
    }

    fn lines(&self) -> Vec<Vec<u8>> {
        let text = fs::read(self.path()).unwrap_or_default();
        text.split_inclusive(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\n").unwrap_or(b"torn").to_vec())
            .collect()
    }
}

#[async_trait]
impl Fixture for OneFile {
    async fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(self.target())
    }

    async fn received(&self) -> Vec<Vec<u8>> {
        self.lines()
    }

    async fn stop(&self) -> bool {
        fs::rename(self.path(), self.0.path().join("kept")).expect("the file is moved");
        fs::create_dir(self.path()).is_ok()
    }

    async fn start(&self) {
        fs::remove_dir(self.path()).expect("the directory is removed");
        fs::rename(self.0.path().join("kept"), self.path()).expect("the file is back");
    }
}

fn start() -> Ready<OneFile> {
    ready(OneFile::new())
}

commerce_testkit::publisher_suite!(start);

fn bodies(messages: &[Message]) -> Vec<Vec<u8>> {
    messages.iter().map(|message| message.body.clone()).collect()
}

#[tokio::test]
async fn a_line_that_was_cut_off_is_removed() {
    let file = OneFile::new();
    let (target, messages) = (file.target(), [message("order/1", 1), message("order/1", 2)]);
    for torn in [10, 64 * 1024 - 1, 64 * 1024, 200_000] {
        target.publish(&messages[..1]).await.expect("published");
        let mut text = fs::read(file.path()).expect("a file");
        text.extend(vec![b'{'; torn]);
        fs::write(file.path(), text).expect("written");
        target.publish(&messages[1..]).await.expect("published");
        assert_eq!(file.lines(), bodies(&messages), "after {torn} bytes");
        fs::remove_file(file.path()).expect("removed");
    }
}

#[tokio::test]
async fn a_file_that_is_nothing_but_a_torn_line_begins_anew() {
    let (file, messages) = (OneFile::new(), [message("order/1", 1)]);
    let target = file.target();
    fs::write(file.path(), "{\"specversion\":").expect("written");
    target.publish(&messages).await.expect("published");
    assert_eq!(file.lines(), bodies(&messages));
}

#[tokio::test]
async fn a_file_of_something_else_is_refused_and_stays() {
    let file = OneFile::new();
    for other in ["SQLite format 3", "name,price\nmug,9.99\n", "{\"id\":1}\nname,price"] {
        let target = file.target();
        fs::write(file.path(), other).expect("written");
        let refused = target.publish(&[message("order/1", 1)]).await.expect_err("it is refused");
        assert!(format!("{refused:?}").contains("other contents"), "{refused:?}");
        assert_eq!(fs::read_to_string(file.path()).expect("a file"), other);
    }
}

#[tokio::test]
async fn a_file_that_was_moved_away_is_made_anew() {
    let (file, messages) = (OneFile::new(), [message("order/1", 1), message("order/1", 2)]);
    let target = file.target();
    target.publish(&messages[..1]).await.expect("published");
    fs::rename(file.path(), file.0.path().join("events.1")).expect("moved");
    target.publish(&messages[1..]).await.expect("published");
    assert_eq!(file.lines(), bodies(&messages[1..]));
}

#[tokio::test]
async fn a_missing_directory_is_an_outage_and_not_made() {
    let directory = tempfile::tempdir().expect("a directory");
    let target = FileTarget::new(directory.path().join("missing").join("events.jsonl"));
    let error = target.publish(&[message("order/1", 1)]).await.expect_err("no directory");
    assert!(matches!(error.failure, PublishFailure::Unavailable(_)), "{error}");
    assert!(!directory.path().join("missing").exists());
}

/// Somebody else has locked it: only one thread waits, however often the caller tries again.
#[test]
fn a_file_that_hangs_takes_one_thread() {
    let (file, messages) = (OneFile::new(), [message("order/1", 1)]);
    let target = file.target();
    let locked = fs::File::create(file.path()).expect("a file");
    locked.lock().expect("a lock");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(2).build();
    let published = runtime.expect("a runtime").block_on(async {
        for _ in 0..3 {
            assert!(timeout(Duration::from_millis(50), target.publish(&messages)).await.is_err(), "it is locked");
        }
        spawn_blocking(|| ()).await.expect("a thread is left");
        locked.unlock().expect("unlocked");
        target.publish(&messages).await
    });
    published.expect("published");
    assert_eq!(file.lines().last(), bodies(&messages).last());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_at_once_do_not_mix_their_lines() {
    let file = OneFile::new();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let target = file.target();
            tokio::spawn(async move {
                for number in 1..20 {
                    let stream = format!("order/{writer}");
                    target.publish(&[message(&stream, number), message(&stream, number)]).await.expect("published");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("no panic");
    }
    let lines = file.lines();
    assert_eq!(lines.len(), 4 * 19 * 2);
    assert!(lines.iter().all(|line| serde_json::from_slice::<serde_json::Value>(line).is_ok()));
}
