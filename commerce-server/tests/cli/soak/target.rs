//! What is published to: it can be stopped, started and read.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use tempfile::TempDir;
use test_servers::{Broker, BrokerKind, required};
use tokio::task::spawn_blocking;

use super::entries::Entry;
use crate::broker;
use crate::running::directory;

pub(super) enum Target {
    /// Its directory, and the parts that were moved away.
    File(TempDir, Vec<PathBuf>),
    /// The broker is taken out while it is stopped or started.
    Broker(BrokerKind, Option<Broker>),
}

impl Target {
    pub(super) fn file() -> Self {
        Self::File(directory(), Vec::new())
    }

    pub(super) fn broker(kind: BrokerKind) -> Self {
        Self::Broker(kind, Some(required(Broker::start(kind))))
    }

    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::File(..) => "file",
            Self::Broker(BrokerKind::Nats, _) => "NATS",
            Self::Broker(BrokerKind::RabbitMq, _) => "RabbitMQ",
            Self::Broker(BrokerKind::Redis, _) => "Redis",
        }
    }

    pub(super) const fn leaves_out_duplicates(&self) -> bool {
        matches!(self, Self::Broker(BrokerKind::Nats, _))
    }

    pub(super) fn settings(&self) -> String {
        match self {
            Self::File(directory, _) => format!("kind = \"file\"\npath = \"{}\"\n", at(directory).display()),
            Self::Broker(BrokerKind::Nats, _) => format!("kind = \"nats\"\nurl = \"{}\"\n", self.url()),
            Self::Broker(BrokerKind::RabbitMq, _) => {
                format!("kind = \"rabbitmq\"\nurl = \"{}\"\nqueue = \"{}\"\n", self.url(), broker::NAME)
            }
            Self::Broker(BrokerKind::Redis, _) => format!("kind = \"redis\"\nurl = \"{}\"\n", self.url()),
        }
    }

    fn url(&self) -> String {
        match self {
            Self::Broker(_, Some(broker)) => broker.url(),
            Self::Broker(_, None) | Self::File(..) => panic!("no broker is here"),
        }
    }

    /// Kills it. A file is moved away, and its place is taken.
    pub(super) async fn stop(&mut self) {
        match self {
            Self::File(directory, parts) => move_away(directory, parts),
            Self::Broker(_, broker) => with(broker, |broker| broker.kill().expect("it is killed")).await,
        }
    }

    pub(super) async fn start(&mut self) {
        match self {
            Self::File(directory, _) => fs::remove_dir(at(directory)).expect("it is empty"),
            Self::Broker(_, broker) => with(broker, |broker| broker.restart().expect("it starts")).await,
        }
    }

    /// Makes what the shop does not make by itself.
    pub(super) async fn prepare(&self) {
        if matches!(self, Self::Broker(BrokerKind::Nats, _)) {
            broker::create_stream(&self.url(), broker::NAME).await;
        }
    }

    /// All that it has, in its order.
    pub(super) async fn read(&self) -> Vec<Entry> {
        match self {
            Self::File(directory, parts) => parts.iter().chain([&at(directory)]).flat_map(lines).collect(),
            Self::Broker(BrokerKind::Nats, _) => {
                broker::nats(&self.url(), broker::NAME, |message| Entry::parse(&message.payload)).await
            }
            Self::Broker(BrokerKind::RabbitMq, _) => broker::rabbitmq(&self.url(), Entry::parse).await,
            Self::Broker(BrokerKind::Redis, _) => broker::redis(&self.url(), Entry::parse).await,
        }
    }
}

fn at(directory: &TempDir) -> PathBuf {
    directory.path().join("events.jsonl")
}

fn lines(path: &PathBuf) -> Vec<Entry> {
    let file = BufReader::new(File::open(path).expect("a file"));
    file.lines().map(|line| Entry::parse(line.expect("a line").as_bytes())).collect()
}

/// Moves the file away, and puts a directory in its place before the relay makes a new file.
fn move_away(directory: &TempDir, parts: &mut Vec<PathBuf>) {
    let path = at(directory);
    loop {
        let part = directory.path().join(format!("part-{}", parts.len()));
        fs::rename(&path, &part).expect("it is there");
        parts.push(part);
        if fs::create_dir(&path).is_ok() {
            return;
        }
    }
}

/// Does something with a broker that takes its time.
async fn with(place: &mut Option<Broker>, work: fn(&mut Broker)) {
    let mut broker = place.take().expect("it is here");
    let worked = spawn_blocking(move || {
        work(&mut broker);
        broker
    });
    *place = Some(worked.await.expect("no panic"));
}
