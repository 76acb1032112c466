//! The kinds of targets: which settings they use, and how they are made.

use std::sync::Arc;

use commerce_core::port::Publisher;
use commerce_events::FileTarget;
#[cfg(feature = "kafka")]
use commerce_events::{KafkaConfig, KafkaTarget};
#[cfg(feature = "nats")]
use commerce_events::{NatsConfig, NatsTarget};
#[cfg(feature = "rabbitmq")]
use commerce_events::{RabbitMqConfig, RabbitMqTarget};
#[cfg(feature = "redis")]
use commerce_events::{RedisConfig, RedisTarget};
use serde::Deserialize;

use super::Target;
use crate::config::broker;

/// What the subjects of NATS begin with, the key of a Redis stream, an exchange, a topic.
#[cfg(any(feature = "kafka", feature = "nats", feature = "rabbitmq", feature = "redis"))]
const COMMERCE: &str = "commerce";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    File,
    Kafka,
    Nats,
    RabbitMq,
    Redis,
}

impl Kind {
    const BROKERS: &[Self] = &[Self::Kafka, Self::Nats, Self::RabbitMq, Self::Redis];

    /// Whether a message can have something beside its body.
    pub(super) const fn has_headers(self) -> bool {
        match self {
            Self::Kafka | Self::Nats | Self::RabbitMq => true,
            Self::File | Self::Redis => false,
        }
    }
}

impl Target {
    pub(super) fn check_settings(&self) -> Result<(), String> {
        let has_url = self.url.is_some() || self.url_file.is_some();
        let needed = [("path", self.path.is_some(), &[Kind::File][..]), ("url or url_file", has_url, Kind::BROKERS)];
        let optional = [
            ("prefix", self.prefix.is_some(), &[Kind::Nats][..]),
            ("ca_file", self.ca_file.is_some(), Kind::BROKERS),
            ("stream", self.stream.is_some(), &[Kind::Redis]),
            ("channel", self.channel.is_some(), &[Kind::Redis]),
            ("max_length", self.max_length.is_some(), &[Kind::Redis]),
            ("exchange", self.exchange.is_some(), &[Kind::RabbitMq]),
            ("queue", self.queue.is_some(), &[Kind::RabbitMq]),
            ("topic", self.topic.is_some(), &[Kind::Kafka]),
        ];
        broker::check(&self.kind, "target", &needed, &optional)?;
        if self.url.is_some() && self.url_file.is_some() {
            return Err("url and url_file exclude each other".to_owned());
        }
        Ok(())
    }

    pub(super) fn publisher(&self) -> Result<Arc<dyn Publisher>, String> {
        match self.kind {
            Kind::File => Ok(Arc::new(FileTarget::new(self.path.clone().unwrap_or_default()))),
            Kind::Kafka => self.kafka(),
            Kind::Nats => self.nats(),
            Kind::RabbitMq => self.rabbitmq(),
            Kind::Redis => self.redis(),
        }
    }

    #[cfg(feature = "kafka")]
    fn kafka(&self) -> Result<Arc<dyn Publisher>, String> {
        let (url, topic, ca_file) = (self.url()?, named(self.topic.as_ref()), self.ca_file.clone());
        made(KafkaTarget::new(KafkaConfig { url, topic, ca_file }))
    }

    #[cfg(not(feature = "kafka"))]
    fn kafka(&self) -> Result<Arc<dyn Publisher>, String> {
        self.absent("Kafka", "kafka")
    }

    #[cfg(feature = "nats")]
    fn nats(&self) -> Result<Arc<dyn Publisher>, String> {
        let (url, prefix, ca_file) = (self.url()?, named(self.prefix.as_ref()), self.ca_file.clone());
        Ok(Arc::new(NatsTarget::new(NatsConfig { url, prefix, ca_file })))
    }

    #[cfg(not(feature = "nats"))]
    fn nats(&self) -> Result<Arc<dyn Publisher>, String> {
        self.absent("NATS", "nats")
    }

    #[cfg(feature = "rabbitmq")]
    fn rabbitmq(&self) -> Result<Arc<dyn Publisher>, String> {
        let (url, exchange) = (self.url()?, named(self.exchange.as_ref()));
        let (queue, ca_file) = (self.queue.clone(), self.ca_file.clone());
        made(RabbitMqTarget::new(RabbitMqConfig { url, exchange, queue, ca_file }))
    }

    #[cfg(not(feature = "rabbitmq"))]
    fn rabbitmq(&self) -> Result<Arc<dyn Publisher>, String> {
        self.absent("RabbitMQ", "rabbitmq")
    }

    #[cfg(feature = "redis")]
    fn redis(&self) -> Result<Arc<dyn Publisher>, String> {
        let (url, stream, ca_file) = (self.url()?, named(self.stream.as_ref()), self.ca_file.clone());
        let (channel, max_length) = (self.channel.clone(), self.max_length);
        made(RedisTarget::new(RedisConfig { url, stream, channel, max_length, ca_file }))
    }

    #[cfg(not(feature = "redis"))]
    fn redis(&self) -> Result<Arc<dyn Publisher>, String> {
        self.absent("Redis", "redis")
    }

    #[cfg(not(all(feature = "kafka", feature = "nats", feature = "rabbitmq", feature = "redis")))]
    fn absent(&self, broker: &str, feature: &str) -> Result<Arc<dyn Publisher>, String> {
        self.url().and(Err(broker::absent(broker, feature)))
    }
}

#[cfg(any(feature = "kafka", feature = "nats", feature = "rabbitmq", feature = "redis"))]
fn named(name: Option<&String>) -> String {
    name.cloned().unwrap_or_else(|| COMMERCE.to_owned())
}

#[cfg(any(feature = "kafka", feature = "rabbitmq", feature = "redis"))]
fn made<P: Publisher + 'static>(made: Result<P, impl std::fmt::Display>) -> Result<Arc<dyn Publisher>, String> {
    made.map(|target| -> Arc<dyn Publisher> { Arc::new(target) }).map_err(|error| error.to_string())
}
