//! The kinds of sources: which settings they use, and how their queues are made.

use std::sync::Arc;
#[cfg(any(feature = "nats", feature = "redis"))]
use std::time::Duration;

use commerce_core::port::Subscription;
#[cfg(feature = "nats")]
use commerce_events::{NatsQueue, NatsQueueConfig};
#[cfg(feature = "rabbitmq")]
use commerce_events::{RabbitMqQueue, RabbitMqQueueConfig};
#[cfg(feature = "redis")]
use commerce_events::{RedisQueue, RedisQueueConfig};
use serde::Deserialize;

use super::Section;
use crate::config::broker;

/// A durable consumer of NATS, a consumer group of Redis.
#[cfg(any(feature = "nats", feature = "redis"))]
const COMMERCE: &str = "commerce";
/// The field of an entry of a Redis stream that has the event, as the shop writes it itself.
#[cfg(feature = "redis")]
const EVENT: &str = "event";
/// After what time a message comes again that a process has taken and not acknowledged. Longer than taking a batch.
#[cfg(any(feature = "nats", feature = "redis"))]
const AGAIN_AFTER: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Nats,
    RabbitMq,
    Redis,
    Webhook,
}

impl Kind {
    const BROKERS: &[Self] = &[Self::Nats, Self::RabbitMq, Self::Redis];
}

impl Section {
    pub(super) fn check_settings(&self) -> Result<(), String> {
        let needed = [
            ("secret_file", self.secret_file.is_some(), &[Kind::Webhook][..]),
            ("url or url_file", self.url.is_some() || self.url_file.is_some(), Kind::BROKERS),
            ("stream", self.stream.is_some(), &[Kind::Nats, Kind::Redis]),
            ("queue", self.queue.is_some(), &[Kind::RabbitMq]),
        ];
        let optional = [
            ("ca_file", self.ca_file.is_some(), Kind::BROKERS),
            ("durable", self.durable.is_some(), &[Kind::Nats]),
            ("subject", self.subject.is_some(), &[Kind::Nats]),
            ("group", self.group.is_some(), &[Kind::Redis]),
            ("field", self.field.is_some(), &[Kind::Redis]),
        ];
        broker::check(&self.kind, "source", &needed, &optional)?;
        if self.url.is_some() && self.url_file.is_some() {
            return Err("url and url_file exclude each other".to_owned());
        }
        Ok(())
    }

    /// The queue that messages are taken from, if they do not come by themselves.
    pub(super) fn queue(&self) -> Result<Option<Arc<dyn Subscription>>, String> {
        match self.kind {
            Kind::Nats => self.nats().map(Some),
            Kind::RabbitMq => self.rabbitmq().map(Some),
            Kind::Redis => self.redis().map(Some),
            Kind::Webhook => Ok(None),
        }
    }

    #[cfg(any(feature = "nats", feature = "rabbitmq", feature = "redis"))]
    fn url(&self) -> Result<String, String> {
        broker::url(self.url.as_deref(), self.url_file.as_deref())
    }

    #[cfg(feature = "nats")]
    fn nats(&self) -> Result<Arc<dyn Subscription>, String> {
        Ok(Arc::new(NatsQueue::new(NatsQueueConfig {
            url: self.url()?,
            ca_file: self.ca_file.clone(),
            stream: self.stream.clone().unwrap_or_default(),
            durable: self.durable.clone().unwrap_or_else(|| COMMERCE.to_owned()),
            subject: self.subject.clone(),
            again_after: AGAIN_AFTER,
        })))
    }

    #[cfg(not(feature = "nats"))]
    #[expect(clippy::unused_self, reason = "as with NATS")]
    fn nats(&self) -> Result<Arc<dyn Subscription>, String> {
        Err(broker::absent("NATS", "nats"))
    }

    #[cfg(feature = "rabbitmq")]
    fn rabbitmq(&self) -> Result<Arc<dyn Subscription>, String> {
        let (url, ca_file, queue) = (self.url()?, self.ca_file.clone(), self.queue.clone().unwrap_or_default());
        let made = RabbitMqQueue::new(RabbitMqQueueConfig { url, ca_file, queue });
        Ok(Arc::new(made.map_err(|error| error.to_string())?))
    }

    #[cfg(not(feature = "rabbitmq"))]
    #[expect(clippy::unused_self, reason = "as with RabbitMQ")]
    fn rabbitmq(&self) -> Result<Arc<dyn Subscription>, String> {
        Err(broker::absent("RabbitMQ", "rabbitmq"))
    }

    #[cfg(feature = "redis")]
    fn redis(&self) -> Result<Arc<dyn Subscription>, String> {
        let made = RedisQueue::new(RedisQueueConfig {
            url: self.url()?,
            ca_file: self.ca_file.clone(),
            stream: self.stream.clone().unwrap_or_default(),
            group: self.group.clone().unwrap_or_else(|| COMMERCE.to_owned()),
            field: self.field.clone().unwrap_or_else(|| EVENT.to_owned()),
            again_after: AGAIN_AFTER,
        });
        Ok(Arc::new(made.map_err(|error| error.to_string())?))
    }

    #[cfg(not(feature = "redis"))]
    #[expect(clippy::unused_self, reason = "as with Redis")]
    fn redis(&self) -> Result<Arc<dyn Subscription>, String> {
        Err(broker::absent("Redis", "redis"))
    }
}
